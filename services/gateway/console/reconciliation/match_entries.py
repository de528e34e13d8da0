"""What a form says a bank line is for: how much of it goes to each open invoice."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.money import Money
from services.gateway.console.record_entries import Share, open_part, spread
from services.gateway.web.forms import Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.typed import amount_words, read_amount, to_message
from tallyport.invoicing.v1.customers_pb2 import Customer, GetCustomerRequest
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceFilter, ListInvoicesRequest
from tallyport.payments.v1.reconciliation_pb2 import BankLine, MatchPart

MOST_INVOICES = 100
_PART = "part_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A customer, and shares of the line's amount for their open invoices, the earliest due first."""

    customer: Customer
    amount: Money
    shares: Sequence[Share]

    @property
    def applied(self) -> Money:
        amounts = (share.amount for share in self.shares)
        return sum((amount for amount in amounts if amount is not None), Money.zero(self.amount.currency))

    @property
    def mistakes(self) -> dict[str, str]:
        """Field of the form to what is wrong with it."""
        wrong: dict[str, str] = {}
        for share in self.shares:
            if share.amount is None:
                wrong[share.field] = amount_words(share.entered, share.open.currency)
            elif share.amount > share.open:
                wrong[share.field] = _("This is more than what is open.")
        if not wrong and self.applied > self.amount:
            wrong["parts"] = _("The parts add up to more than was received.")
        return wrong


async def entries_of(page: Page, line: BankLine, customer_id: str) -> Entries:
    """The amount spread over what the customer owes in its currency; or as typed, when something was."""
    customer, answer = await asyncio.gather(
        page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id)),
        page.call(
            page.to.invoices.ListInvoices,
            ListInvoicesRequest(
                customer_id=customer_id,
                filter=InvoiceFilter.INVOICE_FILTER_PAYABLE,
                page_size=MOST_INVOICES,
            ),
        ),
    )
    amount = money_of(line.amount)
    invoices = _open_in(answer.invoices, amount.currency)
    typed = _typed(page.form)
    shares = (
        [Share(one, typed.get(one.invoice_id, "")) for one in invoices] if typed else spread(amount, invoices)
    )
    return Entries(customer=customer, amount=amount, shares=shares)


def _open_in(invoices: Sequence[Invoice], currency: str) -> list[Invoice]:
    found = [one for one in invoices if one.amount_due.currency == currency and not open_part(one).is_zero]
    return sorted(found, key=lambda one: one.due_date)


def _typed(form: Form) -> Mapping[str, str]:
    return {name.removeprefix(_PART): form.text(name) for name in form.values if name.startswith(_PART)}


def confirmed(form: Form, currency: str) -> list[MatchPart]:
    """The parts as they were sent, whatever is open now: a form that is sent twice must say the same twice."""
    amounts = {invoice_id: read_amount(text, currency) for invoice_id, text in _typed(form).items() if text}
    return [
        MatchPart(invoice_id=invoice_id, amount=to_message(amount))
        for invoice_id, amount in amounts.items()
        if amount is not None and not amount.is_zero
    ]


def unreadable(form: Form, currency: str) -> bool:
    """Whether something was typed that is no amount."""
    return any(text and read_amount(text, currency) is None for text in _typed(form).values())
