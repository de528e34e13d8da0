"""How long documents take to print: `python -m bench.documents`. The baseline is an empty Typst page of the same run.

Typst remembers what it has laid out, so that every run prints other lines. Medians in milliseconds, of the wall clock
and of the processor; the latter is what counts on a machine that does other things too.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from chassis.money import Money
from chassis.papers.printing import ARCHIVED
from chassis.pdf import render_pdf
from services.invoicing.domain.invoice import Buyer, Invoice, new_draft
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line, Tax, TaxCategory
from services.invoicing.formats.einvoice import Syntax, einvoice, of_invoice
from services.invoicing.formats.invoice_pdf import document, invoice_pdf

PAGE_LINES, MANY_LINES = 20, 2_000
PAGE_RUNS, MANY_RUNS = 21, 3
_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_TODAY = date(2026, 11, 22)
_VAT = (Tax("", Decimal(19), TaxCategory.STANDARD),)
_TEMPLATE = Path(__file__).parent.parent / "services" / "invoicing" / "templates" / "invoice.typ"
_SELLER = Organization(
    organization_id="org_1", name="Hafen Handel GmbH", display_name="Hafen", currency="EUR",
    time_zone="Europe/Berlin", locale="de-DE", address_lines=("Am Kai 1",), city="Hamburg", region="",
    postal_code="20457", country="DE", tax_id="DE136695976", contact_email="kasse@hafen.example",
    contact_phone="", brand_color="#0b6e69", logo=b"", logo_media_type="", version=1,
)  # fmt: skip
_BUYER = Buyer("Blue Anchor GmbH", ("Elbchaussee 7",), "DE", "DE811907980", city="Hamburg")


def invoice_of(line_count: int, run: int) -> Invoice:
    """A final invoice whose lines are unlike those of every other run."""
    lines = [
        Line(f"Item {run}-{at}: shackle", Decimal(at + run), Money(137, "EUR"), Decimal(19), taxes=_VAT)
        for at in range(1, line_count + 1)
    ]
    draft = new_draft(
        invoice_id="inv_1", customer_id="cus_1", currency="EUR", buyer=_BUYER, invoice_date=_TODAY,
        due_date=_TODAY, created_at=_NOW,
    )  # fmt: skip
    return draft.with_lines(lines).finalized(f"INV-{run:06}", _BUYER, _NOW)


def measure(name: str, work: Callable[[int], object], runs: int) -> dict[str, float]:
    """Medians after one run that does not count."""
    work(0)
    walls, processors = [], []
    for run in range(1, runs + 1):
        wall, processor = time.perf_counter(), time.process_time()
        work(run)
        processors.append((time.process_time() - processor) * 1_000)
        walls.append((time.perf_counter() - wall) * 1_000)
    return {
        f"{name}_wall_ms": statistics.median(walls),
        f"{name}_processor_ms": statistics.median(processors),
    }


def measure_made(
    name: str, work: Callable[[Invoice], object], invoices: Sequence[Invoice]
) -> dict[str, float]:
    """The same, each run with an invoice of its own."""
    return measure(name, lambda run: work(invoices[run]), len(invoices) - 1)


def _empty(template: Path, run: int) -> bytes:
    return render_pdf(template, {"n": str(run)}, timestamp=_NOW, standards=ARCHIVED)


def _page(invoice: Invoice) -> bytes:
    data = document(invoice, _SELLER, locale="de-DE", today=_TODAY) | {"attachment": None}
    return render_pdf(_TEMPLATE, data, timestamp=_NOW, standards=ARCHIVED)


def _xml(invoice: Invoice) -> bytes:
    return einvoice(of_invoice(invoice), _SELLER, Syntax.CII)


def _whole(invoice: Invoice) -> bytes:
    return asyncio.run(invoice_pdf(invoice, _SELLER, locale="de-DE", today=_TODAY))


def main() -> None:
    """Prints one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.typ"
        empty.write_text('#set document(title: "t")\n#let d = json(bytes(sys.inputs.data))\n#d.n\n')
        figures = measure("empty_page", lambda run: _empty(empty, run), PAGE_RUNS)
    for name, count, runs in (("page", PAGE_LINES, PAGE_RUNS), ("many_lines", MANY_LINES, MANY_RUNS)):
        made = [invoice_of(count, run) for run in range(runs + 1)]
        figures |= measure_made(f"{name}_printed", _page, made)
        figures |= measure_made(f"{name}_einvoice", _xml, made)
    made = [invoice_of(PAGE_LINES, 1_000 + run) for run in range(PAGE_RUNS + 1)]
    figures |= measure_made("page_as_factur_x", _whole, made)
    figures["page_per_empty_page"] = figures["page_printed_processor_ms"] / figures["empty_page_processor_ms"]
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
