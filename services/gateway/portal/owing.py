"""What can be paid of an invoice, and which invoices are due."""

from collections.abc import Iterable
from datetime import date, timedelta

from chassis.money import Money
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceFilter, InvoiceStatus, ListInvoicesRequest

DUE_SOON_DAYS = 7
MOST_AT_ONCE = 100
"""Invoices that one payment started from a list may hold."""
_PAYABLE = (InvoiceStatus.INVOICE_STATUS_OPEN, InvoiceStatus.INVOICE_STATUS_PARTLY_PAID)


def payable(invoice: Invoice) -> Money:
    """What can be paid now: what is due less what is on its way."""
    due = money_of(invoice.amount_due)
    if invoice.status not in _PAYABLE:
        return Money.zero(due.currency)
    left = due - money_of(invoice.amount_processing) if invoice.amount_processing.currency else due
    return left if not left.is_negative else Money.zero(due.currency)


def can_be_paid(invoice: Invoice) -> bool:
    return not payable(invoice).is_zero


def total(invoices: Iterable[Invoice], currency: str) -> Money:
    """Sum of what can be paid."""
    return sum((payable(invoice) for invoice in invoices), Money.zero(currency))


def due_by(today: str) -> str:
    """The last day that counts as due now, ISO 8601."""
    return (date.fromisoformat(today) + timedelta(days=DUE_SOON_DAYS)).isoformat()


async def open_invoices(page: Page) -> list[Invoice]:
    """The visitor's invoices that can be paid, earliest due date first, at most a hundred."""
    request = ListInvoicesRequest(filter=InvoiceFilter.INVOICE_FILTER_PAYABLE, page_size=MOST_AT_ONCE)
    answer = await page.call(page.to.invoices.ListInvoices, request)
    return [invoice for invoice in answer.invoices if can_be_paid(invoice)]


def of_one_currency(invoices: Iterable[Invoice]) -> list[Invoice]:
    """Those in the currency of the first: one payment has one currency."""
    found = list(invoices)
    return [one for one in found if one.total.currency == found[0].total.currency]
