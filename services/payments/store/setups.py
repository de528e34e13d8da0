"""Rows of setups: payers on a page on which a method is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A setup. `status`: requires_action, succeeded, failed."""

    setup_id: str
    customer_id: str
    provider: str
    kind: str
    customer_token: str
    return_url: str
    make_default: bool
    started_by: str
    created_at: datetime
    status: str = "requires_action"
    redirect_url: str = ""
    failure_code: str = ""
    payment_method_id: str = ""


async def insert(tx: WriteTx, setup: Setup) -> None:
    """Keep a new setup before the provider hears of it."""
    await tx.execute(
        _INSERT,
        {
            "organization_id": tx.organization_id,
            "setup_id": setup.setup_id,
            "customer_id": setup.customer_id,
            "provider": setup.provider,
            "kind": setup.kind,
            "customer_token": setup.customer_token,
            "return_url": setup.return_url,
            "make_default": setup.make_default,
            "started_by": setup.started_by,
            "created_at": setup.created_at,
        },
    )


async def load(tx: ReadTx, setup_id: str, *, for_update: bool = False) -> Setup:
    """A setup of this organization; NOT_FOUND."""
    setup = await find(tx, setup_id, for_update=for_update)
    if setup is None:
        raise not_found("payment_method_setup")
    return setup


async def find(tx: ReadTx, setup_id: str, *, for_update: bool = False) -> Setup | None:
    """The same; None if there is none."""
    params = {"organization_id": tx.organization_id, "setup_id": setup_id}
    row = (await tx.execute(_LOAD_LOCKED if for_update else _LOAD, params)).first()
    return None if row is None else _to_setup(row)


async def save(tx: WriteTx, setup: Setup) -> None:
    """Write what became of a setup."""
    await tx.execute(
        _SAVE,
        {
            "organization_id": tx.organization_id,
            "setup_id": setup.setup_id,
            "status": setup.status,
            "redirect_url": setup.redirect_url,
            "failure_code": setup.failure_code,
            "payment_method_id": setup.payment_method_id,
            "finished_at": None if setup.status == "requires_action" else tx.now(),
        },
    )


async def count_since(tx: ReadTx, customer_id: str, *, since: datetime) -> int:
    """How many setups a customer started since then."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id, "since": since}
    return int((await tx.execute(_COUNT, params)).scalar_one())


async def waiting(
    tx: ReadTx, *, now: datetime, older_than: timedelta, limit: int
) -> Sequence[tuple[str, str]]:
    """Organization and id of setups that nobody came back from for so long. In a sweep."""
    rows = await tx.execute(_WAITING, {"before": now - older_than, "limit": limit})
    return [(row.organization_id, row.setup_id) for row in rows]


def _to_setup(row: Row[Any]) -> Setup:
    return Setup(
        setup_id=row.setup_id,
        customer_id=row.customer_id,
        provider=row.provider,
        kind=row.kind,
        customer_token=row.customer_token,
        return_url=row.return_url,
        make_default=row.make_default,
        started_by=row.started_by,
        created_at=row.created_at,
        status=row.status,
        redirect_url=row.redirect_url,
        failure_code=row.failure_code,
        payment_method_id=row.payment_method_id,
    )


_INSERT = text("""
    INSERT INTO payment_method_setups (
        organization_id, setup_id, customer_id, provider, kind, customer_token, status, return_url, redirect_url,
        failure_code, payment_method_id, make_default, started_by, created_at
    ) VALUES (
        :organization_id, :setup_id, :customer_id, :provider, :kind, :customer_token, 'requires_action',
        :return_url, '', '', '', :make_default, :started_by, :created_at
    )
""")
_ONE = "organization_id = :organization_id AND setup_id = :setup_id"
_LOAD = text(f"SELECT * FROM payment_method_setups WHERE {_ONE}")  # noqa: S608 - constants only
_LOAD_LOCKED = text(f"SELECT * FROM payment_method_setups WHERE {_ONE} FOR UPDATE")  # noqa: S608
_SAVE = text(
    "UPDATE payment_method_setups SET status = :status, redirect_url = :redirect_url,"  # noqa: S608
    " failure_code = :failure_code, payment_method_id = :payment_method_id, finished_at = :finished_at"
    f" WHERE {_ONE}"
)
_COUNT = text(
    "SELECT count(*) FROM payment_method_setups WHERE organization_id = :organization_id"
    " AND customer_id = :customer_id AND created_at > :since"
)
_WAITING = text(
    "SELECT organization_id, setup_id FROM payment_method_setups"
    " WHERE status = 'requires_action' AND created_at < :before ORDER BY created_at LIMIT :limit"
)
