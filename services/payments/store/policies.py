"""Policies of organizations and segments of their customers."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.payments.domain.payment import Method
from services.payments.domain.policy import DEFAULT, MethodRule, PaymentPolicy, Terms
from services.payments.domain.surcharge import Charge, ChargeKind


async def terms(tx: ReadTx, customer_id: str) -> Terms:
    """The policy as it applies to a customer, in one round trip; the default where nothing was ever said."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    row = (await tx.execute(_TERMS, params)).one()
    return Terms(from_row(row.policy, row.version), segments_of(row))


def segments_of(row: Row[Any]) -> frozenset[str]:
    """The labels that invoicing told of a customer, and the segment that was set here."""
    return frozenset((row.segment or "", *(row.segments or ()))) - {""}


async def own_segment(tx: ReadTx, customer_id: str) -> str:
    """The segment that was set here; empty for none."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    return (await tx.execute(_OWN_SEGMENT, params)).scalar_one_or_none() or ""


def from_row(document: Mapping[str, Any] | None, version: int | None) -> PaymentPolicy:
    """A policy from its columns; the default where there are none."""
    return DEFAULT if document is None else _from_json(document, version or 0)


async def policy(tx: ReadTx) -> PaymentPolicy:
    """The organization's policy."""
    return (await terms(tx, "")).policy


async def replace_policy(tx: WriteTx, policy: PaymentPolicy) -> bool:
    """Write the policy whose version is one more than the one it replaces; False if that one is not there."""
    row = await tx.execute(
        _REPLACE,
        {
            "organization_id": tx.organization_id,
            "policy": to_json(policy),
            "version": policy.version,
            "now": tx.now(),
        },
    )
    return row.first() is not None


async def set_segment(tx: WriteTx, customer_id: str, segment: str) -> str:
    """Put a customer into a segment, or out of any with an empty one; answers with the one before."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id, "segment": segment}
    before = (await tx.execute(_SEGMENT, params)).scalar_one_or_none()
    await tx.execute(_SET_SEGMENT if segment else _CLEAR_SEGMENT, params)
    return before or ""


def to_json(policy: PaymentPolicy) -> str:
    """The policy as it is kept, without its version; the same for the same policy, so that it can be compared."""
    document = {
        "rules": [_rule_to_json(rule) for rule in policy.rules],
        "allow_part_payment": policy.allow_part_payment,
        "min_part_payment": _money_to_json(policy.min_part_payment),
        "allow_prepayment": policy.allow_prepayment,
        "refund_window_days": policy.refund_window_days,
        "return_fee": _money_to_json(policy.return_fee),
        "provider": policy.provider,
        "bank_change_cooling_off_hours": policy.bank_change_cooling_off_hours,
    }
    return json.dumps(document, sort_keys=True)


def _from_json(document: Mapping[str, Any], version: int) -> PaymentPolicy:
    return PaymentPolicy(
        rules=tuple(_rule_from_json(rule) for rule in document["rules"]),
        allow_part_payment=document["allow_part_payment"],
        min_part_payment=_money_from_json(document["min_part_payment"]),
        allow_prepayment=document["allow_prepayment"],
        refund_window_days=document["refund_window_days"],
        return_fee=_money_from_json(document["return_fee"]),
        provider=document["provider"],
        bank_change_cooling_off_hours=document["bank_change_cooling_off_hours"],
        version=version,
    )


def _rule_to_json(rule: MethodRule) -> dict[str, Any]:
    cap = rule.charge.percent_cap
    return {
        "method": rule.method.value,
        "segment": rule.segment,
        "allowed": rule.allowed,
        "min": _money_to_json(rule.minimum),
        "max": _money_to_json(rule.maximum),
        "charge": rule.charge.kind.value,
        "percent": str(rule.charge.percent),
        "fixed_minor_units": rule.charge.fixed_minor_units,
        "percent_cap": None if cap is None else str(cap),
    }


def _rule_from_json(document: Mapping[str, Any]) -> MethodRule:
    cap = document["percent_cap"]
    return MethodRule(
        method=Method(document["method"]),
        segment=document["segment"],
        allowed=document["allowed"],
        minimum=_money_from_json(document["min"]),
        maximum=_money_from_json(document["max"]),
        charge=Charge(
            kind=ChargeKind(document["charge"]),
            percent=Decimal(document["percent"]),
            fixed_minor_units=document["fixed_minor_units"],
            percent_cap=None if cap is None else Decimal(cap),
        ),
    )


def _money_to_json(money: Money | None) -> dict[str, Any] | None:
    return None if money is None else {"minor_units": money.minor_units, "currency": money.currency}


def _money_from_json(document: Mapping[str, Any] | None) -> Money | None:
    return None if document is None else Money(document["minor_units"], document["currency"])


_TERMS = text("""
    SELECT p.policy, p.version, s.segment, c.segments
    FROM (SELECT 1) AS one
    LEFT JOIN payment_policies p ON p.organization_id = :organization_id
    LEFT JOIN customer_segments s ON s.organization_id = :organization_id AND s.customer_id = :customer_id
    LEFT JOIN customers c ON c.organization_id = :organization_id AND c.customer_id = :customer_id
""")
_REPLACE = text("""
    INSERT INTO payment_policies AS p (organization_id, policy, version, changed_at)
    SELECT :organization_id, CAST(:policy AS jsonb), :version, :now
    WHERE :version = 1 OR EXISTS (SELECT 1 FROM payment_policies WHERE organization_id = :organization_id)
    ON CONFLICT (organization_id) DO UPDATE SET
        policy = excluded.policy, version = excluded.version, changed_at = excluded.changed_at
    WHERE p.version = excluded.version - 1
    RETURNING version
""")
_OWN_SEGMENT = text(
    "SELECT segment FROM customer_segments"
    " WHERE organization_id = :organization_id AND customer_id = :customer_id"
)
_SEGMENT = text(
    "SELECT segment FROM customer_segments"
    " WHERE organization_id = :organization_id AND customer_id = :customer_id FOR UPDATE"
)
_SET_SEGMENT = text("""
    INSERT INTO customer_segments (organization_id, customer_id, segment)
    VALUES (:organization_id, :customer_id, :segment)
    ON CONFLICT (organization_id, customer_id) DO UPDATE SET segment = excluded.segment
""")
_CLEAR_SEGMENT = text(
    "DELETE FROM customer_segments WHERE organization_id = :organization_id AND customer_id = :customer_id"
)
