"""Instalment plans: reading them with what is due on their invoices now, locking, writing back."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, func, select, text, tuple_, update
from sqlalchemy.exc import IntegrityError

from chassis.database import ReadTx, WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError, not_found
from chassis.money import Money
from services.invoicing.domain.instalment_plan import (
    LIVE,
    Agreement,
    Choice,
    Instalment,
    InstalmentPlan,
    Interval,
    PlanInvoice,
    PlanState,
    Schedule,
)
from services.invoicing.domain.plan_policy import PlanRules
from services.invoicing.store.pages import decode_page_token, moment_of, page_of
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.customers import customers
from services.invoicing.tables.plans import instalment_plans, plan_invoices

_SCOPE = "instalment_plans"


async def insert_plan(tx: WriteTx, plan: InstalmentPlan, *, wake_at: datetime | None) -> None:
    """Add a plan with its invoices; PLAN_EXISTS when one of them is in a live plan."""
    await insert_rows(tx, instalment_plans, [_values(plan) | {"wake_at": wake_at}])
    try:
        await insert_rows(
            tx,
            plan_invoices,
            [
                {
                    "plan_id": plan.plan_id,
                    "invoice_id": one.invoice_id,
                    "live": plan.state in LIVE,
                    "start_minor_units": one.at_start.minor_units,
                    "discount_minor_units": one.discount.minor_units,
                }
                for one in plan.invoices
            ],
        )
    except IntegrityError as error:
        if violated_constraint(error) == "uq_plan_invoices_live":
            raise plan_exists() from error
        raise


def plan_exists() -> ServiceError:
    """PLAN_EXISTS."""
    return ServiceError(
        Kind.FAILED_PRECONDITION, "PLAN_EXISTS",
        "There is a plan or a request for one of these invoices already.",
    )  # fmt: skip


async def update_plan(tx: WriteTx, plan: InstalmentPlan, *, wake_at: datetime | None) -> None:
    """Write a plan that was locked, and when to look at it again."""
    await tx.execute(
        update(instalment_plans)
        .where(instalment_plans.c.organization_id == tx.organization_id)
        .where(instalment_plans.c.plan_id == plan.plan_id)
        .values(**_values(plan), wake_at=wake_at)
    )
    await tx.execute(
        _UPDATE_INVOICES,
        {
            "organization_id": tx.organization_id,
            "plan_id": plan.plan_id,
            "live": plan.state in LIVE,
            "invoice_ids": [one.invoice_id for one in plan.invoices],
            "starts": [one.at_start.minor_units for one in plan.invoices],
            "discounts": [one.discount.minor_units for one in plan.invoices],
        },
    )


async def get_plan(tx: ReadTx, plan_id: str) -> InstalmentPlan:
    """A plan; PLAN_NOT_FOUND."""
    return (await _loaded(tx, _plans(tx).where(instalment_plans.c.plan_id == plan_id), must=True))[0]


async def lock_plan(tx: WriteTx, plan_id: str, *, skip: bool = False) -> InstalmentPlan | None:
    """A plan that nobody else changes meanwhile. PLAN_NOT_FOUND; None when it is locked and to be skipped."""
    query = _plans(tx).where(instalment_plans.c.plan_id == plan_id)
    found = await _loaded(tx, query.with_for_update(skip_locked=skip), must=not skip)
    return found[0] if found else None


async def active_plans(
    tx: ReadTx, *, invoice_ids: Collection[str] = (), customer_ids: Collection[str] = ()
) -> list[InstalmentPlan]:
    """Agreed plans over any of these invoices, or of these customers."""
    query = _plans(tx).where(instalment_plans.c.state == PlanState.ACTIVE.value)
    if customer_ids:
        query = query.where(instalment_plans.c.customer_id == func.any(list(customer_ids)))
    else:
        query = query.where(instalment_plans.c.plan_id.in_(_plan_ids_over(tx, invoice_ids)))
    return await _loaded(tx, query)


async def all_active_plans(tx: ReadTx) -> list[InstalmentPlan]:
    """All agreed plans of the organization."""
    return await _loaded(tx, _plans(tx).where(instalment_plans.c.state == PlanState.ACTIVE.value))


async def live_plans_over(tx: ReadTx, invoice_ids: Collection[str]) -> list[InstalmentPlan]:
    """Plans that are asked for, offered or agreed over any of these invoices."""
    return await _loaded(
        tx, _plans(tx).where(instalment_plans.c.plan_id.in_(_plan_ids_over(tx, invoice_ids)))
    )


async def lock_completed_plans(tx: WriteTx, invoice_ids: Collection[str]) -> list[InstalmentPlan]:
    """Complete plans over any of these invoices, the newest first."""
    over = select(plan_invoices.c.plan_id).where(
        plan_invoices.c.organization_id == tx.organization_id,
        plan_invoices.c.invoice_id == func.any(list(invoice_ids)),
    )
    query = (
        _plans(tx)
        .where(instalment_plans.c.state == PlanState.COMPLETED.value, instalment_plans.c.plan_id.in_(over))
        .order_by(instalment_plans.c.created_at.desc(), instalment_plans.c.plan_id)
        .with_for_update()
    )
    return await _loaded(tx, query)


async def list_plans(
    tx: ReadTx,
    *,
    customer_id: str,
    state: PlanState | None,
    invoice_id: str,
    page_size: int,
    page_token: str,
) -> tuple[list[InstalmentPlan], str]:
    """A page, the newest first, and the token of the next one."""
    query = _plans(tx)
    if customer_id:
        query = query.where(instalment_plans.c.customer_id == customer_id)
    if state is not None:
        query = query.where(instalment_plans.c.state == state.value)
    if invoice_id:
        over = select(plan_invoices.c.plan_id).where(
            plan_invoices.c.organization_id == tx.organization_id, plan_invoices.c.invoice_id == invoice_id
        )
        query = query.where(instalment_plans.c.plan_id.in_(over))
    place = tuple_(instalment_plans.c.created_at, instalment_plans.c.plan_id)
    after = decode_page_token(page_token, _SCOPE)
    if after is not None:
        query = query.where(place < tuple_(moment_of(after[0]), after[1]))
    order = (instalment_plans.c.created_at.desc(), instalment_plans.c.plan_id.desc())
    found = await _loaded(tx, query.order_by(*order).limit(page_size + 1))
    found, token = page_of(found, page_size, _SCOPE, lambda last: (last.created_at.isoformat(), last.plan_id))
    return found, token


async def awake_plans(tx: ReadTx, *, limit: int) -> list[tuple[str, str]]:
    """Organization and id of plans that are to be looked at now, of all organizations in the sweep."""
    rows = await tx.execute(_AWAKE, {"now": tx.now(), "limit": limit})
    return [(row.organization_id, row.plan_id) for row in rows]


async def customer_names(tx: ReadTx, customer_ids: Collection[str]) -> Mapping[str, str]:
    """Names of customers."""
    query = select(customers.c.customer_id, customers.c.name).where(
        customers.c.organization_id == tx.organization_id,
        customers.c.customer_id == func.any(list(customer_ids)),
    )
    return {row.customer_id: row.name for row in await tx.execute(query)}


def _plans(tx: ReadTx) -> Select[Any]:
    return select(instalment_plans).where(instalment_plans.c.organization_id == tx.organization_id)


def _plan_ids_over(tx: ReadTx, invoice_ids: Collection[str]) -> Select[Any]:
    return select(plan_invoices.c.plan_id).where(
        plan_invoices.c.organization_id == tx.organization_id,
        plan_invoices.c.live,
        plan_invoices.c.invoice_id == func.any(list(invoice_ids)),
    )


async def _loaded(tx: ReadTx, query: Select[Any], *, must: bool = False) -> list[InstalmentPlan]:
    rows = (await tx.execute(query)).all()
    if not rows:
        if must:
            raise not_found("plan")
        return []
    parts: Mapping[str, list[Row[Any]]] = defaultdict(list)
    params = {"organization_id": tx.organization_id, "plan_ids": [row.plan_id for row in rows]}
    for part in await tx.execute(_INVOICES, params):
        parts[part.plan_id].append(part)
    return [_plan_of(row, parts[row.plan_id]) for row in rows]


def _plan_of(row: Row[Any], parts: Sequence[Row[Any]]) -> InstalmentPlan:
    currency: str = row.currency
    rules = PlanRules(**row.rules)
    agreed = row.agreement
    return InstalmentPlan(
        plan_id=row.plan_id,
        customer_id=row.customer_id,
        currency=currency,
        state=PlanState(row.state),
        choice=Choice(row.choice["instalments"], Interval(row.choice["interval"]), _day(row.choice)),
        rules=rules,
        invoices=tuple(_invoice_of(part, currency) for part in parts),
        schedule=Schedule(
            tuple(
                Instalment(at, date.fromisoformat(one["due_on"]), Money(one["minor_units"], currency))
                for at, one in enumerate(row.instalments, start=1)
            ),
            rules.grace_days,
            rules.missed_to_break,
        ),
        hardship=row.hardship,
        reasons=tuple(row.reasons),
        message=row.message,
        wished=None if row.wished_minor_units is None else Money(row.wished_minor_units, currency),
        discount=Money(row.discount_minor_units, currency),
        note=row.note,
        offered_until=row.offered_until,
        created_at=row.created_at,
        created_by=row.created_by,
        created_by_name=row.created_by_name,
        agreement=None
        if agreed is None
        else Agreement(**(agreed | {"accepted_at": datetime.fromisoformat(agreed["accepted_at"])})),
        decided_at=row.decided_at,
        decided_by_name=row.decided_by_name,
        ended_at=row.ended_at,
        announced=row.announced,
        checked_on=row.checked_on,
        version=row.version,
        event_version=row.event_version,
    )


def _day(choice: Mapping[str, Any]) -> date | None:
    return date.fromisoformat(choice["first_due_on"]) if choice["first_due_on"] else None


def _invoice_of(part: Row[Any], currency: str) -> PlanInvoice:
    return PlanInvoice(
        invoice_id=part.invoice_id,
        number=part.number or "",
        due_date=part.due_date,
        at_start=Money(part.start_minor_units, currency),
        due=Money(part.due, currency),
        reserved=Money(part.reserved_minor_units, currency),
        disputed=Money(part.disputed_minor_units, currency),
        discount=Money(part.discount_minor_units, currency),
    )


def _values(plan: InstalmentPlan) -> dict[str, Any]:
    agreed = plan.agreement
    return {
        "plan_id": plan.plan_id,
        "customer_id": plan.customer_id,
        "currency": plan.currency,
        "state": plan.state.value,
        "hardship": plan.hardship,
        "reasons": list(plan.reasons),
        "message": plan.message,
        "wished_minor_units": None if plan.wished is None else plan.wished.minor_units,
        "discount_minor_units": plan.discount.minor_units,
        "note": plan.note,
        "choice": {
            "instalments": plan.choice.instalments,
            "interval": plan.choice.interval.value,
            "first_due_on": plan.choice.first_due_on.isoformat() if plan.choice.first_due_on else "",
        },
        "rules": asdict(plan.rules),
        "instalments": [
            {"due_on": one.due_on.isoformat(), "minor_units": one.amount.minor_units}
            for one in plan.schedule.instalments
        ],
        "agreement": None
        if agreed is None
        else asdict(agreed) | {"accepted_at": agreed.accepted_at.isoformat()},
        "offered_until": plan.offered_until,
        "announced": plan.announced,
        "checked_on": plan.checked_on,
        "created_at": plan.created_at,
        "created_by": plan.created_by,
        "created_by_name": plan.created_by_name,
        "decided_at": plan.decided_at,
        "decided_by_name": plan.decided_by_name,
        "ended_at": plan.ended_at,
        "version": plan.version,
        "event_version": plan.event_version,
    }


_INVOICES = text("""
    SELECT part.plan_id, part.invoice_id, part.start_minor_units, part.discount_minor_units, invoice.number,
        invoice.due_date, invoice.reserved_minor_units, invoice.disputed_minor_units,
        CASE WHEN invoice.status IN ('open', 'partly_paid')
            THEN invoice.total_minor_units - invoice.paid_minor_units - invoice.credited_minor_units
            ELSE 0 END AS due
    FROM plan_invoices part JOIN invoices invoice
        ON invoice.organization_id = part.organization_id AND invoice.invoice_id = part.invoice_id
    WHERE part.organization_id = :organization_id AND part.plan_id = ANY(:plan_ids)
    ORDER BY invoice.due_date, part.invoice_id
""")
_UPDATE_INVOICES = text("""
    UPDATE plan_invoices part
    SET live = :live, start_minor_units = given.start_units, discount_minor_units = given.discount_units
    FROM unnest(CAST(:invoice_ids AS text[]), CAST(:starts AS bigint[]), CAST(:discounts AS bigint[]))
        AS given (invoice_id, start_units, discount_units)
    WHERE part.organization_id = :organization_id AND part.plan_id = :plan_id
      AND part.invoice_id = given.invoice_id
""")
_AWAKE = text("""
    SELECT organization_id, plan_id FROM instalment_plans
    WHERE wake_at IS NOT NULL AND wake_at <= :now
    ORDER BY wake_at, plan_id LIMIT :limit
""")
