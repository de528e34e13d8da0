"""Ten thousand invoices as an archive of PDFs: it comes while it is made, in little memory."""

import resource
import time
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from chassis.caller import Call, call_scope
from chassis.database import WriteTx
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain.invoice import Buyer, Invoice, new_draft
from services.invoicing.domain.pricing import Line
from services.invoicing.store.invoices import insert_invoices
from tallyport.identity.v1 import organizations_pb2
from tallyport.invoicing.v1 import exports_pb2
from tests.service.invoicing.office import Office

COUNT = 10_000
BATCH = 500
_BUYER = Buyer("Blue Anchor Seafood", ("Pier 4",), "US", "", city="Portland")
WARM_BYTES = 2 * 1024 * 1024
"""By then fonts, templates and caches are there; what grows from here on grows with the archive."""
MOST_GROWN_BYTES = 64 * 1024 * 1024


async def _invoices(office: Office, count: int) -> None:
    customer = await office.customer()
    for start in range(0, count, BATCH):

        async def write(tx: WriteTx, start: int = start) -> None:
            made = [_invoice(tx, customer.customer_id, at) for at in range(start, min(start + BATCH, count))]
            await insert_invoices(tx, made)

        await office.db.run_write(office.organization_id, write)


def _invoice(tx: WriteTx, customer_id: str, at: int) -> Invoice:
    today = tx.now().date()
    lines = [
        Line(f"Rope number {at}-{line}", Decimal(line), Money(100 + at, "USD"), Decimal(0))
        for line in (1, 2, 3)
    ]
    draft = new_draft(
        invoice_id=new_id("inv"), customer_id=customer_id, currency="USD", buyer=_BUYER, invoice_date=today,
        due_date=today, created_at=tx.now(),
    ).with_lines(lines)  # fmt: skip
    return draft.finalized(f"INV-{at:06d}", _BUYER, tx.now())


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.chaos
@pytest.mark.timeout(3_600)
async def test_ten_thousand_documents_stream_in_bounded_memory(office: Office, tmp_path: Path) -> None:
    address = organizations_pb2.PostalAddress(lines=["Pier 4"], city="Portland", country="US")
    await office.organization_changed(2, address=address, tax_id="12-3456789")
    await _invoices(office, COUNT)
    file = tmp_path / "invoices.zip"
    request = exports_pb2.ExportReceivablesRequest(
        kind=exports_pb2.EXPORT_KIND_INVOICES, format=exports_pb2.EXPORT_FORMAT_ZIP_OF_PDFS
    )
    staff = replace(office.staff(), permissions=frozenset({"customers.read", "books.read"}))
    call = Call(caller=staff, method="/export", request_id="req", idempotency_key=None, fingerprint=b"")
    before, warm, most, written = _resident_bytes(), 0, 0, 0
    began, busy = time.monotonic(), time.process_time()
    with call_scope(call), file.open("wb") as out:
        async for piece in office.exports.ExportReceivables(request, None):
            written += out.write(piece.content)
            rss = _resident_bytes()
            most = max(most, rss)
            warm = warm if written < WARM_BYTES else warm or rss
    print(
        f"{COUNT} documents, {written / 2**20:.0f} MB in {time.monotonic() - began:.0f} s"
        f" ({time.process_time() - busy:.0f} s of the processor): {before / 2**20:.0f} MB before,"
        f" {warm / 2**20:.0f} MB warm, at most {most / 2**20:.0f} MB"
    )
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        assert len(set(names)) == COUNT
        assert archive.read(names[-1]).startswith(b"%PDF-")
    assert most - warm < MOST_GROWN_BYTES
