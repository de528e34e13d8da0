"""Asks providers about refunds that have not ended, and about succeeded payments that banks may still take back."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from prometheus_client import Counter

from chassis.caller import call_scope, service_call
from chassis.crashpoints import crashpoint
from chassis.database import WriteTx
from chassis.errors import ServiceError
from services.payments.desk import Desk
from services.payments.domain.case import Case
from services.payments.domain.refund import Refund
from services.payments.operations.apply_reversals import WATCH_PERIOD
from services.payments.operations.continue_payment import ask_again
from services.payments.operations.settle_payment import settle
from services.payments.operations.settle_refund import put_off
from services.payments.operations.submit_refund import continue_refund
from services.payments.store import cases, chargebacks, refunds

BATCH = 50
AT_ONCE = 4
CHECKS = Counter(
    "tallyport_payments_reversal_checks_total", "Questions asked about refunds and late returns", ["kind"]
)
_log = structlog.get_logger("payments.reversals")


async def reconcile_refunds(desk: Desk) -> int:
    """Ask about every refund that is due, at most BATCH of them; returns how many there were."""
    async with desk.db.sweep() as tx:
        due = await refunds.due(tx, now=tx.now(), limit=BATCH)
    await _each([(one.organization_id, one.refund_id) for one in due], lambda o, r: _check_refund(desk, o, r))
    return len(due)


async def watch_payments(desk: Desk) -> int:
    """Ask about succeeded payments whose daily turn has come, at most BATCH; returns how many there were."""
    async with desk.db.sweep() as tx:
        due = await chargebacks.watches_due(tx, now=tx.now(), limit=BATCH)
    await _each(
        [(one.organization_id, one.attempt_id) for one in due], lambda o, a: _check_payment(desk, o, a)
    )
    return len(due)


async def _check_refund(desk: Desk, organization_id: str, refund_id: str) -> None:
    async def take(tx: WriteTx) -> tuple[Case, Refund] | None:
        refund = await refunds.claim_check(tx, refund_id)
        if refund is None:
            return None
        await put_off(tx, refund, delays_seconds=desk.settings.check_delays_seconds)
        return await cases.load(tx, refund.payment_id), refund

    taken = await desk.db.run_write(organization_id, take)
    if taken is not None:
        crashpoint("reconcile.after_fetch")
        CHECKS.labels("refund").inc()
        await continue_refund(desk, *taken)


async def _check_payment(desk: Desk, organization_id: str, attempt_id: str) -> None:
    async def take(tx: WriteTx) -> Case | None:
        mine = await chargebacks.claim_watch(tx, attempt_id, next_check_at=tx.now() + WATCH_PERIOD)
        return await cases.find_by_attempt(tx, attempt_id) if mine else None

    case = await desk.db.run_write(organization_id, take)
    if case is None:
        return
    CHECKS.labels("payment").inc()
    answer = await ask_again(desk, case)
    if answer.outcome is not None:
        await settle(desk, case, answer.outcome)


async def _each(due: Sequence[tuple[str, str]], check: Callable[[str, str], Awaitable[None]]) -> None:
    """Each in its own transactions; whatever goes wrong with one holds up no other."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(organization_id: str, thing_id: str) -> None:
        try:
            async with at_once:
                with call_scope(service_call("payments", organization_id, method="reconcile")):
                    await check(organization_id, thing_id)
        except ServiceError as error:
            _log.warning("not checked", id=thing_id, reason=error.reason)
        except Exception as error:
            _log.error("could not be checked", id=thing_id, exc_info=error)

    async with asyncio.TaskGroup() as group:
        for organization_id, thing_id in due:
            group.create_task(one(organization_id, thing_id))
