"""Work out what a payment would pay. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.database import Database, ReadTx
from chassis.errors import invalid, not_found
from chassis.money import Money
from services.invoicing.domain.credit import free_credit, sum_of
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.payment_preview import Plan, in_order, plan
from services.invoicing.domain.reservation import ReservationState
from services.invoicing.operations.early_offers import early_offers
from services.invoicing.store import lots as credit_lots
from services.invoicing.store.customer_tree import ancestors_of
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import find_invoices
from services.invoicing.store.open_items import open_invoices
from services.invoicing.store.plans import demands_on
from services.invoicing.store.reservations import reservations_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuery:
    """Which invoices (all that are open when empty) and how much of them (all that is due when None)."""

    customer_id: str
    invoice_ids: Sequence[str] = ()
    amount: Money | None = None
    keep_credit: bool = False
    currency: str = ""
    payment_ids: Sequence[str] = ()
    """Payments whose own reservations do not stand in the way."""
    whole_debt: bool = False
    """Ask for all of what is under instalment plans, not only for what they demand by now."""


async def plan_payment(db: Database, organization_id: str, query: PlanQuery) -> Plan:
    """The plan. CUSTOMER_NOT_FOUND; INVOICE_NOT_FOUND also for invoices of others than the customer and those below."""
    if query.amount is not None and query.amount.is_negative:
        raise invalid("amount", "positive", "The amount must not be negative.")
    async with db.read(organization_id) as tx:
        customer = await get_customer(tx, query.customer_id)
        invoices = await _invoices(tx, query)
        currency = _currency(query, invoices, customer.currency)
        credit = free_credit(await credit_lots.lots_of(tx, [query.customer_id]), currency)
        own: dict[str, Money] = {}
        for payment_id in query.payment_ids:
            held = (await credit_lots.holds_of(tx, [payment_id])).get(payment_id, [])
            credit += sum_of([part for part in held if part.amount.currency == currency], currency)
            for one in await reservations_of(tx, payment_id):
                if one.state is ReservationState.HELD:
                    before = own.get(one.invoice_id)
                    own[one.invoice_id] = one.held if before is None else before + one.held
        offers = await early_offers(tx, invoices)
        ids = [one.invoice_id for one in invoices if one.is_payable]
        asked = await demands_on(tx, invoice_ids=ids, own=own) if ids and not query.whole_debt else {}
    return plan(
        invoices, credit=credit, amount=query.amount, own=own, keep_credit=query.keep_credit, offers=offers,
        demands=asked,
    )  # fmt: skip


async def _invoices(tx: ReadTx, query: PlanQuery) -> Sequence[Invoice]:
    if not query.invoice_ids:
        return await open_invoices(tx, [query.customer_id])
    found = await find_invoices(tx, query.invoice_ids)
    if len(found) < len(query.invoice_ids):
        raise not_found("invoice")
    others = {one.customer_id for one in found} - {query.customer_id}
    above = await ancestors_of(tx, others) if others else {}
    if any(query.customer_id not in above.get(one, ()) for one in others):
        raise not_found("invoice")
    return found


def _currency(query: PlanQuery, invoices: Sequence[Invoice], default: str) -> str:
    """The amount's, or the named invoices', or the one asked for, or the customer's."""
    if query.amount is not None:
        return query.amount.currency
    if query.invoice_ids:
        payable = [one for one in in_order(invoices) if one.is_payable] or in_order(invoices)
        return payable[0].currency
    return query.currency or default
