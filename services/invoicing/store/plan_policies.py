"""Policies of plans, signs of hardship, and what became of suggestions."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import ReadTx, WriteTx
from services.invoicing.domain.plan_policy import PlanRules, Signs, chosen_segment, default_rules
from services.invoicing.tables.plans import failed_payments, plan_policies, plan_suggestions

SIGNS_COUNT_DAYS = 180
"""What lies longer back is no sign any more."""
_KEY = ["organization_id", "segment", "currency"]


async def rules_for(tx: ReadTx, segments: Collection[str], currency: str) -> PlanRules:
    """The policy for a customer of these segments who owes in a currency."""
    query = select(plan_policies.c.segment, plan_policies.c.rules).where(
        plan_policies.c.organization_id == tx.organization_id, plan_policies.c.currency == currency
    )
    written = {row.segment: row.rules for row in await tx.execute(query)}
    found = written.get(chosen_segment(segments, written))
    return default_rules(currency) if found is None else PlanRules(**found)


async def written_policies(tx: ReadTx) -> list[tuple[str, PlanRules]]:
    """All that were written, by segment and currency."""
    query = (
        select(plan_policies)
        .where(plan_policies.c.organization_id == tx.organization_id)
        .order_by(plan_policies.c.segment, plan_policies.c.currency)
    )
    return [(row.segment, PlanRules(**row.rules)) for row in await tx.execute(query)]


async def put_policy(tx: WriteTx, segment: str, rules: PlanRules) -> None:
    """Write a policy."""
    values: dict[str, Any] = {"rules": asdict(rules), "changed_at": tx.now()}
    await tx.execute(
        upsert(plan_policies)
        .values(organization_id=tx.organization_id, segment=segment, currency=rules.currency, **values)
        .on_conflict_do_update(index_elements=_KEY, set_=values)
    )


async def delete_policy(tx: WriteTx, segment: str, currency: str) -> None:
    """Take a policy away."""
    await tx.execute(
        delete(plan_policies)
        .where(plan_policies.c.organization_id == tx.organization_id)
        .where(plan_policies.c.segment == segment, plan_policies.c.currency == currency)
    )


async def note_failed_payment(tx: WriteTx, payment_id: str, customer_id: str, at: datetime) -> None:
    """Keep a sign of hardship; those that do not count any more go."""
    values = {"payment_id": payment_id, "customer_id": customer_id, "failed_at": at}
    await tx.execute(
        upsert(failed_payments).values(organization_id=tx.organization_id, **values).on_conflict_do_nothing()
    )
    await tx.execute(
        delete(failed_payments)
        .where(failed_payments.c.organization_id == tx.organization_id)
        .where(failed_payments.c.customer_id == customer_id)
        .where(failed_payments.c.failed_at < at - timedelta(days=SIGNS_COUNT_DAYS))
    )


async def signs_of(tx: ReadTx, customer_id: str, *, today: date, since: datetime) -> Signs:
    """What was seen of a customer since a moment; late is what is unpaid a week after its day."""
    params = {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "late_before": today - timedelta(days=7),
        "since": since,
    }
    row = (await tx.execute(_SIGNS, params)).one()
    return Signs(row.failed, row.late, row.partly, row.broken)


@dataclass(frozen=True, slots=True)
class Suggested:
    """When a suggestion was first shown, and whether the customer did not want it."""

    first_shown_on: date
    declined: bool


async def suggested(tx: ReadTx, customer_id: str) -> Suggested | None:
    """What became of the last suggestion; None when there was none."""
    query = select(plan_suggestions).where(
        plan_suggestions.c.organization_id == tx.organization_id,
        plan_suggestions.c.customer_id == customer_id,
    )
    row = (await tx.execute(query)).first()
    return None if row is None else Suggested(row.first_shown_on, row.declined)


async def put_suggested(tx: WriteTx, customer_id: str, one: Suggested) -> None:
    """Keep it."""
    values = {"first_shown_on": one.first_shown_on, "declined": one.declined}
    await tx.execute(
        upsert(plan_suggestions)
        .values(organization_id=tx.organization_id, customer_id=customer_id, **values)
        .on_conflict_do_update(index_elements=["organization_id", "customer_id"], set_=values)
    )


_SIGNS = text("""
    SELECT
        (SELECT count(*) FROM failed_payments
         WHERE organization_id = :organization_id AND customer_id = :customer_id AND failed_at >= :since) AS failed,
        (SELECT count(*) FROM invoices
         WHERE organization_id = :organization_id AND customer_id = :customer_id
           AND status IN ('open', 'partly_paid') AND due_date < :late_before
           AND disputed_minor_units = 0) AS late,
        (SELECT count(*) FROM invoices
         WHERE organization_id = :organization_id AND customer_id = :customer_id
           AND status = 'partly_paid' AND due_date < :late_before AND paid_minor_units > 0
           AND disputed_minor_units = 0) AS partly,
        (SELECT count(*) FROM payment_promises
         WHERE organization_id = :organization_id AND customer_id = :customer_id
           AND state = 'broken' AND ended_at >= :since) AS broken
""")
