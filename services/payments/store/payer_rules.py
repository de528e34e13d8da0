"""Rows of payer companies' rules, and of approvals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.payments.domain.payer_rules import PayerRuleSet, PersonLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """A payment that waits for others than `requested_by_id`."""

    payment_id: str
    customer_id: str
    requested_by: str
    requested_by_id: str
    approvals_needed: int
    is_open: bool
    created_at: datetime
    approved_by: tuple[str, ...] = ()
    approved_by_ids: tuple[str, ...] = ()

    @property
    def is_approved(self) -> bool:
        """Whether enough people have agreed."""
        return len(self.approved_by_ids) >= self.approvals_needed

    def may_approve(self, person_id: str) -> bool:
        """Whoever started it never does, and nobody counts twice."""
        return person_id not in (self.requested_by_id, *self.approved_by_ids)


async def rules_of(tx: ReadTx, customer_id: str, *, person_id: str | None = None) -> PayerRuleSet:
    """A customer's rules, with the limits of all its people or of one; version 0 when there are none."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id, "person_id": person_id}
    rows = (await tx.execute(_RULES, params)).all()
    if not rows:
        return PayerRuleSet(customer_id=customer_id)
    first = rows[0]
    return PayerRuleSet(
        customer_id=customer_id,
        approval_above=_money(first.approval_above_minor_units, first.approval_above_currency),
        approvals_needed=first.approvals_needed,
        person_limits=tuple(_limit(row) for row in rows if row.person_id is not None),
        version=first.version,
    )


async def replace_rules(tx: WriteTx, rules: PayerRuleSet) -> None:
    """Write the rules and people's limits in place of those before."""
    scope = {"organization_id": tx.organization_id, "customer_id": rules.customer_id}
    above = rules.approval_above
    await tx.execute(
        _REPLACE,
        scope
        | {
            "units": above.minor_units if above is not None else None,
            "currency": above.currency if above is not None else None,
            "approvals_needed": rules.approvals_needed,
            "version": rules.version,
        },
    )
    await tx.execute(_CLEAR_LIMITS, scope)
    for limit in rules.person_limits:
        await tx.execute(
            _LIMIT,
            scope
            | {
                "person_id": limit.person_id,
                "payment_units": limit.per_payment.minor_units if limit.per_payment is not None else None,
                "payment_currency": limit.per_payment.currency if limit.per_payment is not None else None,
                "month_units": limit.per_month.minor_units if limit.per_month is not None else None,
                "month_currency": limit.per_month.currency if limit.per_month is not None else None,
            },
        )


async def spent(tx: WriteTx, *, customer_id: str, person_id: str, month: str) -> list[Money]:
    """What a person has started in a month and what did not come to nothing, one sum for each currency.

    Payments of one person wait for each other here, so that two at once stay within the limit together.
    """
    params = {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "person_id": person_id,
        "month": month,
        "scope": f"{tx.organization_id}/{person_id}/spending",
    }
    await tx.execute(_LOCK_PERSON, params)
    return [Money(int(row.units), row.currency) for row in await tx.execute(_SPENT, params)]


async def note_spending(
    tx: WriteTx, payment_id: str, *, customer_id: str, person_id: str, amount: Money, month: str
) -> None:
    """Keep who started a payment, for the sum of the month."""
    await tx.execute(
        _SPEND,
        {
            "organization_id": tx.organization_id,
            "payment_id": payment_id,
            "customer_id": customer_id,
            "person_id": person_id,
            "units": amount.minor_units,
            "currency": amount.currency,
            "month": month,
        },
    )


async def insert_request(tx: WriteTx, request: ApprovalRequest) -> None:
    """Keep that a payment waits for approval."""
    await tx.execute(
        _REQUEST,
        {
            "organization_id": tx.organization_id,
            "payment_id": request.payment_id,
            "customer_id": request.customer_id,
            "requested_by": request.requested_by,
            "requested_by_id": request.requested_by_id,
            "approvals_needed": request.approvals_needed,
            "created_at": request.created_at,
        },
    )


async def lock_request(tx: WriteTx, payment_id: str) -> ApprovalRequest | None:
    """A payment's request, nobody else's to change until the transaction ends."""
    params = {"organization_id": tx.organization_id, "payment_id": payment_id}
    await tx.execute(_LOCK_REQUEST, params)
    row = (await tx.execute(_FIND_REQUEST, params)).first()
    return None if row is None else _request(row)


