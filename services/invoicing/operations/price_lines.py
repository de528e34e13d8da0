"""Tell what lines of issued invoices came to, for refunds by line."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.database import Database
from chassis.errors import not_found
from chassis.money import Money
from services.invoicing.domain.invoice import Status
from services.invoicing.domain.line_price import prices
from services.invoicing.domain.pricing import Line
from services.invoicing.store import invoices


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with what it came to, its share of the tax included. `line_no` counts from one."""

    invoice_id: str
    line_no: int
    line: Line
    amount: Money


async def price_lines(
    db: Database, organization_id: str, names: Sequence[tuple[str, int]]
) -> list[PricedLine]:
    """In the order of the names: invoice and position. INVOICE_NOT_FOUND, INVOICE_LINE_NOT_FOUND."""
    async with db.read(organization_id) as tx:
        named = sorted({invoice_id for invoice_id, _line_no in names})
        found = {invoice_id: await invoices.get_invoice(tx, invoice_id) for invoice_id in named}
    amounts = {invoice_id: prices(invoice) for invoice_id, invoice in found.items()}
    priced = []
    for invoice_id, line_no in names:
        invoice = found[invoice_id]
        if invoice.status is Status.DRAFT:
            raise not_found("invoice")
        if not 1 <= line_no <= len(invoice.lines):
            raise not_found("invoice line")
        line = invoice.lines[line_no - 1]
        priced.append(PricedLine(invoice_id, line_no, line, amounts[invoice_id][line_no - 1]))
    return priced
