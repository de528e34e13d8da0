"""Promises to pay, with what came since they were made."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, text, update

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.invoicing.domain.payment_promise import Promise, PromiseState
from services.invoicing.store.pages import decode_page_token, moment_of, page_of
from services.invoicing.tables.plans import payment_promises

_SCOPE = "payment_promises"


async def insert_promise(tx: WriteTx, promise: Promise, *, wake_at: datetime) -> None:
    """Add a promise."""
    await tx.execute(
        insert(payment_promises).values(
            organization_id=tx.organization_id, wake_at=wake_at, **_values(promise)
        )
    )


async def update_promise(tx: WriteTx, promise: Promise, *, wake_at: datetime | None) -> None:
    """Write a promise that was locked, and when to look at it again."""
    await tx.execute(
        update(payment_promises)
        .where(payment_promises.c.organization_id == tx.organization_id)
        .where(payment_promises.c.promise_id == promise.promise_id)
        .values(**_values(promise), wake_at=wake_at)
    )


async def get_promise(tx: ReadTx, promise_id: str) -> Promise:
    """A promise; PROMISE_NOT_FOUND."""
    params = {"organization_id": tx.organization_id, "promise_id": promise_id}
    row = (await tx.execute(_ONE, params)).first()
    if row is None:
        raise not_found("promise")
    return _promise(row)


async def lock_promise(tx: WriteTx, promise_id: str) -> Promise:
    """A promise that nobody else changes meanwhile; PROMISE_NOT_FOUND."""
    params = {"organization_id": tx.organization_id, "promise_id": promise_id}
    if (await tx.execute(_LOCK, params)).first() is None:
        raise not_found("promise")
    return await get_promise(tx, promise_id)


async def open_promises(tx: ReadTx, customer_ids: Collection[str]) -> list[Promise]:
    """Open promises of customers, the earliest day first."""
    params = {"organization_id": tx.organization_id, "customer_ids": list(customer_ids)}
    return [_promise(row) for row in await tx.execute(_OPEN, params)]


async def list_promises(
    tx: ReadTx, *, customer_id: str, state: PromiseState | None, page_size: int, page_token: str
) -> tuple[list[Promise], str]:
    """A page, the newest first, and the token of the next one."""
    after = decode_page_token(page_token, _SCOPE)
    params = {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "state": state.value if state else "",
        "before": moment_of(after[0]) if after else None,
        "before_id": after[1] if after else "",
        "limit": page_size + 1,
    }
    found = [_promise(row) for row in await tx.execute(_PAGE, params)]
    found, token = page_of(
        found, page_size, _SCOPE, lambda last: (last.created_at.isoformat(), last.promise_id)
    )
    return found, token


async def awake_promises(tx: ReadTx, *, limit: int) -> list[tuple[str, str]]:
    """Organization and id of promises that are to be looked at now, of all organizations in the sweep."""
    rows = await tx.execute(_AWAKE, {"now": tx.now(), "limit": limit})
    return [(row.organization_id, row.promise_id) for row in rows]


def _promise(row: Row[Any]) -> Promise:
    return Promise(
        promise_id=row.promise_id,
        customer_id=row.customer_id,
        amount=Money(row.amount_minor_units, row.currency),
        received=Money(int(row.received), row.currency),
        owed=Money(int(row.owed), row.currency),
        promised_on=row.promised_on,
        grace_days=row.grace_days,
        state=PromiseState(row.state),
        note=row.note,
        created_at=row.created_at,
        created_by=row.created_by,
        created_by_name=row.created_by_name,
        by_staff=row.by_staff,
        ended_at=row.ended_at,
        event_version=row.event_version,
    )


def _values(promise: Promise) -> dict[str, Any]:
    return {
        "promise_id": promise.promise_id,
        "customer_id": promise.customer_id,
        "currency": promise.amount.currency,
        "amount_minor_units": promise.amount.minor_units,
        "received_minor_units": promise.received.minor_units,
        "promised_on": promise.promised_on,
        "grace_days": promise.grace_days,
        "state": promise.state.value,
        "note": promise.note,
        "by_staff": promise.by_staff,
        "created_at": promise.created_at,
        "created_by": promise.created_by,
        "created_by_name": promise.created_by_name,
        "ended_at": promise.ended_at,
        "event_version": promise.event_version,
    }


_RECEIVED = """
    SELECT promise.*, CASE WHEN promise.state = 'open' THEN (
        SELECT coalesce(sum(came.received_minor_units - came.surcharge_minor_units - came.refunded_minor_units), 0)
        FROM payment_applications came
        WHERE came.organization_id = promise.organization_id AND came.customer_id = promise.customer_id
          AND came.currency = promise.currency AND came.applied_at >= promise.created_at
    ) ELSE promise.received_minor_units END AS received, (
        SELECT coalesce(sum(total_minor_units - paid_minor_units - credited_minor_units), 0) FROM invoices
        WHERE invoices.organization_id = promise.organization_id AND invoices.customer_id = promise.customer_id
          AND invoices.currency = promise.currency AND invoices.status IN ('open', 'partly_paid')
    ) AS owed
    FROM payment_promises promise
    WHERE promise.organization_id = :organization_id
"""
_ONE = text(_RECEIVED + " AND promise.promise_id = :promise_id")
_LOCK = text("""
    SELECT promise_id FROM payment_promises
    WHERE organization_id = :organization_id AND promise_id = :promise_id FOR UPDATE
""")
_OPEN = text(
    _RECEIVED
    + """
    AND promise.customer_id = ANY(:customer_ids) AND promise.state = 'open'
    ORDER BY promise.promised_on, promise.promise_id
"""
)
_PAGE = text(
    _RECEIVED
    + """
    AND (:customer_id = '' OR promise.customer_id = :customer_id) AND (:state = '' OR promise.state = :state)
    AND (CAST(:before AS timestamptz) IS NULL OR (promise.created_at, promise.promise_id) < (:before, :before_id))
    ORDER BY promise.created_at DESC, promise.promise_id DESC LIMIT :limit
"""
)
_AWAKE = text("""
    SELECT organization_id, promise_id FROM payment_promises
    WHERE wake_at IS NOT NULL AND wake_at <= :now
    ORDER BY wake_at, promise_id LIMIT :limit
""")
