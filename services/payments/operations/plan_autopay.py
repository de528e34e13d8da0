"""Plans automatic payments from what is due, and tells payers of them in time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from chassis import outbox
from chassis.caller import call_scope, service_call
from chassis.database import WriteTx
from chassis.errors import ServiceError
from chassis.ids import new_id
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.autopay import (
    START_HOUR,
    AutopaySettings,
    Run,
    RunStatus,
    day_after_notice,
    notice_day,
    payable_at,
    plan,
    sum_of,
)
from services.payments.domain.case import Organization
from services.payments.domain.due_item import Due
from services.payments.domain.payment import Method
from services.payments.domain.saved_method import SavedMethod
from services.payments.store import autopay, cases, payer_rules, payment_methods, policies
from services.payments.translate.payments import to_proto_money
from tallyport.payments.v1 import events_pb2

AGGREGATE = "autopay_run"
CUSTOMERS_AT_ONCE = 500
ASK_AGAIN_AFTER = timedelta(hours=24)
"""A run that waits for the payer's word is looked at daily: its invoices may be paid meanwhile."""
_log = structlog.get_logger("payments.autopay")


async def plan_autopay(desk: Desk) -> int:
    """Plan for all customers with autopay; 0, since it goes through all of them in one turn."""
    after = ("", "")
    while True:
        async with desk.db.sweep() as sweep:
            found = await autopay.customers_with_autopay(sweep, after=after, limit=CUSTOMERS_AT_ONCE)
        by_organization: dict[str, list[str]] = {}
        for organization_id, customer_id in found:
            by_organization.setdefault(organization_id, []).append(customer_id)
        for organization_id, customers in by_organization.items():
            try:
                await _plan(desk, organization_id, customers)
            except ServiceError as error:
                _log.warning("autopay not planned", organization_id=organization_id, reason=error.reason)
        if len(found) < CUSTOMERS_AT_ONCE:
            return 0
        after = found[-1]


async def plan_customer(desk: Desk, organization_id: str, customer_id: str) -> None:
    """Plan for one customer now. Raises ServiceError when invoicing is away."""
    due = await desk.reservations.due(organization_id, [customer_id])
    await _plan_from(desk, organization_id, customer_id, due)


def wake_at(run: Run, settings: AutopaySettings, organization: Organization) -> datetime | None:
    """When the clock looks at a run that waits: at the day of its notice, or in the morning of its payment."""
    if not run.status.waits:
        return None
    if run.status is RunStatus.RETRYING and run.next_try_on is not None:
        day = run.next_try_on
    else:
        day = notice_day(run, settings) if run.noticed_at is None else run.pay_on
    if settings.paused_until is not None:
        day = max(day, settings.paused_until)
    return organization.moment_of(day, 0 if run.noticed_at is None else START_HOUR)


async def announce_run(desk: Desk, organization_id: str, run_id: str) -> None:
    """Tell the payer of a run on its day. What is paid otherwise meanwhile is left out, or ends it."""
    async with desk.db.read(organization_id) as reading:
        run = await autopay.load_run(reading, run_id)
    due = await desk.reservations.due(organization_id, [run.customer_id])

    async def write(tx: WriteTx) -> None:
        settings = await autopay.settings_of(tx, run.customer_id, lock=True)
        current = await autopay.load_run(tx, run_id, for_update=True)
        if current.noticed_at is None and current.status.waits:
            await announce_in(tx, current, settings, due)

    await desk.db.run_write(organization_id, write)


async def announce_in(tx: WriteTx, run: Run, settings: AutopaySettings, due: Due) -> None:
    """The same inside a transaction in which settings and run are locked."""
    organization = await cases.organization(tx)
    today = organization.day_of(tx.now())
    pay_on = day_after_notice(run, settings, today=today)
    payable = payable_at(run, due.items, organization.moment_of(pay_on, START_HOUR))
    if not settings.enabled or not payable:
        await autopay.save_run(tx, replace(run, status=RunStatus.CANCELED, act_at=None))
        return
    if not settings.is_on(today):
        await autopay.save_run(tx, replace(run, act_at=wake_at(run, settings, organization)))
        return
    method = await payment_methods.find(tx, settings.payment_method_id)
    net = sum_of(payable)
    rest = max(net - due.credit_of(run.customer_id, net.currency), Money.zero(net.currency))
    amount, charge = await _charges(tx, run.customer_id, method, net, rest)
    rules = await payer_rules.rules_of(tx, run.customer_id)
    asks = settings.needs_confirmation(charge, approval_above=rules.approval_above)
    told = replace(
        run,
        amount=amount,
        pay_on=pay_on,
        status=RunStatus.NEEDS_CONFIRMATION if asks else RunStatus.PLANNED,
        confirmed_by=(),
        noticed_at=tx.now(),
        events=run.events + 1,
    )
    told = replace(told, act_at=tx.now() + ASK_AGAIN_AFTER if asks else wake_at(told, settings, organization))
    await autopay.save_run(tx, told)
    outbox.append(
        tx,
        events_pb2.AutopayAnnounced(
            run_id=run.run_id,
            customer_id=run.customer_id,
            amount=to_proto_money(amount),
            pay_on=told.pay_on.isoformat(),
            parts=[
                events_pb2.PaidPart(invoice_id=one.invoice_id, amount=to_proto_money(one.amount))
                for one in payable
            ],
            invoice_numbers=[one.number for one in payable],
            method_summary=method.summary if method is not None else "",
            needs_confirmation=asks,
        ),
        aggregate_type=AGGREGATE,
        aggregate_id=run.run_id,
        aggregate_version=told.events,
    )


async def _charges(
    tx: WriteTx, customer_id: str, method: SavedMethod | None, *sums: Money
) -> Sequence[Money]:
    """What is charged for each sum with a method: the policy's surcharge or discount comes on top."""
    terms = await policies.terms(tx, customer_id)
    rule = terms.find(Method(method.view.kind)) if method is not None else None
    return sums if rule is None else [one + rule.charge.on(one) for one in sums]


async def _plan(desk: Desk, organization_id: str, customers: list[str]) -> None:
    with call_scope(service_call("payments", organization_id, method="plan autopay")):
        due = await desk.reservations.due(organization_id, customers)
        for customer_id in customers:
            await _plan_from(desk, organization_id, customer_id, due)


async def _plan_from(desk: Desk, organization_id: str, customer_id: str, due: Due) -> None:
    async def write(tx: WriteTx) -> None:
        settings = await autopay.settings_of(tx, customer_id, lock=True)
        if not settings.enabled:
            return
        organization = await cases.organization(tx)
        taken = await autopay.invoices_in_runs(tx, customer_id)
        items = [
            item for item in due.items if item.customer_id == customer_id and item.invoice_id not in taken
        ]
        for planned in plan(settings, items, today=organization.day_of(tx.now())):
            run = Run(
                run_id=new_id("apr"),
                customer_id=customer_id,
                invoices=planned.invoices,
                amount=planned.amount,
                pay_on=planned.pay_on,
                created_at=tx.now(),
            )
            start = organization.moment_of(run.pay_on, START_HOUR)
            run = replace(run, amount=sum_of(payable_at(run, items, start)))
            await autopay.insert_run(tx, replace(run, act_at=wake_at(run, settings, organization)))

    if any(item.customer_id == customer_id for item in due.items):
        await desk.db.run_write(organization_id, write)
