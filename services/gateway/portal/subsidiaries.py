"""The companies below the visitor's: what each owes, and whose invoices are looked at or paid."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chassis.money import Money
from services.gateway.portal import owing
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from tallyport.invoicing.v1.customers_pb2 import (
    AccountBalance,
    Customer,
    GetCustomerRequest,
    ListSubsidiariesRequest,
    Subsidiary,
)
from tallyport.invoicing.v1.invoices_pb2 import Invoice

MOST_COMPANIES = 20
"""Companies that one payment is started for."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What is open, on how many invoices."""

    amount: Money
    invoices: int


async def below(page: Page) -> list[Subsidiary]:
    """All of them, children before grandchildren; none for most visitors."""
    if not page.may("customers.read"):
        return []
    request = ListSubsidiariesRequest(customer_id=page.session.customer_id)
    return list((await page.call(page.to.customers.ListSubsidiaries, request)).subsidiaries)


def total_open(companies: Sequence[Subsidiary], currency: str) -> Money:
    """What they owe in a currency."""
    return open_sums((), companies).get(currency, Owed(Money.zero(currency), 0)).amount


def open_sums(own: Iterable[AccountBalance], companies: Iterable[Subsidiary]) -> dict[str, Owed]:
    """What is open of them and of the visitor's own, by currency; currencies without anything are left out."""
    sums = [(money_of(one.open), one.open_invoices) for one in own]
    sums += [(money_of(one.balance.open), one.balance.open_invoices) for one in companies]
    found: dict[str, Owed] = {}
    for amount, count in sums:
        if not amount.is_zero:
            before = found.get(amount.currency, Owed(Money.zero(amount.currency), 0))
            found[amount.currency] = Owed(before.amount + amount, before.invoices + count)
    return found


async def asked_for(page: Page) -> Customer | None:
    """The company of `?customer=`; None for the visitor's own."""
    customer_id = page.query("customer")[:60]
    if not customer_id or customer_id == page.session.customer_id:
        return None
    return await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))


async def open_invoices_of(page: Page, customer_ids: Sequence[str]) -> list[Invoice]:
    """Open invoices of several companies in one currency, earliest due date first, as many as one payment holds."""
    wanted = list(dict.fromkeys(customer_ids))[:MOST_COMPANIES]
    found = await asyncio.gather(*(owing.open_invoices(page, one) for one in wanted))
    return owing.of_one_currency(_in_order(one for listed in found for one in listed))[: owing.MOST_AT_ONCE]


async def family(page: Page) -> tuple[list[Subsidiary], list[Invoice]]:
    """The companies below, and what is open of them and of the visitor's own, as many as one payment holds."""
    own, companies = await asyncio.gather(owing.open_invoices(page), below(page))
    in_debt = [one.balance.customer.customer_id for one in companies if one.balance.open_invoices]
    theirs = await asyncio.gather(*(owing.open_invoices(page, one) for one in in_debt[:MOST_COMPANIES]))
    return companies, _in_order(one for listed in (own, *theirs) for one in listed)[: owing.MOST_AT_ONCE]


def _in_order(invoices: Iterable[Invoice]) -> list[Invoice]:
    return sorted(invoices, key=lambda invoice: (invoice.due_date, invoice.invoice_id))
