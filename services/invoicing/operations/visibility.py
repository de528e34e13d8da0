"""Who sees which invoice: customers their own finalized ones, a pay link just one, staff all."""

from chassis.caller import Audience, current_call
from chassis.errors import not_found
from services.invoicing.domain.invoice import Invoice, Status

DEFAULT_PAGE_SIZE = 25


def must_see_invoice(invoice: Invoice) -> None:
    """INVOICE_NOT_FOUND for an invoice that the caller may not see, as if it did not exist."""
    caller = current_call().caller
    if caller.audience in (Audience.STAFF, Audience.SERVICE):
        return
    if caller.audience is Audience.CUSTOMER:
        is_seen = caller.customer_id == invoice.customer_id
    else:
        is_seen = caller.audience is Audience.PAY_LINK and caller.invoice_id == invoice.invoice_id
    if not is_seen or invoice.status is Status.DRAFT:
        raise not_found("invoice")


def own_customer_id() -> str | None:
    """The customer that a customer's person belongs to; None for staff."""
    caller = current_call().caller
    return caller.customer_id if caller.audience is Audience.CUSTOMER else None
