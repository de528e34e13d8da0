"""Rows of saved methods."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.errors import Kind, ServiceError, not_found
from chassis.ids import new_id
from services.payments.domain.outcome import MethodView
from services.payments.domain.saved_method import BANK_DEBIT, MethodForCharge, SavedMethod, State
from services.payments.store import cases

COOLING_OFF_HOURS = 24
"""When the organization's policy says nothing else."""


async def usable(tx: ReadTx, payment_method_id: str, *, customer_id: str, automatic: bool) -> MethodForCharge:
    """A customer's method, ready to be charged. `automatic`: nobody is there, so cooling-off binds.

    Raises PAYMENT_METHOD_NOT_FOUND, or PAYMENT_METHOD_NOT_USABLE whose metadata names the `state`.
    """
    method = await find(tx, payment_method_id)
    if method is None or method.customer_id != customer_id or method.stored_state is State.REMOVED:
        raise not_found("payment_method")
    today = (await cases.organization(tx)).day_of(tx.now())
    if not method.may_be_charged(tx.now(), today, automatic=automatic):
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "PAYMENT_METHOD_NOT_USABLE",
            "This payment method cannot be used just now. Please choose another one.",
            state=method.state_at(tx.now(), today).value,
        )
    return MethodForCharge(
        payment_method_id=method.payment_method_id,
        provider=method.provider,
        kind=method.view.kind,
        method_token=method.view.method_token,
        customer_token=method.view.customer_token,
        summary=method.summary,
    )


async def customer_token(tx: ReadTx, customer_id: str, *, provider: str) -> str:
    """The provider's own id of a customer; empty before the first method is saved there."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id, "provider": provider}
    return (await tx.execute(_CUSTOMER_TOKEN, params)).scalar_one_or_none() or ""


async def remember(
    tx: WriteTx,
    view: MethodView,
    *,
    customer_id: str,
    provider: str,
    accepted_by: str,
    make_default: bool = False,
    cooling_off_hours: int = COOLING_OFF_HOURS,
) -> str:
    """Keep a method that a provider saved; returns its id.

    The same card or account of the same customer is kept once: its row gets the newer token. The first method
    is the default. A bank account that was not there before cools off before automatic payments use it.
    """
    await tx.execute(_LOCK_CUSTOMER, {"scope": f"{tx.organization_id}/{customer_id}/methods"})
    known = (await tx.execute(_SAME, _view(tx, view, customer_id, provider))).scalar_one_or_none()
    values = _view(tx, view, customer_id, provider) | {"accepted_by": accepted_by, "now": tx.now()}
    if known is not None:
        payment_method_id = str(known)
        await tx.execute(_RENEW, values | {"payment_method_id": payment_method_id})
    else:
        payment_method_id = new_id("pm")
        wait = timedelta(hours=cooling_off_hours if view.kind == BANK_DEBIT else 0)
        await tx.execute(
            _INSERT, values | {"payment_method_id": payment_method_id, "usable_from": tx.now() + wait}
        )
    if make_default or not await _has_default(tx, customer_id):
        await set_default(tx, payment_method_id, customer_id=customer_id)
    return payment_method_id


async def set_default(tx: WriteTx, payment_method_id: str, *, customer_id: str) -> None:
    """Make an active method the customer's only default."""
    params = {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "payment_method_id": payment_method_id,
    }
    await tx.execute(_NO_DEFAULT, params)
    await tx.execute(_DEFAULT, params)


async def mark_used(tx: WriteTx, payment_method_id: str) -> None:
    """Note that money came with it just now."""
    params = {"organization_id": tx.organization_id, "payment_method_id": payment_method_id, "now": tx.now()}
    await tx.execute(_USED, params)


async def mark_revoked(tx: WriteTx, method_token: str, *, provider: str) -> None:
    """The payer or the bank took the mandate back: it is never charged again."""
    params = {"organization_id": tx.organization_id, "method_token": method_token, "provider": provider}
    await tx.execute(_REVOKE, params)


async def mark_removed(tx: WriteTx, method: SavedMethod) -> None:
    """Forget a method; the method used last becomes the default if this one was it."""
    params = {
        "organization_id": tx.organization_id,
        "customer_id": method.customer_id,
        "payment_method_id": method.payment_method_id,
    }
    await tx.execute(_REMOVE, params)
    if method.is_default:
        await tx.execute(_NEXT_DEFAULT, params)


