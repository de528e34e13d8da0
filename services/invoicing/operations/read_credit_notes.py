"""Get and list credit notes, what can still be credited, and all that reduced an invoice."""

from dataclasses import dataclass

from chassis.caller import current_call
from chassis.database import Database
from chassis.money import Money
from services.invoicing.domain.credit_note import CreditNote, creditable, lines_left
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.line_price import prices
from services.invoicing.operations.visibility import (
    DEFAULT_PAGE_SIZE,
    must_see_credit_note,
    must_see_family_invoice,
    own_customer_id,
)
from services.invoicing.store import credit_notes as store
from services.invoicing.store.adjustments import MadeAdjustment, adjustments_of
from services.invoicing.store.invoices import get_invoice


@dataclass(frozen=True, slots=True)
class Creditable:
    """What each line of an invoice came to and what of it is left, with tax; and what is left in all."""

    invoice: Invoice
    prices: list[Money]
    left: list[Money]
    all_left: Money


async def get_credit_note(db: Database, credit_note_id: str) -> CreditNote:
    """For staff, and for those who see its invoice. CREDIT_NOTE_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        note = await store.get_credit_note(tx, credit_note_id)
        await must_see_credit_note(tx, await get_invoice(tx, note.invoice_id))
        return note


async def list_credit_notes(
    db: Database, *, page_size: int, page_token: str, customer_id: str, invoice_id: str
) -> tuple[list[CreditNote], str]:
    """A page, the newest first, and the token of the next one; for customers their own."""
    async with db.read(current_call().organization_id) as tx:
        whose: str | None = own_customer_id() or customer_id
        if invoice_id:
            await must_see_family_invoice(tx, await get_invoice(tx, invoice_id))
            whose = customer_id
        return await store.list_credit_notes(
            tx, page_size=page_size or DEFAULT_PAGE_SIZE, page_token=page_token, customer_id=whose,
            invoice_id=invoice_id,
        )  # fmt: skip


async def list_creditable_lines(db: Database, invoice_id: str) -> Creditable:
    """INVOICE_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        invoice = await get_invoice(tx, invoice_id)
        before = await store.credited_lines(tx, invoice_id, invoice.currency)
    return Creditable(invoice, prices(invoice), lines_left(invoice, before), creditable(invoice))


async def list_invoice_adjustments(db: Database, invoice_id: str) -> list[MadeAdjustment]:
    """The oldest first; for those who see the invoice."""
    async with db.read(current_call().organization_id) as tx:
        await must_see_family_invoice(tx, await get_invoice(tx, invoice_id))
        return await adjustments_of(tx, invoice_id)
