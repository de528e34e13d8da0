"""Policies of late fees, legal limits, and what became of the periods in which invoices were late."""

from datetime import date
from typing import Any

from sqlalchemy import Row, select, text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.invoicing.domain.late_fee import (
    LateFee,
    LateFeeCap,
    LateFeeOutcome,
    LateFeePolicy,
    PercentPer,
    Repeat,
    SkipReason,
)
from services.invoicing.tables.adjustments import late_fee_caps, late_fee_policies, late_fees


async def organizations_with_policies(tx: ReadTx) -> list[str]:
    """Those that charge late fees, for a sweep."""
    query = (
        select(late_fee_policies.c.organization_id)
        .where(late_fee_policies.c.is_active)
        .distinct()
        .order_by(late_fee_policies.c.organization_id)
    )
    return list((await tx.execute(query)).scalars())


async def late_invoices(tx: ReadTx, today: date, *, limit: int) -> list[str]:
    """Invoices of the organization whose next period begins today or began before, the oldest due first."""
    params = {"organization_id": tx.organization_id, "today": today, "limit": limit}
    return list((await tx.execute(_LATE, params)).scalars())


async def put_policy(tx: WriteTx, policy: LateFeePolicy) -> LateFeePolicy:
    """Set the policy of its segment and currency; its id stays what it was."""
    row = (
        await tx.execute(
            _PUT_POLICY,
            {
                "organization_id": tx.organization_id,
                "policy_id": policy.policy_id,
                "name": policy.name,
                "segment": policy.segment,
                "currency": policy.flat.currency,
                "flat": policy.flat.minor_units,
                "percent": policy.percent,
                "percent_per": policy.percent_per.value,
                "grace_days": policy.grace_days,
                "cap": policy.cap.minor_units if policy.cap is not None else None,
                "cap_percent": policy.cap_percent,
                "min_due": policy.min_due.minor_units,
                "repeat_every": policy.repeat_every,
                "repeat_unit": policy.repeat.value,
                "is_active": policy.is_active,
                "reference_rate": policy.reference_rate,
                "now": tx.now(),
            },
        )
    ).one()
    return _policy(row)


async def policies(tx: ReadTx) -> list[LateFeePolicy]:
    """All policies, the one for all customers first."""
    query = (
        select(late_fee_policies)
        .where(late_fee_policies.c.organization_id == tx.organization_id)
        .order_by(late_fee_policies.c.segment, late_fee_policies.c.currency)
    )
    return [_policy(row) for row in await tx.execute(query)]


async def put_cap(tx: WriteTx, cap: LateFeeCap) -> None:
    """Set the legal limit of a country."""
    await tx.execute(
        _PUT_CAP,
        {
            "organization_id": tx.organization_id,
            "country": cap.country,
            "annual_percent": cap.annual_percent,
            "flat": cap.flat.minor_units if cap.flat is not None else None,
            "currency": cap.flat.currency if cap.flat is not None else "",
            "note": cap.note,
            "now": tx.now(),
        },
    )


async def caps(tx: ReadTx) -> list[LateFeeCap]:
    """All legal limits, by country."""
    query = (
        select(late_fee_caps)
        .where(late_fee_caps.c.organization_id == tx.organization_id)
        .order_by(late_fee_caps.c.country)
    )
    return [
        LateFeeCap(
            row.country, row.annual_percent,
            None if row.flat_minor_units is None else Money(row.flat_minor_units, row.currency), row.note,
        )
        for row in await tx.execute(query)
    ]  # fmt: skip


async def fees_of(tx: ReadTx, invoice_id: str) -> list[LateFee]:
    """What became of each period of an invoice, the first one first."""
    query = (
        select(late_fees)
        .where(late_fees.c.organization_id == tx.organization_id, late_fees.c.invoice_id == invoice_id)
        .order_by(late_fees.c.period_no)
    )
    return [_fee(row) for row in await tx.execute(query)]


async def put_fee(tx: WriteTx, fee: LateFee) -> None:
    """Note what became of a period; one that was skipped may be charged later, never the other way round."""
    await tx.execute(
        _PUT_FEE,
        {
            "organization_id": tx.organization_id,
            "invoice_id": fee.invoice_id,
            "period_no": fee.period_no,
            "decided_on": fee.decided_on,
            "outcome": fee.outcome.value,
            "reason": fee.reason.value if fee.reason is not None else "",
            "fee_invoice_id": fee.fee_invoice_id or None,
            "amount": fee.amount.minor_units,
            "currency": fee.amount.currency,
            "policy_id": fee.policy_id,
            "next_on": fee.next_on,
            "decided_at": fee.decided_at,
        },
    )


