"""What the rest of invoicing asks of plans and promises."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from enum import Enum

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.invoicing.domain.ageing import planned_difference
from services.invoicing.domain.customer import CustomerBalance
from services.invoicing.domain.instalment_plan import Demand, InstalmentPlan, demands
from services.invoicing.domain.payment_promise import PromiseState
from services.invoicing.store.instalment_plans import active_plans
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.payment_promises import open_promises


class Stopped(Enum):
    """What a plan may stop while it is kept."""

    DUNNING = "stops_dunning"
    LATE_FEES = "stops_late_fees"
    AUTOPAY = "stops_autopay"


async def invoices_on_track(
    tx: ReadTx, invoice_ids: Collection[str], today: date, *, stopped: Stopped | None = None
) -> frozenset[str]:
    """Those of the invoices that are under an agreed plan which is kept on this day of the organization's zone.

    With `stopped` only those whose plan stops just that. A plan that its rule breaks today is kept no more, also before
    the job has looked at it.
    """
    if not invoice_ids:
        return frozenset()
    wanted = set(invoice_ids)
    return frozenset(
        one.invoice_id
        for plan in await active_plans(tx, invoice_ids=invoice_ids)
        if plan.is_on_track(today) and (stopped is None or getattr(plan.rules, stopped.value))
        for one in plan.invoices
        if one.invoice_id in wanted
    )


async def demands_on(
    tx: ReadTx,
    *,
    on_day: date | None = None,
    ahead: bool = False,
    invoice_ids: Collection[str] = (),
    customer_ids: Collection[str] = (),
    own: Mapping[str, Money] | None = None,
) -> dict[str, Demand]:
    """What plans ask for on a day (today when None), by invoice; invoices under no kept plan are not there.

    `own` is what the asking payment holds itself, by invoice. `ahead` asks for the next instalment also before its day.
    """
    if not invoice_ids and not customer_ids:
        return {}
    plans = await active_plans(tx, invoice_ids=invoice_ids, customer_ids=customer_ids)
    if not plans:
        return {}
    today = (await get_organization(tx)).date_of(tx.now())
    found: dict[str, Demand] = {}
    for plan in plans:
        if plan.is_on_track(today):
            coming = plan.schedule.next_due(plan.paid + plan.processing) if ahead else None
            day = max(today, on_day or today, coming.due_on if coming else today)
            found |= demands(plan, day, own=_own_of(plan, own or {}))
    return found


def _own_of(plan: InstalmentPlan, own: Mapping[str, Money]) -> list[tuple[str, Money]]:
    return [(one.invoice_id, own[one.invoice_id]) for one in plan.invoices if one.invoice_id in own]


async def overdue_by_plans(
    tx: ReadTx, balances: Sequence[CustomerBalance], today: date
) -> list[CustomerBalance]:
    """The same with what is overdue by the instalments of kept plans, not by the due dates of their invoices."""
    late = [one.customer.customer_id for one in balances if not one.open.is_zero]
    plans = await active_plans(tx, customer_ids=late) if late else []
    kept = [one for one in plans if one.is_on_track(today)]
    return [
        replace(one, overdue=one.overdue + planned_difference(own, today, one.open.currency))
        for one in balances
        for own in [[plan for plan in kept if plan.customer_id == one.customer.customer_id]]
    ]


async def customers_with_promise(
    tx: ReadTx, customer_ids: Collection[str], today: date
) -> Mapping[str, date]:
    """Customers with an open promise, and the last day on which it can still be kept."""
    found: dict[str, date] = {}
    for one in await open_promises(tx, customer_ids):
        if one.outcome(today) is PromiseState.OPEN:
            found[one.customer_id] = max(one.breaks_on, found.get(one.customer_id, one.breaks_on))
    return found


async def payers_of_instalments(tx: ReadTx, amounts: Collection[Money]) -> frozenset[str]:
    """Customers with an agreed plan that has an instalment of just one of these amounts."""
    params = {
        "organization_id": tx.organization_id,
        "currencies": [one.currency for one in amounts],
        "units": [one.minor_units for one in amounts],
    }
    return frozenset((await tx.execute(_PAYERS, params)).scalars())


def wake(tx: WriteTx, customer_ids: Collection[str]) -> None:
    """Have plans and promises of customers looked at soon, since money came. Costs no round trip."""
    params = {
        "organization_id": tx.organization_id, "customer_ids": sorted(customer_ids), "now": tx.now(),
    }  # fmt: skip
    tx.enqueue(_WAKE_PLANS, params)
    tx.enqueue(_WAKE_PROMISES, params)


_WAKE_PLANS = text("""
    UPDATE instalment_plans SET wake_at = :now
    WHERE organization_id = :organization_id AND customer_id = ANY(:customer_ids) AND state = 'active'
""")
_WAKE_PROMISES = text("""
    UPDATE payment_promises SET wake_at = :now
    WHERE organization_id = :organization_id AND customer_id = ANY(:customer_ids) AND state = 'open'
""")
_PAYERS = text("""
    SELECT DISTINCT plan.customer_id
    FROM instalment_plans plan
    CROSS JOIN jsonb_array_elements(plan.instalments) AS part
    JOIN unnest(CAST(:currencies AS text[]), CAST(:units AS bigint[])) AS clue (currency, units)
        ON clue.currency = plan.currency AND clue.units = CAST(part ->> 'minor_units' AS bigint)
    WHERE plan.organization_id = :organization_id AND plan.state = 'active'
""")