async def renew(tx: WriteTx, payment_method_id: str, view: MethodView) -> None:
    """Take over what the provider says of a method now: a renewed card, another token."""
    await tx.execute(
        _REFRESH,
        _view(tx, view, "", "") | {"payment_method_id": payment_method_id, "now": tx.now()},
    )


async def note_expiry_told(tx: WriteTx, method: SavedMethod) -> int | None:
    """Note that the payer hears of this expiry date; the event's number, or None if they have heard."""
    params = {
        "organization_id": tx.organization_id,
        "payment_method_id": method.payment_method_id,
        "expiry": method.expiry,
        "now": tx.now(),
    }
    number: int | None = (await tx.execute(_NOTICED, params)).scalar_one_or_none()
    return number


async def find(tx: ReadTx, payment_method_id: str, *, for_update: bool = False) -> SavedMethod | None:
    """A method of this organization in any state."""
    params = {"organization_id": tx.organization_id, "payment_method_id": payment_method_id}
    row = (await tx.execute(_FIND_LOCKED if for_update else _FIND, params)).first()
    return None if row is None else _to_method(row)


async def of_customer(tx: ReadTx, customer_id: str) -> list[SavedMethod]:
    """A customer's methods that were not removed: the default first, then the one used last."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    return [_to_method(row) for row in await tx.execute(_OF_CUSTOMER, params)]


async def expiring(tx: ReadTx, *, until: datetime, limit: int) -> Sequence[tuple[str, str]]:
    """Organization and id of cards that expire by then and whose payers have not heard. In a sweep."""
    rows = await tx.execute(_EXPIRING, {"year": until.year, "month": until.month, "limit": limit})
    return [(row.organization_id, row.payment_method_id) for row in rows]


async def _has_default(tx: ReadTx, customer_id: str) -> bool:
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    return (await tx.execute(_HAS_DEFAULT, params)).first() is not None


def _view(tx: ReadTx, view: MethodView, customer_id: str, provider: str) -> dict[str, Any]:
    return {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "provider": provider,
        "kind": view.kind,
        "method_token": view.method_token,
        "customer_token": view.customer_token,
        "brand": view.brand,
        "last_digits": view.last_digits,
        "expiry_month": view.expiry_month,
        "expiry_year": view.expiry_year,
        "fingerprint": view.fingerprint,
        "mandate_reference": view.mandate_reference,
        "mandate_text": view.mandate_text,
        "mandate_accepted_at": view.mandate_accepted_at,
    }


def _to_method(row: Row[Any]) -> SavedMethod:
    return SavedMethod(
        payment_method_id=row.payment_method_id,
        customer_id=row.customer_id,
        provider=row.provider,
        view=MethodView(
            method_token=row.method_token,
            customer_token=row.customer_token,
            kind=row.kind,
            brand=row.brand,
            last_digits=row.last_digits,
            expiry_month=row.expiry_month,
            expiry_year=row.expiry_year,
            fingerprint=row.fingerprint,
            mandate_reference=row.mandate_reference,
            mandate_text=row.mandate_text,
            mandate_accepted_at=row.mandate_accepted_at,
            is_revoked=row.state == State.REVOKED,
        ),
        stored_state=State(row.state),
        is_default=row.is_default,
        usable_from=row.usable_from,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        mandate_accepted_by=row.mandate_accepted_by,
        noticed_expiry=row.noticed_expiry,
        used_by_autopay=row.used_by_autopay,
        events=row.events,
    )


_COLUMNS = """
    SELECT m.*, EXISTS (
        SELECT 1 FROM autopay_settings s
        WHERE s.organization_id = m.organization_id AND s.customer_id = m.customer_id AND s.is_current
          AND s.enabled AND s.payment_method_id = m.payment_method_id
    ) AS used_by_autopay
    FROM payment_methods m WHERE m.organization_id = :organization_id