def _policy(row: Row[Any]) -> LateFeePolicy:
    currency = row.currency
    return LateFeePolicy(
        policy_id=row.late_fee_policy_id,
        name=row.name,
        segment=row.segment,
        flat=Money(row.flat_minor_units, currency),
        percent=row.percent,
        percent_per=PercentPer(row.percent_per),
        grace_days=row.grace_days,
        cap=None if row.cap_minor_units is None else Money(row.cap_minor_units, currency),
        cap_percent=row.cap_percent,
        min_due=Money(row.min_due_minor_units, currency),
        repeat_every=row.repeat_every,
        repeat=Repeat(row.repeat_unit),
        is_active=row.is_active,
        reference_rate=row.reference_rate,
    )


def _fee(row: Row[Any]) -> LateFee:
    return LateFee(
        invoice_id=row.invoice_id,
        period_no=row.period_no,
        decided_on=row.decided_on,
        outcome=LateFeeOutcome(row.outcome),
        reason=SkipReason(row.reason) if row.reason else None,
        fee_invoice_id=row.fee_invoice_id or "",
        amount=Money(row.amount_minor_units, row.currency),
        policy_id=row.late_fee_policy_id,
        next_on=row.next_on,
        decided_at=row.decided_at,
    )


# Most invoices in most periods have a row of the period before, whose day tells when to look again.
_LATE = text("""
    SELECT invoices.invoice_id FROM invoices
    LEFT JOIN LATERAL (
        SELECT fee.next_on, fee.period_no FROM late_fees AS fee
        WHERE fee.organization_id = :organization_id AND fee.invoice_id = invoices.invoice_id
        ORDER BY fee.period_no DESC LIMIT 1
    ) AS last ON true
    WHERE invoices.organization_id = :organization_id AND invoices.status IN ('open', 'partly_paid')
      AND invoices.kind <> 'late_fee' AND invoices.due_date < :today
      AND (last.period_no IS NULL OR last.next_on <= :today)
    ORDER BY invoices.due_date, invoices.invoice_id LIMIT :limit
""")
_PUT_POLICY = text("""
    INSERT INTO late_fee_policies AS old (
        organization_id, late_fee_policy_id, name, segment, currency, flat_minor_units, percent, percent_per,
        grace_days, cap_minor_units, cap_percent, min_due_minor_units, repeat_every, repeat_unit, is_active,
        reference_rate, updated_at
    ) VALUES (
        :organization_id, :policy_id, :name, :segment, :currency, :flat, :percent, :percent_per, :grace_days, :cap,
        :cap_percent, :min_due, :repeat_every, :repeat_unit, :is_active, :reference_rate,
        :now
    )
    ON CONFLICT (organization_id, segment, currency) DO UPDATE
    SET name = excluded.name, flat_minor_units = excluded.flat_minor_units, percent = excluded.percent,
        percent_per = excluded.percent_per, grace_days = excluded.grace_days,
        cap_minor_units = excluded.cap_minor_units, cap_percent = excluded.cap_percent,
        min_due_minor_units = excluded.min_due_minor_units, repeat_every = excluded.repeat_every,
        repeat_unit = excluded.repeat_unit, is_active = excluded.is_active, reference_rate = excluded.reference_rate,
        updated_at = excluded.updated_at
    RETURNING old.*
""")
_PUT_CAP = text("""
    INSERT INTO late_fee_caps (
        organization_id, country, annual_percent, flat_minor_units, currency, note, updated_at
    ) VALUES (:organization_id, :country, :annual_percent, :flat, :currency, :note, :now)
    ON CONFLICT (organization_id, country) DO UPDATE
    SET annual_percent = excluded.annual_percent, flat_minor_units = excluded.flat_minor_units,
        currency = excluded.currency, note = excluded.note, updated_at = excluded.updated_at
""")
_PUT_FEE = text("""
    INSERT INTO late_fees AS old (
        organization_id, invoice_id, period_no, decided_on, outcome, reason, fee_invoice_id, amount_minor_units,
        currency, late_fee_policy_id, next_on, decided_at
    ) VALUES (
        :organization_id, :invoice_id, :period_no, :decided_on, :outcome, :reason, :fee_invoice_id, :amount,
        :currency, :policy_id, :next_on, :decided_at
    )
    ON CONFLICT (organization_id, invoice_id, period_no) DO UPDATE
    SET decided_on = excluded.decided_on, outcome = excluded.outcome, reason = excluded.reason,
        fee_invoice_id = excluded.fee_invoice_id, amount_minor_units = excluded.amount_minor_units,
        late_fee_policy_id = excluded.late_fee_policy_id, next_on = excluded.next_on,
        decided_at = excluded.decided_at
    WHERE old.outcome = 'skipped'
""")
