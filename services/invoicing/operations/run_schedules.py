"""Make the invoices that are due, each period once, and announce those that are to come."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import structlog

from chassis.caller import call_scope, service_call
from chassis.database import Database, ReadTx, WriteTx
from chassis.errors import ServiceError
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Terms as InvoiceTerms
from services.invoicing.domain.invoice_draft import InvoiceDraft
from services.invoicing.domain.schedule_billing import (
    PlannedInvoice,
    plan_invoice,
    used_before,
)
from services.invoicing.domain.subscription import Outcome, Schedule
from services.invoicing.formats.schedule_texts import line_drafts
from services.invoicing.operations.issue_planned import issue_planned
from services.invoicing.operations.preview_upcoming import prices_for
from services.invoicing.operations.settle_credit import settle_credit
from services.invoicing.store import schedules, usage
from services.invoicing.store.customers import get_customer
from services.invoicing.store.schedules import ScheduledInvoice
from services.invoicing.translate import schedule_events as events
from tallyport.invoicing.v1 import events_pb2

MOST_STEPS = 100
"""So many missed periods of one schedule are made in a row before others have their turn."""
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(hours=24)
_log = structlog.get_logger(__name__)


async def run_schedules(db: Database, *, limit: int) -> int:
    """Wake up to `limit` schedules of all organizations; returns how many. One that fails stops no other."""
    async with db.sweep() as tx:
        found = await schedules.awake(tx, limit=limit)
    for organization_id, schedule_id in found:
        with call_scope(service_call("invoicing", organization_id)):
            await _run(db, organization_id, schedule_id)
    return len(found)


async def _run(db: Database, organization_id: str, schedule_id: str) -> None:
    try:
        for _ in range(MOST_STEPS):
            if not await db.run_write(organization_id, _step_of(schedule_id)):
                return
    except ServiceError as error:
        _log.warning("schedule.failed", schedule_id=schedule_id, reason=error.reason)
        await db.run_write(organization_id, _failure_of(schedule_id, f"{error.reason}: {error}"))
    except Exception:  # a defect must not stop other schedules
        _log.exception("schedule.failed", schedule_id=schedule_id)
        await db.run_write(organization_id, _failure_of(schedule_id, "INTERNAL"))


def _step_of(schedule_id: str) -> Callable[[WriteTx], Coroutine[Any, Any, bool]]:
    async def step(tx: WriteTx) -> bool:
        """One billing or one notice in one transaction; False when there is nothing to do now."""
        schedule = await schedules.lock_schedule(tx, schedule_id, skip=True)
        if schedule is None:
            return False
        now = tx.now()
        if schedule.due_at is not None and schedule.due_at <= now:
            await _bill(tx, schedule)
        elif schedule.notice_at is not None and schedule.notice_at <= now:
            await _announce(tx, schedule)
        else:
            return False
        return True

    return step


def _failure_of(schedule_id: str, why: str) -> Callable[[WriteTx], Coroutine[Any, Any, None]]:
    async def note(tx: WriteTx) -> None:
        """Keep why, and try again later and later."""
        schedule = await schedules.lock_schedule(tx, schedule_id)
        assert schedule is not None
        wait = min(LAST_RETRY, FIRST_RETRY * 2 ** min(schedule.failures, 10))
        failed = replace(schedule, failure=why, failures=schedule.failures + 1)
        await schedules.update_schedule(tx, failed, wake_at=tx.now() + wait)

    return note


async def _bill(tx: WriteTx, schedule: Schedule) -> None:
    planned = await _plan(tx, schedule)
    customer = await get_customer(tx, schedule.customer_id)
    after = schedule.billed(planned)
    if planned.is_last and after.position.credits:
        left = await settle_credit(tx, schedule, after.position.credits)
        after = replace(after, position=replace(after.position, credits=tuple(left)))
    outcome, invoice_id = Outcome.COVERED if planned.lines else Outcome.NOTHING, None
    if planned.is_charged:
        draft = draft_of(schedule, planned, customer, schedule.today(tx.now()))
        issued = await issue_planned(
            tx, draft, customer, review=schedule.review, schedule_id=schedule.schedule_id
        )
        outcome, invoice_id = issued.outcome, issued.invoice.invoice_id
    made = ScheduledInvoice(
        period_start=planned.period_start,
        period_end=planned.period_end,
        number=planned.number,
        invoice_on=planned.invoice_on,
        outcome=outcome,
        invoice_id=invoice_id,
        made_at=tx.now(),
    )
    await schedules.insert_scheduled_invoice(tx, schedule.schedule_id, made)
    await usage.mark_billed(tx, schedule.schedule_id, before=planned.invoice_on, number=planned.number)
    if planned.is_last:
        after = events.schedule_changed(tx, after, customer, events_pb2.SCHEDULE_CHANGE_KIND_ENDED)
    await schedules.update_schedule(tx, after)


async def _announce(tx: WriteTx, schedule: Schedule) -> None:
    planned = await _plan(tx, schedule)
    after = replace(schedule, noticed_number=schedule.position.number)
    if planned.is_charged:
        customer = await get_customer(tx, schedule.customer_id)
        prices = await prices_for(tx, [schedule])
        total = prices.sums(schedule, planned, customer).total
        after = events.invoice_upcoming(tx, after, customer, planned, total)
    await schedules.update_schedule(tx, after)


async def _plan(tx: ReadTx, schedule: Schedule) -> PlannedInvoice:
    timeline = schedule.timeline
    found = await usage.unbilled(tx, schedule.schedule_id) if schedule.terms.is_metered else []
    day = timeline.billing_day(schedule.position.number)
    return plan_invoice(schedule.terms, schedule.position, used_before(found, day, since=timeline.begins_on))


def draft_of(schedule: Schedule, planned: PlannedInvoice, customer: Customer, today: date) -> InvoiceDraft:
    """The invoice as it is asked for: of today, also for a period that was missed."""
    return InvoiceDraft(
        customer_id=customer.customer_id,
        lines=line_drafts(planned, customer.locale),
        invoice_date=today,
        due_date=None,
        purchase_order_number=schedule.purchase_order_number,
        memo=schedule.memo,
        external_id=None,
        terms=InvoiceTerms(
            period_start=planned.period_start,
            period_end=planned.period_end,
            schedule_id=schedule.schedule_id,
        ),
    )
