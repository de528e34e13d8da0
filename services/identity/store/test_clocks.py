"""Rows of test clocks."""

from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from services.identity.domain.test_clock import ClockStatus, TestClock

CHANNEL = "test_clock_moves"
"""NOTIFY channel on which the worker hears of clocks that are to be moved."""


async def insert_clock(tx: WriteTx, clock: TestClock, *, live_mode: bool) -> None:
    """A second one of the organization violates pk_test_clocks; one in live mode ck_test_clocks_live_mode."""
    await tx.execute(_INSERT, _params(tx, clock) | {"live_mode": live_mode})
    tx.wake(CHANNEL)


async def find_clock(tx: ReadTx, *, for_update: bool = False) -> TestClock | None:
    """The clock of the transaction's organization."""
    row = (
        await tx.execute(_FIND_LOCKED if for_update else _FIND, {"organization_id": tx.organization_id})
    ).first()
    return None if row is None else _clock(row)


async def save_clock(tx: WriteTx, clock: TestClock) -> None:
    await tx.execute(_SAVE, _params(tx, clock))
    tx.wake(CHANNEL)


async def delete_clock(tx: WriteTx) -> None:
    await tx.execute(_DELETE, {"organization_id": tx.organization_id})


async def moving_clocks(tx: ReadTx) -> list[str]:
    """Organizations whose clocks somebody has to move, in a sweep."""
    return [row.organization_id for row in await tx.execute(_MOVING)]


def _params(tx: ReadTx, clock: TestClock) -> dict[str, Any]:
    return {
        "organization_id": tx.organization_id,
        "test_clock_id": clock.test_clock_id,
        "name": clock.name,
        "frozen_at": clock.frozen_at,
        "target_at": clock.target_at,
        "status": clock.status.value,
        "steps": clock.steps,
        "failure": clock.failure,
        "created_at": clock.created_at,
    }


def _clock(row: Row[Any]) -> TestClock:
    return TestClock(**{**row._mapping, "status": ClockStatus(row.status)})


_INSERT = text("""
    INSERT INTO test_clocks (
        organization_id, test_clock_id, name, frozen_at, target_at, status, steps, failure, live_mode, created_at
    ) VALUES (
        :organization_id, :test_clock_id, :name, :frozen_at, :target_at, :status, :steps, :failure, :live_mode,
        :created_at
    )
""")
_FIND = text(
    "SELECT test_clock_id, name, frozen_at, target_at, status, steps, failure, created_at FROM test_clocks"
    " WHERE organization_id = :organization_id"
)
_FIND_LOCKED = text(_FIND.text + " FOR UPDATE")
_SAVE = text("""
    UPDATE test_clocks
    SET frozen_at = :frozen_at, target_at = :target_at, status = :status, steps = :steps, failure = :failure
    WHERE organization_id = :organization_id AND test_clock_id = :test_clock_id
""")
_DELETE = text("DELETE FROM test_clocks WHERE organization_id = :organization_id")
_MOVING = text(
    "SELECT organization_id FROM test_clocks WHERE status IN ('advancing', 'deleting') ORDER BY organization_id"
)
