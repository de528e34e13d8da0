"""The companies below the visitor's: what each owes, and whose invoices are looked at or paid."""

from collections.abc import Sequence

from chassis.money import Money
from services.gateway.portal import owing
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from tallyport.invoicing.v1.customers_pb2 import (
    Customer,
    GetCustomerRequest,
    ListSubsidiariesRequest,
    Subsidiary,
)
from tallyport.invoicing.v1.invoices_pb2 import Invoice

MOST_COMPANIES = 20
"""Companies that one payment is started for."""


async def below(page: Page) -> list[Subsidiary]:
    """All of them, children before grandchildren; none for most visitors."""
    if not page.may("customers.read"):
        return []
    request = ListSubsidiariesRequest(customer_id=page.session.customer_id)
    return list((await page.call(page.to.customers.ListSubsidiaries, request)).subsidiaries)


def total_open(companies: Sequence[Subsidiary], currency: str) -> Money:
    """What they owe in a currency."""
    owed = (money_of(one.balance.open) for one in companies if one.balance.open.currency == currency)
    return sum(owed, Money.zero(currency))


async def asked_for(page: Page) -> Customer | None:
    """The company of `?customer=`; None for the visitor's own."""
    customer_id = page.query("customer")[:60]
    if not customer_id or customer_id == page.session.customer_id:
        return None
    return await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))


async def open_invoices_of(page: Page, customer_ids: Sequence[str]) -> list[Invoice]:
    """Open invoices of several companies in one currency, earliest due date first, as many as one payment holds."""
    found: list[Invoice] = []
    for customer_id in list(dict.fromkeys(customer_ids))[:MOST_COMPANIES]:
        found += await owing.open_invoices(page, customer_id)
    in_order = sorted(found, key=lambda invoice: (invoice.due_date, invoice.invoice_id))
    return owing.of_one_currency(in_order)[: owing.MOST_AT_ONCE]
