"""What can be paid of an invoice, what is asked for of it, and which invoices are due.

Of invoices under an agreed instalment plan that is what the plan asks for, of others all that can be paid.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chassis.money import Money
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import money_text
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.session import Area
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceFilter, InvoiceStatus, ListInvoicesRequest
from tallyport.payments.v1.payments_pb2 import ListPaymentsRequest, Payment, PaymentStatus

DUE_SOON_DAYS = 7
MOST_AT_ONCE = 100
"""Invoices that one payment started from a list may hold."""
_PAYABLE = (InvoiceStatus.INVOICE_STATUS_OPEN, InvoiceStatus.INVOICE_STATUS_PARTLY_PAID)


Payable = Callable[[Invoice], Money]
"""Tells what can be paid of an invoice now."""


def whole_due(invoice: Invoice) -> Money:
    """All that is due, also where a payment has begun: whether that one can be replaced is for payments to say."""
    due = money_of(invoice.amount_due)
    return due if invoice.status in _PAYABLE else Money.zero(due.currency)


def left(invoice: Invoice) -> Money:
    """What is due less what is on its way."""
    return _less(whole_due(invoice), invoice.amount_processing.minor_units)


@dataclass(frozen=True, slots=True)
class Begun:
    """Payments that only wait for the payer: nothing was paid, nothing is on its way, and a new one replaces them."""

    payments: Sequence[Payment] = ()

    def held(self, invoice_id: str) -> int:
        """What they hold of an invoice, in minor units."""
        parts = (part for payment in self.payments for part in payment.parts)
        return sum(part.amount.minor_units for part in parts if part.invoice_id == invoice_id)

    def for_invoice(self, invoice_id: str) -> list[Payment]:
        """Those that were begun for an invoice."""
        return [one for one in self.payments if any(part.invoice_id == invoice_id for part in one.parts)]

    def set_aside(self, invoice: Invoice) -> Invoice:
        """The invoice with only that on its way which really is."""
        seen = Invoice()
        seen.CopyFrom(invoice)
        settling = invoice.amount_processing.minor_units - self.held(invoice.invoice_id)
        seen.amount_processing.minor_units = max(0, settling)
        return seen


async def begun(page: Page) -> Begun:
    """What the visitor began to pay and did not finish; nothing for the holder of a pay link, who sees no payments."""
    if page.area is not Area.CUSTOMER:
        return Begun()
    request = ListPaymentsRequest(status=PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION, page_size=MOST_AT_ONCE)
    return Begun((await page.call(page.to.payments.ListPayments, request)).payments)


def payable(invoice: Invoice) -> Money:
    """What can be paid now: what is due less what is on its way. What was only begun is `set_aside` before."""
    if invoice.disputed:  # a payment leaves that part out until it is settled
        held = invoice.amount_processing.minor_units + invoice.amount_disputed.minor_units
        return _less(whole_due(invoice), held)
    if invoice.HasField("early_payment"):  # nothing is on its way then
        return money_of(invoice.early_payment)
    return left(invoice)


def asked(invoice: Invoice) -> Money:
    """What is asked for now of all that can be paid."""
    room = payable(invoice)
    return min(room, money_of(invoice.instalment.asked_now)) if invoice.HasField("instalment") else room


def is_due(invoice: Invoice, last_day: str) -> bool:
    """Due by a day; of invoices under a plan, whether the plan asks for something now."""
    if invoice.HasField("instalment"):
        return invoice.instalment.asked_now.minor_units > 0
    return invoice.due_date <= last_day


def next_due(invoices: Iterable[Invoice], today: str) -> str:
    """The next day on which something falls due: an invoice or an instalment; empty for none."""
    days = (one.instalment.due_on if one.HasField("instalment") else one.due_date for one in invoices)
    return min((day for day in days if day >= today), default="")


def _less(due: Money, units: int) -> Money:
    return Money(max(0, due.minor_units - units), due.currency)


def total(invoices: Iterable[Invoice], currency: str, payable: Payable) -> Money:
    """Sum of what can be paid."""
    return sum((payable(invoice) for invoice in invoices), Money.zero(currency))


def due_by(today: str) -> str:
    """The last day that counts as due now, ISO 8601."""
    return (date.fromisoformat(today) + timedelta(days=DUE_SOON_DAYS)).isoformat()


async def open_invoices(page: Page, customer_id: str = "") -> list[Invoice]:
    """The visitor's open invoices, or those of a company below, earliest due date first, at most a hundred."""
    request = ListInvoicesRequest(
        filter=InvoiceFilter.INVOICE_FILTER_PAYABLE, page_size=MOST_AT_ONCE, customer_id=customer_id
    )
    return list((await page.call(page.to.invoices.ListInvoices, request)).invoices)


def of_one_currency(invoices: Iterable[Invoice]) -> list[Invoice]:
    """Those in the currency of the first: one payment has one currency."""
    found = list(invoices)
    return [one for one in found if one.total.currency == found[0].total.currency]


def besides(invoices: Sequence[Invoice], gap: Money, *, later: bool) -> list[str]:
    """Why what is owed is more than what the page asks for, part by part; `later`: only what is due is asked for.

    Empty where the invoices at hand do not explain all of it.
    """
    nothing = Money.zero(gap.currency)
    on_its_way = Money(sum(one.amount_processing.minor_units for one in invoices), gap.currency)
    disputed = Money(sum(one.amount_disputed.minor_units for one in invoices if one.disputed), gap.currency)
    early = sum(
        (
            whole_due(one) - payable(one)
            for one in invoices
            if one.HasField("early_payment") and not one.disputed
        ),
        nothing,
    )
    planned = sum((payable(one) - asked(one) for one in invoices if later), nothing)
    rest = gap - on_its_way - disputed - early - planned
    if rest.is_negative or not (later or rest.is_zero):
        return []
    parts = [
        (_("%(amount)s is not due yet"), rest),
        (_("%(amount)s comes later by your plan"), planned),
        (_("%(amount)s is on its way"), on_its_way),
        (_("%(amount)s is in dispute"), disputed),
        (_("%(amount)s is taken off for paying early"), early),
    ]
    return [words % {"amount": money_text(amount)} for words, amount in parts if not amount.is_zero]