async def open_requests(tx: ReadTx, customer_id: str) -> list[ApprovalRequest]:
    """What waits at a customer, the oldest first."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    return [_request(row) for row in await tx.execute(_OPEN_REQUESTS, params)]


async def insert_approval(tx: WriteTx, payment_id: str, *, person_id: str, person_name: str) -> None:
    """Keep that somebody agreed; a second time changes nothing."""
    await tx.execute(
        _APPROVE,
        {
            "organization_id": tx.organization_id,
            "payment_id": payment_id,
            "person_id": person_id,
            "person_name": person_name,
            "now": tx.now(),
        },
    )


async def close_request(tx: WriteTx, payment_id: str) -> None:
    """It no longer waits."""
    await tx.execute(_CLOSE, {"organization_id": tx.organization_id, "payment_id": payment_id})


def _money(minor_units: int | None, currency: str | None) -> Money | None:
    return None if minor_units is None or currency is None else Money(minor_units, currency)


def _limit(row: Row[Any]) -> PersonLimit:
    return PersonLimit(
        person_id=row.person_id,
        per_payment=_money(row.per_payment_minor_units, row.per_payment_currency),
        per_month=_money(row.per_month_minor_units, row.per_month_currency),
    )


def _request(row: Row[Any]) -> ApprovalRequest:
    names: Sequence[str] = row.names or ()
    people: Sequence[str] = row.people or ()
    return ApprovalRequest(
        payment_id=row.payment_id,
        customer_id=row.customer_id,
        requested_by=row.requested_by,
        requested_by_id=row.requested_by_id,
        approvals_needed=row.approvals_needed,
        is_open=row.is_open,
        created_at=row.created_at,
        approved_by=tuple(names),
        approved_by_ids=tuple(people),
    )


_RULES = text("""
    SELECT r.approval_above_minor_units, r.approval_above_currency, r.approvals_needed, r.version, l.person_id,
           l.per_payment_minor_units, l.per_payment_currency, l.per_month_minor_units, l.per_month_currency
    FROM payer_rules r
    LEFT JOIN person_limits l ON l.organization_id = r.organization_id AND l.customer_id = r.customer_id
        AND (CAST(:person_id AS text) IS NULL OR l.person_id = :person_id)
    WHERE r.organization_id = :organization_id AND r.customer_id = :customer_id
    ORDER BY l.person_id
""")
_REPLACE = text("""
    INSERT INTO payer_rules (
        organization_id, customer_id, approval_above_minor_units, approval_above_currency, approvals_needed, version
    ) VALUES (:organization_id, :customer_id, :units, :currency, :approvals_needed, :version)
    ON CONFLICT (organization_id, customer_id) DO UPDATE SET
        approval_above_minor_units = excluded.approval_above_minor_units,
        approval_above_currency = excluded.approval_above_currency,
        approvals_needed = excluded.approvals_needed, version = excluded.version
""")
_CLEAR_LIMITS = text(
    "DELETE FROM person_limits WHERE organization_id = :organization_id AND customer_id = :customer_id"
)
_LIMIT = text("""
    INSERT INTO person_limits (
        organization_id, customer_id, person_id, per_payment_minor_units, per_payment_currency,
        per_month_minor_units, per_month_currency
    ) VALUES (
        :organization_id, :customer_id, :person_id, :payment_units, :payment_currency, :month_units,
        :month_currency
    )
""")
_LOCK_PERSON = text("SELECT pg_advisory_xact_lock(hashtextextended(:scope, 0))")
_SPENT = text("""
    SELECT s.currency, sum(s.amount_minor_units) AS units
    FROM person_payments s JOIN payments p USING (organization_id, payment_id)
    WHERE s.organization_id = :organization_id AND s.customer_id = :customer_id AND s.person_id = :person_id
      AND s.month = :month AND p.status NOT IN ('failed', 'canceled')
    GROUP BY s.currency
""")
_SPEND = text("""
    INSERT INTO person_payments (
        organization_id, payment_id, customer_id, person_id, amount_minor_units, currency, month
    ) VALUES (:organization_id, :payment_id, :customer_id, :person_id, :units, :currency, :month)
    ON CONFLICT DO NOTHING
""")
_REQUEST = text("""
    INSERT INTO approval_requests (
        organization_id, payment_id, customer_id, requested_by, requested_by_id, approvals_needed, is_open,
        created_at
    ) VALUES (
        :organization_id, :payment_id, :customer_id, :requested_by, :requested_by_id, :approvals_needed, true,
        :created_at
    )
""")
_WITH_APPROVALS = """
    SELECT r.*, given.names, given.people FROM approval_requests r
    CROSS JOIN LATERAL (
        SELECT array_agg(person_name ORDER BY approved_at) AS names,
               array_agg(person_id ORDER BY approved_at) AS people
        FROM payment_approvals a WHERE a.organization_id = r.organization_id AND a.payment_id = r.payment_id
    ) AS given
"""
_LOCK_REQUEST = text(
    "SELECT 1 FROM approval_requests WHERE organization_id = :organization_id AND payment_id = :payment_id FOR UPDATE"
)
_FIND_REQUEST = text(
    f"{_WITH_APPROVALS} WHERE r.organization_id = :organization_id AND r.payment_id = :payment_id"
)
_OPEN_REQUESTS = text(f"""
    {_WITH_APPROVALS}
    JOIN payments p ON p.organization_id = r.organization_id AND p.payment_id = r.payment_id
    WHERE r.organization_id = :organization_id AND r.customer_id = :customer_id AND r.is_open
      AND p.status = 'awaiting_approval'
    ORDER BY r.created_at, r.payment_id LIMIT 200
""")
_APPROVE = text("""
    INSERT INTO payment_approvals (organization_id, payment_id, person_id, person_name, approved_at)
    VALUES (:organization_id, :payment_id, :person_id, :person_name, :now) ON CONFLICT DO NOTHING
""")
_CLOSE = text(
    "UPDATE approval_requests SET is_open = false"
    " WHERE organization_id = :organization_id AND payment_id = :payment_id"
)
