"""Stops an organization's money writes when a check finds its books wrong; reading goes on.

Every service with a ledger keeps `books_state`, a row for each organization. Guarded tables refuse new rows while the
organization is frozen, in the database itself, so that no code path can forget to ask. What had begun before is
still written to its end: money that has moved is never left out of the books.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import perf_counter

import structlog
from prometheus_client import Gauge
from sqlalchemy import text

from chassis import audit
from chassis.caller import call_scope, service_call
from chassis.database import Database, ReadTx, WriteTx

CHECK_PERIOD_SECONDS = 15.0
SHORTEST_WAIT_SECONDS = 30.0
SHARE_OF_TIME = 0.02
"""Checks take at most this share of one processor: large books are looked at less often, small ones twice a minute."""
MOST_FOUND = 50
BATCH = 20

_FROZEN = Gauge("tallyport_books_frozen", "Organizations whose money writes are frozen.", ["service"])
_log = structlog.get_logger("books")


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that must be true and is not: `invariant` is I1 to I12, `found` says where."""

    invariant: str
    found: str

    @property
    def freezes(self) -> bool:
        """Whether money might be wrong. What is merely slow (I11), as while a provider is away, only alarms."""
        return self.invariant != "I11"


@dataclass(frozen=True, slots=True)
class BooksState:
    """What the last check found. Never checked: `checked_at` is None."""

    frozen_at: datetime | None = None
    checked_at: datetime | None = None
    broken: tuple[Broken, ...] = ()


Verify = Callable[[ReadTx], Awaitable[Sequence[Broken]]]
"""A service's own check of the transaction's organization."""


async def state(tx: ReadTx) -> BooksState:
    """The books' state of the transaction's organization."""
    row = (await tx.execute(_STATE, {"organization_id": tx.organization_id})).first()
    if row is None:
        return BooksState()
    return BooksState(row.frozen_at, row.checked_at, tuple(Broken(**one) for one in row.broken))


async def check(db: Database, organization_id: str, verify: Verify) -> BooksState:
    """Check one organization's books now; freeze its money writes if they are wrong."""
    began = perf_counter()
    async with db.read(organization_id) as tx:
        broken = tuple(await verify(tx))[:MOST_FOUND]
    wrong = [one for one in broken if one.freezes]
    milliseconds = int((perf_counter() - began) * 1000)

    async def note(tx: WriteTx) -> BooksState:
        before = await state(tx)
        wait = max(SHORTEST_WAIT_SECONDS, milliseconds / 1000 / SHARE_OF_TIME)
        await tx.execute(
            _NOTE,
            {
                "organization_id": organization_id,
                "now": tx.now(),
                "next_check_at": tx.now() + timedelta(seconds=wait),
                "milliseconds": milliseconds,
                "broken": json.dumps([asdict(one) for one in broken]),
                "freeze": bool(wrong),
            },
        )
        if wrong and before.frozen_at is None:
            found = "; ".join(f"{one.invariant} {one.found}" for one in wrong)
            audit.record(tx, "books.frozen", organization_id, reason=found[:500])
            _log.critical("books are wrong: money writes are frozen", broken=found[:2000])
        return await state(tx)

    return await db.run_write(organization_id, note)


async def lift(tx: WriteTx, verify: Verify, *, reason: str) -> Broken | None:
    """Allow money writes again, unless a check made now still finds something wrong, which is returned."""
    for one in await verify(tx):
        if one.freezes:
            return one
    await tx.execute(_LIFT, {"organization_id": tx.organization_id})
    audit.record(tx, "books.freeze_lifted", tx.organization_id, reason=reason)
    return None


async def check_due(db: Database, verify: Verify) -> int:
    """Check the organizations whose turn has come, at most BATCH of them. For a job; returns how many."""
    is_in_turn = await db.in_turn()
    async with db.transport() as tx:
        everybody = [one for one in await audit.organizations(tx) if is_in_turn(one)]
    async with db.sweep() as swept:
        known = {row.organization_id: row for row in await swept.execute(_TURNS)}
        now = swept.now()
    _FROZEN.labels(db.name).set(sum(row.frozen_at is not None for row in known.values()))
    due = [one for one in everybody if one not in known or known[one].next_check_at <= now][:BATCH]
    for organization_id in due:
        with call_scope(service_call(db.name, organization_id, method="check books")):
            await check(db, organization_id, verify)
    return len(due)


_STATE = text(
    "SELECT frozen_at, checked_at, broken FROM books_state WHERE organization_id = :organization_id"
)
_TURNS = text("SELECT organization_id, next_check_at, frozen_at FROM books_state")
_NOTE = text("""
    INSERT INTO books_state AS s (
        organization_id, frozen_at, checked_at, next_check_at, check_milliseconds, broken
    ) VALUES (
        :organization_id, CASE WHEN :freeze THEN CAST(:now AS timestamptz) END, :now, :next_check_at, :milliseconds,
        CAST(:broken AS jsonb)
    ) ON CONFLICT (organization_id) DO UPDATE SET
        frozen_at = coalesce(s.frozen_at, excluded.frozen_at), checked_at = excluded.checked_at,
        next_check_at = excluded.next_check_at, check_milliseconds = excluded.check_milliseconds,
        broken = excluded.broken
""")
_LIFT = text("UPDATE books_state SET frozen_at = NULL WHERE organization_id = :organization_id")
