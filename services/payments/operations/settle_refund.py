"""Writes down what a provider said of a refund: its state, the books and the news in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from chassis import idempotency
from chassis.caller import Call, call_scope
from chassis.database import WriteTx
from services.payments.desk import Desk, unhurried
from services.payments.domain.refund import Refund, RefundStatus
from services.payments.operations.reverse_payment import reverse_in
from services.payments.providers import RefundOutcome
from services.payments.store import refunds, reversals
from tallyport.payments.v1 import refunds_pb2

LATE_CHECKS = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
"""After these a refund that succeeded is looked at again: a bank may still refuse it."""
_log = structlog.get_logger("payments.refund")


async def settle_refund(
    desk: Desk, organization_id: str, refund: Refund, outcome: RefundOutcome, *, key: Call | None = None
) -> Refund:
    """Apply an outcome; answers with what is true afterwards. `key` is a call whose key is now finished."""

    async def write(tx: WriteTx) -> Refund:
        case, before = await reversals.lock(tx, refund.payment_id)
        known = before.refund(refund.refund_id)
        assert known is not None, "refunds are never deleted"
        after = _after(known, outcome, now=tx.now(), delays_seconds=desk.settings.check_delays_seconds)
        await reverse_in(tx, case, before, before.with_refund(after))
        if key is not None:
            with call_scope(key):
                await idempotency.finish(tx, refunds_pb2.Refund())
        return after

    with unhurried(organization_id):
        return await desk.db.run_write(organization_id, write)


async def put_off(tx: WriteTx, refund: Refund, *, delays_seconds: Sequence[int]) -> None:
    """Say when a refund is asked about next, whatever comes of asking now."""
    checks = refund.checks + 1
    at = next_check_at(refund, checks=checks, now=tx.now(), delays_seconds=delays_seconds)
    await refunds.put_off(tx, replace(refund, checks=checks, next_check_at=at))


def next_check_at(
    refund: Refund, *, checks: int, now: datetime, delays_seconds: Sequence[int]
) -> datetime | None:
    """Soon at first, hourly at last; once it succeeded a few times more, and never once it failed."""
    if refund.status.is_live:
        return now + timedelta(seconds=delays_seconds[min(checks, len(delays_seconds) - 1)])
    if refund.status is RefundStatus.FAILED:
        return None
    finished = refund.finished_at or now
    return next((finished + late for late in LATE_CHECKS if finished + late > now), None)


def _after(refund: Refund, outcome: RefundOutcome, *, now: datetime, delays_seconds: Sequence[int]) -> Refund:
    status = RefundStatus(outcome.state.value)
    if outcome.amount is not None and outcome.amount != refund.amount:
        _log.error(
            "refund of another sum than asked for", refund_id=refund.refund_id, said=str(outcome.amount)
        )
        status = RefundStatus.UNKNOWN
    after = refund.after(
        status, now=now, provider_reference=outcome.provider_reference, failure_code=outcome.failure_code
    )
    if after.status is refund.status:
        return after
    return replace(
        after,
        next_check_at=next_check_at(after, checks=after.checks, now=now, delays_seconds=delays_seconds),
    )
