"""Asks providers what became of attempts that nobody has heard of, until each of them is settled."""

import asyncio
from datetime import timedelta

import structlog
from prometheus_client import Counter, Gauge

from chassis.caller import call_scope, service_call
from chassis.crashpoints import crashpoint
from chassis.database import WriteTx
from chassis.errors import ServiceError
from services.payments.desk import Desk
from services.payments.domain.case import Case
from services.payments.domain.outcome import Status
from services.payments.operations.continue_payment import continue_payment
from services.payments.operations.settle_payment import settle
from services.payments.operations.verify_books import SLOW_AFTER
from services.payments.providers import ProviderSilentError
from services.payments.store import attempts, cases
from services.payments.store.attempts import Due

BATCH = 50
AT_ONCE = 4
"""So that a provider that hangs does not hold up everybody, and connections are left for the rest."""
OVERDUE_AFTER = timedelta(minutes=15)
CHECKS = Counter("tallyport_payments_checks_total", "Questions asked about unsettled attempts", ["outcome"])
OVERDUE = Gauge("tallyport_payments_unresolved", "Payments without a certain outcome for over 15 minutes")
_log = structlog.get_logger("payments.reconcile")


async def reconcile_attempts(desk: Desk) -> int:
    """Ask about every attempt that is due, at most BATCH of them; returns how many there were."""
    async with desk.db.sweep() as tx:
        due = await attempts.due(tx, now=tx.now(), limit=BATCH)
    at_once = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for one in due:
            group.create_task(_reconcile_one(desk, one, at_once))
    return len(due)


async def count_overdue(desk: Desk) -> int:
    """Set the figure that alarms; always 0, since there is never more to do at once."""
    async with desk.db.sweep() as tx:
        overdue = await attempts.count_overdue(
            tx, now=tx.now(), older_than=OVERDUE_AFTER, slow_older_than=SLOW_AFTER
        )
    OVERDUE.set(overdue)
    if overdue:
        _log.error("payments without a certain outcome for over 15 minutes", payments=overdue)
    return 0


async def _reconcile_one(desk: Desk, due: Due, at_once: asyncio.Semaphore) -> None:
    """One attempt in its own transactions; whatever goes wrong with it holds up no other."""
    call = service_call("payments", due.organization_id, method="reconcile")
    try:
        async with at_once:
            with call_scope(call):
                await _check(desk, due)
    except ServiceError as error:
        CHECKS.labels("refused").inc()
        _log.warning("attempt not settled", attempt_id=due.attempt_id, reason=error.reason)
    except Exception as error:
        CHECKS.labels("error").inc()
        _log.error("attempt could not be checked", attempt_id=due.attempt_id, exc_info=error)


async def _check(desk: Desk, due: Due) -> None:
    case = await _claim(desk, due)
    if case is None:
        return
    crashpoint("reconcile.after_fetch")
    after = await _expire(desk, await continue_payment(desk, case))
    CHECKS.labels(after.payment.status.value).inc()


async def _claim(desk: Desk, due: Due) -> Case | None:
    settings = desk.settings

    async def take(tx: WriteTx) -> Case | None:
        mine = await attempts.claim_check(
            tx,
            due.attempt_id,
            delays_seconds=settings.check_delays_seconds,
            expires_seconds=settings.checkout_expires_seconds,
        )
        return await cases.find_by_attempt(tx, due.attempt_id) if mine else None

    return await desk.db.run_write(due.organization_id, take)


async def _expire(desk: Desk, case: Case) -> Case:
    """Close a hosted page on which nobody has paid in time."""
    age = await desk.db.now_of(case.organization_id) - case.payment.created_at
    waits = case.payment.status is Status.REQUIRES_ACTION
    if not waits or age < timedelta(seconds=desk.settings.checkout_expires_seconds):
        return case
    try:
        outcome = await desk.provider_for(case.at_provider).cancel(
            case.at_provider, timeout_seconds=desk.provider_seconds()
        )
    except ProviderSilentError:
        return case
    return await settle(desk, case, outcome)
