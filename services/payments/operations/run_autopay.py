"""Starts automatic payments on their day, as if the payer had pressed the button."""

from dataclasses import replace
from datetime import timedelta

import structlog

from chassis.caller import call_scope, service_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.autopay import Run, RunInvoice, RunStatus, payable_at, sum_of
from services.payments.domain.due_item import Due
from services.payments.domain.payment import Method, Part
from services.payments.domain.wish import Wish
from services.payments.operations.create_payment import create_payment
from services.payments.operations.follow_autopay import fail_run
from services.payments.operations.plan_autopay import ASK_AGAIN_AFTER, announce_in, announce_run, wake_at
from services.payments.store import autopay, cases, policies

BATCH = 50
AGAIN = timedelta(minutes=10)
"""When a run is looked at again that could not be handled, because something was away."""
PASSING = (Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED, Kind.ABORTED, Kind.RESOURCE_EXHAUSTED, Kind.INTERNAL)
_log = structlog.get_logger("payments.autopay")


async def act_on_runs(desk: Desk) -> int:
    """Announce and start what is due, at most BATCH runs; returns how many there were."""
    async with desk.db.sweep() as sweep:
        due = await autopay.due_runs(sweep, now=sweep.now(), limit=BATCH)
    for organization_id, run_id in due:
        call = service_call("payments", organization_id, method="autopay")
        with call_scope(call):
            try:
                await _act(desk, organization_id, run_id)
            except ServiceError as error:
                _log.warning("autopay run waits", run_id=run_id, reason=error.reason)
                await _look_again(desk, organization_id, run_id)
            except Exception as error:
                _log.error("autopay run could not be handled", run_id=run_id, exc_info=error)
                await _look_again(desk, organization_id, run_id)
    return len(due)


async def _act(desk: Desk, organization_id: str, run_id: str) -> None:
    async with desk.db.read(organization_id) as tx:
        run = await autopay.load_run(tx, run_id)
        settings = await autopay.settings_of(tx, run.customer_id)
        wakes_at = wake_at(run, settings, await cases.organization(tx))
    if not run.status.waits or wakes_at is None:
        await _sleep(desk, organization_id, run_id)
    elif run.noticed_at is None:
        await announce_run(desk, organization_id, run_id)
    elif run.status is RunStatus.NEEDS_CONFIRMATION:
        await _cancel_if_settled(desk, organization_id, run)
    elif wakes_at > await desk.db.now_of(organization_id):
        await _look_again(desk, organization_id, run_id)
    else:
        await _start(desk, organization_id, run, settings.payment_method_id)


async def _start(desk: Desk, organization_id: str, run: Run, payment_method_id: str) -> None:
    due = await desk.reservations.due(organization_id, [run.customer_id])
    payable = payable_at(run, due.items, await desk.db.now_of(organization_id))
    if not payable:
        await _cancel_if_settled(desk, organization_id, run)
        return
    async with desk.db.read(organization_id) as tx:
        terms = await policies.terms(tx, run.customer_id)
    if terms.find(Method.CREDIT) is None:
        due = replace(due, credit={})  # the organization lets nobody pay with credit
    key = f"{run.run_id}/{run.tries + 1}/{run.version}"
    call = service_call("payments", organization_id, method="autopay", idempotency_key=key)
    try:
        with call_scope(call):
            await create_payment(desk, _wish(run, payable, due, payment_method_id))
    except ServiceError as error:
        await _not_started(desk, organization_id, run, due, error)


def _wish(run: Run, payable: tuple[RunInvoice, ...], due: Due, payment_method_id: str) -> Wish:
    """Credit first; only what it leaves is charged."""
    total = sum_of(payable)
    credit = min(due.credit_of(run.customer_id, total.currency), total)
    is_covered = credit == total
    return Wish(
        parts=tuple(Part(one.invoice_id, one.amount, one.number) for one in payable),
        method=Method.CREDIT if is_covered else Method.CARD,
        payment_method_id="" if is_covered else payment_method_id,
        credit=credit if credit.minor_units > 0 else Money.zero(total.currency),
        customer_id=run.customer_id,
        source=run.run_id,
    )


async def _not_started(desk: Desk, organization_id: str, run: Run, due: Due, error: ServiceError) -> None:
    """No payment came about, or it was refused before the provider heard of it."""

    async def write(tx: WriteTx) -> None:
        settings = await autopay.settings_of(tx, run.customer_id, lock=True)
        current = await autopay.load_run(tx, run.run_id, for_update=True)
        organization = await cases.organization(tx)
        if current.version != run.version or not current.status.waits:
            return  # its payment was written down, and with it what became of it; or the payer was faster
        if error.reason == "AUTOPAY_NOT_AGREED":
            await announce_in(tx, replace(current, noticed_at=None), settings, due)
        elif not settings.is_on(organization.day_of(tx.now())):
            await autopay.save_run(tx, replace(current, act_at=wake_at(current, settings, organization)))
        elif error.kind in PASSING or error.reason == "AUTOPAY_RUN_CLOSED":
            await autopay.save_run(tx, replace(current, act_at=tx.now() + AGAIN))
        elif error.metadata.get("state") == "cooling_off":
            await autopay.save_run(tx, replace(current, act_at=tx.now() + timedelta(hours=1)))
        else:
            await fail_run(tx, replace(current, tries=current.tries + 1), error.reason.lower())

    await desk.db.run_write(organization_id, write)


async def _cancel_if_settled(desk: Desk, organization_id: str, run: Run) -> None:
    """A run of which nothing is left to pay is over; another one is looked at again tomorrow."""
    due = await desk.reservations.due(organization_id, [run.customer_id])

    async def write(tx: WriteTx) -> None:
        current = await autopay.load_run(tx, run.run_id, for_update=True)
        if not current.status.waits:
            return
        if payable_at(current, due.items, tx.now()):
            after = replace(current, act_at=tx.now() + ASK_AGAIN_AFTER)
        else:
            after = replace(current, status=RunStatus.CANCELED, act_at=None)
        await autopay.save_run(tx, after)

    await desk.db.run_write(organization_id, write)


async def _look_again(desk: Desk, organization_id: str, run_id: str) -> None:
    async def write(tx: WriteTx) -> None:
        run = await autopay.load_run(tx, run_id, for_update=True)
        if run.status.waits:
            await autopay.save_run(tx, replace(run, act_at=tx.now() + AGAIN))

    await desk.db.run_write(organization_id, write)


async def _sleep(desk: Desk, organization_id: str, run_id: str) -> None:
    async def write(tx: WriteTx) -> None:
        run = await autopay.load_run(tx, run_id, for_update=True)
        if not run.status.waits:
            await autopay.save_run(tx, replace(run, act_at=None))

    await desk.db.run_write(organization_id, write)
