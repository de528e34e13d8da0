"""Counters of failed sign-ins."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import ReadTx, WriteTx
from services.identity.domain.throttle import AccountThrottle, NetworkBucket
from services.identity.tables import login_throttles, network_buckets


async def lock_account(tx: WriteTx, account_hash: bytes) -> AccountThrottle:
    """The account's counter, locked to the end of the transaction; made when there is none."""
    new = {"organization_id": tx.organization_id, "account_hash": account_hash, "failures": 0}
    statement = insert(login_throttles).values(new)
    same = {"failures": login_throttles.c.failures}  # an update that changes nothing: it locks and returns
    statement = statement.on_conflict_do_update(constraint="pk_login_throttles", set_=same)
    row = (await tx.execute(statement.returning(login_throttles))).one()
    return AccountThrottle(
        failures=row.failures, last_failure_at=row.last_failure_at, blocked_until=row.blocked_until
    )


async def keep_account(tx: WriteTx, account_hash: bytes, throttle: AccountThrottle) -> None:
    values = {
        "failures": throttle.failures,
        "last_failure_at": throttle.last_failure_at,
        "blocked_until": throttle.blocked_until,
    }
    await tx.execute(login_throttles.update().where(_account(tx, account_hash)).values(values))


async def lock_network(tx: WriteTx, network: str) -> NetworkBucket:
    """The network's bucket, locked to the end of the transaction; a full one when there is none."""
    full = {
        "organization_id": tx.organization_id,
        "network": network,
        "tries_left": NetworkBucket().tries_left,
    }
    statement = insert(network_buckets).values(full)
    same = {"tries_left": network_buckets.c.tries_left}
    statement = statement.on_conflict_do_update(constraint="pk_network_buckets", set_=same)
    row = (await tx.execute(statement.returning(network_buckets))).one()
    return NetworkBucket(tries_left=row.tries_left, counted_at=row.counted_at)


async def keep_network(tx: WriteTx, network: str, bucket: NetworkBucket) -> None:
    values = {"tries_left": bucket.tries_left, "counted_at": bucket.counted_at}
    await tx.execute(network_buckets.update().where(_network(tx, network)).values(values))


async def organizations_with_old_throttles(tx: ReadTx, *, older_than: datetime, limit: int) -> list[str]:
    """In a sweep: who has counters that no longer matter."""
    query = select(login_throttles.c.organization_id).where(login_throttles.c.last_failure_at < older_than)
    return [row.organization_id for row in await tx.execute(query.distinct().limit(limit))]


async def delete_old_throttles(tx: WriteTx, *, older_than: datetime) -> int:
    """Deletes the organization's counters of failures that were forgotten; how many."""
    accounts = login_throttles.c
    deleted = await tx.execute(
        delete(login_throttles)
        .where(accounts.organization_id == tx.organization_id, accounts.last_failure_at < older_than)
        .returning(accounts.failures)
    )
    buckets = network_buckets.c
    await tx.execute(
        delete(network_buckets).where(
            buckets.organization_id == tx.organization_id, buckets.counted_at < older_than
        )
    )
    return len(deleted.all())


def _account(tx: WriteTx, account_hash: bytes) -> Any:
    return (login_throttles.c.organization_id == tx.organization_id) & (
        login_throttles.c.account_hash == account_hash
    )


def _network(tx: WriteTx, network: str) -> Any:
    return (network_buckets.c.organization_id == tx.organization_id) & (network_buckets.c.network == network)
