"""Who sees which invoice: customers their own finalized ones and those of customers below them, a pay link just one,
staff all. Nobody sees a parent or a sibling.
"""

from chassis.caller import Audience, current_call
from chassis.database import ReadTx
from chassis.errors import ServiceError, not_found
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.store.customer_tree import is_above

DEFAULT_PAGE_SIZE = 25


def must_see_invoice(invoice: Invoice) -> None:
    """INVOICE_NOT_FOUND for an invoice that is not the caller's own, as if it did not exist."""
    caller = current_call().caller
    if caller.audience in (Audience.STAFF, Audience.SERVICE):
        return
    if caller.audience is Audience.CUSTOMER:
        is_seen = caller.customer_id == invoice.customer_id
    else:
        is_seen = caller.audience is Audience.PAY_LINK and caller.invoice_id == invoice.invoice_id
    if not is_seen or invoice.status is Status.DRAFT:
        raise not_found("invoice")


async def must_see_family_invoice(tx: ReadTx, invoice: Invoice) -> None:
    """The same, but people of a customer also see what customers below theirs owe."""
    try:
        must_see_invoice(invoice)
    except ServiceError:
        if invoice.status is Status.DRAFT or not await _is_above(tx, invoice.customer_id):
            raise


async def must_see_credit_note(tx: ReadTx, invoice: Invoice) -> None:
    """CREDIT_NOTE_NOT_FOUND for a credit note on an invoice that the caller may not see."""
    try:
        await must_see_family_invoice(tx, invoice)
    except ServiceError:
        raise not_found("credit note") from None


async def must_see_customer(tx: ReadTx, customer_id: str) -> None:
    """CUSTOMER_NOT_FOUND for people of a customer unless it is theirs or below theirs."""
    try:
        current_call().may_see_customer(customer_id)
    except ServiceError:
        if not await _is_above(tx, customer_id):
            raise


async def listed_customer_id(tx: ReadTx, customer_id: str) -> str:
    """Whose list somebody gets who asks for this customer's, or for nobody's: people of a customer their own.

    CUSTOMER_NOT_FOUND for a customer that they may not see. Empty is everybody's.
    """
    if customer_id:
        await must_see_customer(tx, customer_id)
        return customer_id
    return own_customer_id() or ""


def own_customer_id() -> str | None:
    """The customer that a customer's person belongs to; None for staff."""
    caller = current_call().caller
    return caller.customer_id if caller.audience is Audience.CUSTOMER else None


async def _is_above(tx: ReadTx, customer_id: str) -> bool:
    own = own_customer_id()
    return own is not None and await is_above(tx, own, customer_id)
