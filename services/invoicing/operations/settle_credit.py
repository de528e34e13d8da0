"""Give back what a schedule that is over was billed too much: by credit notes on the invoices of those periods."""

from collections.abc import Sequence
from decimal import Decimal

from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from services.invoicing.domain.credit_note import CreditReason, CreditWish, LineWish
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.line_price import prices
from services.invoicing.domain.pricing import round_half_up
from services.invoicing.domain.schedule_billing import Credit
from services.invoicing.domain.subscription import Outcome, Schedule
from services.invoicing.operations.issue_credit_note import Why, issue_credit_note
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.schedules import list_scheduled_invoices

_LATEST = 24
"""So many of the last periods are looked through; credit waits no longer than that."""


async def settle_credit(tx: WriteTx, schedule: Schedule, credits_: Sequence[Credit]) -> list[Credit]:
    """What could not be given back this way, for staff to decide: no invoice to put it on, or one being paid."""
    made = await list_scheduled_invoices(tx, schedule.schedule_id, limit=_LATEST)
    invoices = {one.period_start: one.invoice_id for one in made if one.outcome is Outcome.FINALIZED}
    left = []
    for credit in credits_:
        invoice_id = invoices.get(credit.period_start)
        if invoice_id is None or not await _given_back(tx, schedule, credit, invoice_id):
            left.append(credit)
    return left


async def _given_back(tx: WriteTx, schedule: Schedule, credit: Credit, invoice_id: str) -> bool:
    invoice = await get_invoice(tx, invoice_id, for_update=True)
    at = _line_of(schedule, credit, invoice)
    if at is None:
        return False
    gross = prices(invoice)[at]
    share = Decimal(gross.minor_units * credit.minor_units) / invoice.lines[at].amount.minor_units
    amount = round_half_up(share, gross.currency)
    wish = CreditWish(invoice_id=invoice_id, lines=(LineWish(at + 1, amount=amount),))
    try:
        await issue_credit_note(
            tx, wish, Why(CreditReason.CORRECTION, schedule.cancel_reason or schedule.name)
        )
    except ServiceError as error:
        if error.kind is not Kind.FAILED_PRECONDITION:
            raise
        return False
    return True


def _line_of(schedule: Schedule, credit: Credit, invoice: Invoice) -> int | None:
    """The line that charged the period; None unless just one can be meant."""
    described = schedule.line(credit.line_no).description
    found = [
        at
        for at, line in enumerate(invoice.lines)
        if line.period_start == credit.period_start
        and line.description.startswith(described)
        and line.amount.minor_units >= credit.minor_units
    ]
    return found[0] if len(found) == 1 else None
