"""Work out what a policy allows for what a customer owes. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.caller import current_call
from chassis.database import Database, ReadTx
from chassis.errors import invalid, not_found
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.instalment_plan import Choice, PlanInvoice
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.payment_preview import in_order
from services.invoicing.domain.plan_proposal import Proposal, propose
from services.invoicing.operations.visibility import must_see_customer
from services.invoicing.store.customers import get_customer
from services.invoicing.store.instalment_plans import live_plans_over, plan_exists
from services.invoicing.store.invoices import find_invoices
from services.invoicing.store.open_items import open_invoices
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.plan_policies import rules_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which invoices (all that are open in the customer's currency when empty), how, and less which discount."""

    customer_id: str
    invoice_ids: Sequence[str]
    choice: Choice
    discount: Money | None = None


async def propose_instalments(db: Database, wanted: Wanted) -> Proposal:
    """The proposal. CUSTOMER_NOT_FOUND, INVOICE_NOT_FOUND, PLAN_EXISTS, VALIDATION_FAILED."""
    async with db.read(current_call().organization_id) as tx:
        today = (await get_organization(tx)).date_of(tx.now())
        return (await proposed(tx, wanted, today))[0]


async def proposed(tx: ReadTx, wanted: Wanted, today: date) -> tuple[Proposal, Customer]:
    """The same in a transaction, with the customer."""
    await must_see_customer(tx, wanted.customer_id)
    customer = await get_customer(tx, wanted.customer_id)
    invoices = await _invoices(tx, wanted, customer)
    currency = invoices[0].currency if invoices else customer.currency
    rules = await rules_for(tx, customer.segments, currency)
    if wanted.discount is not None and wanted.discount.currency != currency:
        raise invalid("hardship_discount", "currency", f"This debt is in {currency}.")
    parts = [_part(one) for one in in_order(invoices)]
    proposal = propose(
        customer.customer_id, parts, rules, wanted.choice, today=today, discount=wanted.discount
    )
    return proposal, customer


async def _invoices(tx: ReadTx, wanted: Wanted, customer: Customer) -> list[Invoice]:
    if not wanted.invoice_ids:
        found = [
            one
            for one in await open_invoices(tx, [customer.customer_id])
            if one.currency == customer.currency and one.due.minor_units > 0
        ]
        taken = await _taken(tx, found)
        if found and len(taken) == len(found):
            raise plan_exists()
        return [one for one in found if one.invoice_id not in taken]
    found = await find_invoices(tx, wanted.invoice_ids)
    if len(found) < len(wanted.invoice_ids) or any(one.customer_id != customer.customer_id for one in found):
        raise not_found("invoice")
    if any(not one.is_payable or one.due.minor_units <= 0 for one in found):
        raise invalid("invoice_ids", "payable", "Only open invoices can be paid in instalments.")
    if len({one.currency for one in found}) > 1:
        raise invalid("invoice_ids", "currency", "All invoices of a plan are in one currency.")
    if await _taken(tx, found):
        raise plan_exists()
    return found


async def _taken(tx: ReadTx, found: Sequence[Invoice]) -> set[str]:
    """Those that are in a live plan."""
    plans = await live_plans_over(tx, [one.invoice_id for one in found]) if found else []
    return {part.invoice_id for plan in plans for part in plan.invoices}


def _part(one: Invoice) -> PlanInvoice:
    return PlanInvoice(
        invoice_id=one.invoice_id, number=one.number or "", due_date=one.due_date, at_start=one.due,
        due=one.due, reserved=one.reserved, disputed=one.disputed, discount=Money.zero(one.currency),
    )  # fmt: skip