"""
_ONE = "organization_id = :organization_id AND payment_method_id = :payment_method_id"
_FIND = text(f"{_COLUMNS} AND m.payment_method_id = :payment_method_id")
_FIND_LOCKED = text(f"{_COLUMNS} AND m.payment_method_id = :payment_method_id FOR UPDATE OF m")
_OF_CUSTOMER = text(
    f"{_COLUMNS} AND m.customer_id = :customer_id AND m.state <> 'removed'"
    " ORDER BY m.is_default DESC, m.last_used_at DESC NULLS LAST, m.created_at DESC, m.payment_method_id"
)
_CUSTOMER_TOKEN = text(
    "SELECT customer_token FROM payment_methods WHERE organization_id = :organization_id"
    " AND customer_id = :customer_id AND provider = :provider AND customer_token <> ''"
    " ORDER BY created_at DESC LIMIT 1"
)
_LOCK_CUSTOMER = text("SELECT pg_advisory_xact_lock(hashtextextended(:scope, 0))")
_SAME = text("""
    SELECT payment_method_id FROM payment_methods
    WHERE organization_id = :organization_id AND customer_id = :customer_id AND provider = :provider
      AND state = 'active'
      AND (method_token = :method_token OR (fingerprint <> '' AND fingerprint = :fingerprint))
    ORDER BY method_token = :method_token DESC LIMIT 1
""")
_INSERT = text("""
    INSERT INTO payment_methods (
        organization_id, payment_method_id, customer_id, provider, kind, method_token, customer_token, brand,
        last_digits, expiry_month, expiry_year, fingerprint, mandate_reference, mandate_text,
        mandate_accepted_at, mandate_accepted_by, state, is_default, usable_from, created_at
    ) VALUES (
        :organization_id, :payment_method_id, :customer_id, :provider, :kind, :method_token, :customer_token,
        :brand, :last_digits, :expiry_month, :expiry_year, :fingerprint, :mandate_reference, :mandate_text,
        :mandate_accepted_at, CASE WHEN :mandate_reference = '' THEN '' ELSE :accepted_by END, 'active', false,
        :usable_from, :now
    )
""")
_SHOWN = """
    method_token = :method_token, customer_token = :customer_token, brand = :brand,
    last_digits = :last_digits, expiry_month = :expiry_month, expiry_year = :expiry_year
"""
_RENEW = text(f"""
    UPDATE payment_methods SET {_SHOWN}, mandate_reference = :mandate_reference, mandate_text = :mandate_text,
        mandate_accepted_at = :mandate_accepted_at,
        mandate_accepted_by = CASE WHEN :mandate_reference = '' THEN '' ELSE :accepted_by END
    WHERE {_ONE}
""")  # noqa: S608 - constants only
_REFRESH = text(f"UPDATE payment_methods SET {_SHOWN}, checked_at = :now WHERE {_ONE}")  # noqa: S608
_HAS_DEFAULT = text(
    "SELECT 1 FROM payment_methods WHERE organization_id = :organization_id AND customer_id = :customer_id"
    " AND is_default"
)
_NO_DEFAULT = text(
    "UPDATE payment_methods SET is_default = false WHERE organization_id = :organization_id"
    " AND customer_id = :customer_id AND is_default AND payment_method_id <> :payment_method_id"
)
_DEFAULT = text(f"UPDATE payment_methods SET is_default = true WHERE {_ONE} AND state = 'active'")  # noqa: S608
_USED = text(f"UPDATE payment_methods SET last_used_at = :now WHERE {_ONE}")  # noqa: S608
_REVOKE = text(
    "UPDATE payment_methods SET state = 'revoked', is_default = false"
    " WHERE organization_id = :organization_id AND provider = :provider AND method_token = :method_token"
    " AND state = 'active'"
)
_REMOVE = text(f"UPDATE payment_methods SET state = 'removed', is_default = false WHERE {_ONE}")  # noqa: S608
_NEXT_DEFAULT = text("""
    UPDATE payment_methods SET is_default = true
    WHERE organization_id = :organization_id AND payment_method_id = (
        SELECT payment_method_id FROM payment_methods
        WHERE organization_id = :organization_id AND customer_id = :customer_id AND state = 'active'
        ORDER BY last_used_at DESC NULLS LAST, created_at DESC LIMIT 1
    )
""")
_NOTICED = text(
    f"UPDATE payment_methods SET noticed_expiry = :expiry, checked_at = :now, events = events + 1"  # noqa: S608
    f" WHERE {_ONE} AND noticed_expiry <> :expiry AND state = 'active' RETURNING events"
)
_EXPIRING = text("""
    SELECT organization_id, payment_method_id FROM payment_methods
    WHERE state = 'active' AND expiry_year > 0
      AND (expiry_year, expiry_month) <= (CAST(:year AS integer), CAST(:month AS integer))
      AND noticed_expiry <> lpad(expiry_year::text, 4, '0') || '-' || lpad(expiry_month::text, 2, '0')
    ORDER BY expiry_year, expiry_month LIMIT :limit
""")
