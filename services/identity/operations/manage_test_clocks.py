"""Making, moving and removing an organization's test clock; the moving itself is the worker's (clock_mover)."""

import asyncio
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError

from chassis import audit, idempotency, ids
from chassis.caller import current_call
from chassis.clock_port import in_live_mode
from chassis.database import Database, WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError, not_found
from services.identity.domain.test_clock import TestClock, new_clock
from services.identity.store import organizations, test_clocks
from services.identity.translate import to_proto_test_clock
from tallyport.identity.v1 import test_clocks_pb2

ANSWER_SECONDS: Final = 0.3
"""Kept back from the call's time for its answer."""
LONGEST_WAIT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.02
LONGEST_POLL_SECONDS: Final = 0.25


async def create_test_clock(
    db: Database, organization_id: str, *, name: str, begins_at: datetime
) -> test_clocks_pb2.TestClock:
    """Raises TEST_CLOCK_IN_LIVE_MODE, TEST_CLOCK_EXISTS. The answer comes when every service lives by the clock."""

    async def create(tx: WriteTx) -> test_clocks_pb2.TestClock:
        organization = await organizations.get_organization(tx)
        if organization is None:
            raise not_found("organization")
        if organization.live_mode:
            raise in_live_mode()
        if await test_clocks.find_clock(tx) is not None:
            raise _exists()
        clock = new_clock(ids.new_id("clk"), name, begins_at=begins_at, now=tx.machine_now())
        await test_clocks.insert_clock(tx, clock, live_mode=organization.live_mode)
        audit.record(tx, "test_clock.created", clock.test_clock_id, reason=begins_at.isoformat())
        return to_proto_test_clock(clock)

    try:
        made = await idempotency.once(db, test_clocks_pb2.TestClock, create)
    except IntegrityError as error:
        if violated_constraint(error) == "pk_test_clocks":
            raise _exists() from error
        raise
    return await _at_rest(db, organization_id, made)


async def advance_test_clock(
    db: Database, organization_id: str, test_clock_id: str, *, to: datetime
) -> test_clocks_pb2.TestClock:
    """Raises TEST_CLOCK_NOT_FOUND, TEST_CLOCK_ADVANCING, INVALID_ARGUMENT for a moment that is past or too far."""

    async def advance(tx: WriteTx) -> test_clocks_pb2.TestClock:
        clock = (await _find(tx, test_clock_id)).towards(to)
        await test_clocks.save_clock(tx, clock)
        audit.record(tx, "test_clock.advanced", test_clock_id, reason=to.isoformat())
        return to_proto_test_clock(clock)

    moved = await idempotency.once(db, test_clocks_pb2.TestClock, advance)
    return await _at_rest(db, organization_id, moved)


async def stop_test_clock(
    db: Database, organization_id: str, test_clock_id: str
) -> test_clocks_pb2.TestClock:
    """Raises TEST_CLOCK_NOT_FOUND. A clock on its way stands at its next stop; one that stands stays as it is."""

    async def stop(tx: WriteTx) -> test_clocks_pb2.TestClock:
        clock = (await _find(tx, test_clock_id)).stopped()
        await test_clocks.save_clock(tx, clock)
        audit.record(tx, "test_clock.stopped", test_clock_id, reason=clock.frozen_at.isoformat())
        return to_proto_test_clock(clock)

    stopped = await idempotency.once(db, test_clocks_pb2.TestClock, stop)
    return await _at_rest(db, organization_id, stopped)


async def delete_test_clock(
    db: Database, organization_id: str, test_clock_id: str
) -> test_clocks_pb2.TestClock:
    """Raises TEST_CLOCK_NOT_FOUND. A walk that is under way ends at its next stop."""

    async def delete(tx: WriteTx) -> test_clocks_pb2.TestClock:
        clock = (await _find(tx, test_clock_id)).going()
        await test_clocks.save_clock(tx, clock)
        audit.record(tx, "test_clock.deleted", test_clock_id)
        return to_proto_test_clock(clock)

    going = await idempotency.once(db, test_clocks_pb2.TestClock, delete)
    return await _at_rest(db, organization_id, going)


async def find_test_clock(db: Database, organization_id: str) -> TestClock | None:
    """The organization's clock."""
    async with db.read(organization_id) as tx:
        return await test_clocks.find_clock(tx)


async def get_test_clock(db: Database, organization_id: str, test_clock_id: str) -> TestClock:
    """Raises TEST_CLOCK_NOT_FOUND."""
    clock = await find_test_clock(db, organization_id)
    if clock is None or clock.test_clock_id != test_clock_id:
        raise not_found("test_clock")
    return clock


async def _find(tx: WriteTx, test_clock_id: str) -> TestClock:
    clock = await test_clocks.find_clock(tx, for_update=True)
    if clock is None or clock.test_clock_id != test_clock_id:
        raise not_found("test_clock")
    return clock


async def _at_rest(
    db: Database, organization_id: str, known: test_clocks_pb2.TestClock
) -> test_clocks_pb2.TestClock:
    """The clock once it has come to rest, or as it is when the call's time is over."""
    remaining = current_call().remaining_seconds()
    loop, pause = asyncio.get_running_loop(), POLL_SECONDS
    seconds = LONGEST_WAIT_SECONDS if remaining is None else remaining - ANSWER_SECONDS
    ends = loop.time() + seconds
    while True:
        clock = await find_test_clock(db, organization_id)
        if clock is None or clock.test_clock_id != known.test_clock_id:
            known.status = test_clocks_pb2.TEST_CLOCK_STATUS_DELETED
            return known
        if not clock.moves or loop.time() + pause > ends:
            return to_proto_test_clock(clock)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_POLL_SECONDS)


def _exists() -> ServiceError:
    return ServiceError(
        Kind.ALREADY_EXISTS, "TEST_CLOCK_EXISTS", "This organization has a test clock already."
    )
