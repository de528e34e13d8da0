"""What an invoice's document is made of, read at one moment, and its making."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.database import ReadTx
from chassis.money import Money
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.organization import Organization
from services.invoicing.formats.invoice_pdf import (
    BY_PLAN,
    DISPUTED,
    ShownReduction,
    asked_now,
    file_name_of,
    invoice_pdf,
)
from services.invoicing.payments import FindTransferSlip
from services.invoicing.store.adjustments import adjustments_of
from services.invoicing.store.credit_notes import numbers_of
from services.invoicing.store.customers import get_customer
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.plans import demands_on


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePaper:
    """An invoice with what its document says besides, for a reader of `locale`."""

    invoice: Invoice
    organization: Organization
    locale: str
    today: date
    reductions: tuple[ShownReduction, ...]


async def read_paper(tx: ReadTx, invoice: Invoice) -> InvoicePaper:
    """In the customer's language."""
    organization = await get_organization(tx)
    customer = await get_customer(tx, invoice.customer_id)
    return InvoicePaper(
        invoice=invoice, organization=organization, locale=customer.locale,
        today=organization.date_of(tx.now()),
        reductions=(*await _reductions(tx, invoice), *await _not_asked_now(tx, invoice)),
    )  # fmt: skip


async def read_asked_now(tx: ReadTx, invoice: Invoice) -> Money | None:
    """What a slip is made out for; None for all that is due, when nothing of it is asked for now."""
    return _slip_amount(invoice, await _not_asked_now(tx, invoice))


async def print_invoice(paper: InvoicePaper, find_slip: FindTransferSlip) -> tuple[str, bytes]:
    """(file name, PDF)."""
    amount = _slip_amount(paper.invoice, paper.reductions)
    slip = await find_slip(paper.organization.organization_id, paper.invoice, amount)
    pdf = await invoice_pdf(
        paper.invoice, paper.organization, locale=paper.locale, today=paper.today, slip=slip,
        reductions=paper.reductions,
    )  # fmt: skip
    return file_name_of(paper.invoice), pdf


def _slip_amount(invoice: Invoice, reductions: Sequence[ShownReduction]) -> Money | None:
    asked = asked_now(invoice, reductions)
    return asked if asked.minor_units > 0 else None


async def _not_asked_now(tx: ReadTx, invoice: Invoice) -> tuple[ShownReduction, ...]:
    """What the customer objects to, and what instalments do not demand yet: the total stays what it is."""
    if not invoice.is_payable:
        return ()
    shown = []
    if not invoice.in_dispute.is_zero:
        shown.append(ShownReduction(DISPUTED, invoice.in_dispute, is_owed=True))
    demand = (await demands_on(tx, invoice_ids=[invoice.invoice_id])).get(invoice.invoice_id)
    if demand is not None:
        later = invoice.due - invoice.in_dispute - demand.asked
        shown.append(ShownReduction(BY_PLAN, later, is_owed=True))
    return tuple(shown)


async def _reductions(tx: ReadTx, invoice: Invoice) -> tuple[ShownReduction, ...]:
    """Credit notes by number, and discounts for paying early in one sum. What else there is, the document sums up."""
    if invoice.credited.is_zero:
        return ()
    by_note: dict[str, Money] = defaultdict(lambda: Money.zero(invoice.currency))
    early = Money.zero(invoice.currency)
    for made in await adjustments_of(tx, invoice.invoice_id):
        one = made.adjustment
        if one.kind is AdjustmentKind.CREDIT_NOTE:
            by_note[one.source_id] += one.amount
        elif one.kind is AdjustmentKind.EARLY_DISCOUNT:
            early += one.amount
    numbers = await numbers_of(tx, list(by_note)) if by_note else {}
    shown = [
        ShownReduction("credit_note_numbered", amount, numbers[note])
        for note, amount in by_note.items()
        if note in numbers
    ]
    return (*shown, *([] if early.is_zero else [ShownReduction("early_discount", early)]))
