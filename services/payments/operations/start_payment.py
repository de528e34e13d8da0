"""Begins payments that have waited for their day or for approval, and ends those that never begin."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from chassis.caller import call_scope, service_call
from chassis.crashpoints import crashpoint
from chassis.database import WriteTx
from chassis.errors import ServiceError
from chassis.money import Money
from services.payments.desk import Desk, unhurried
from services.payments.domain.attempt import CREDIT_PROVIDER, Attempt
from services.payments.domain.case import Case
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import Method, Payment
from services.payments.domain.policy import MethodRule
from services.payments.domain.preview import Plan
from services.payments.invoicing import PlanQuery
from services.payments.operations.prepare_payment import Means, new_attempt, provider_name
from services.payments.operations.settle_payment import announce
from services.payments.operations.submit_payment import submit_payment
from services.payments.store import cases, payment_methods, policies, waiting

BATCH = 50
RETRY = timedelta(minutes=10)
"""When a start that was interrupted, or that invoicing could not help with, is tried again."""
BEING_PAID_RETRY = timedelta(hours=1)
_log = structlog.get_logger("payments.start")


async def start_scheduled_payments(desk: Desk) -> int:
    """Begin what is due, at most BATCH payments; returns how many there were."""
    async with desk.db.sweep() as tx:
        due = await waiting.due(tx, now=tx.now(), limit=BATCH)
    for one in due:
        with call_scope(service_call("payments", one.organization_id, method="start scheduled payments")):
            try:
                if await _claim(desk, one.organization_id, one.payment_id):
                    await start_waiting_payment(desk, one.payment_id, one.organization_id)
            except ServiceError as error:
                _log.warning("scheduled payment not begun", payment_id=one.payment_id, reason=error.reason)
            except Exception as error:
                _log.error("scheduled payment not begun", payment_id=one.payment_id, exc_info=error)
    return len(due)


async def start_waiting_payment(desk: Desk, payment_id: str, organization_id: str) -> Case:
    """Begin a payment that is scheduled or was just approved; one whose day is still to come only waits for that.

    It pays what is still due of its parts, never more than was agreed. Answers with what is true then; raises
    ServiceError as creating a payment does. Harmless for payments that have begun already.
    """
    async with desk.db.read(organization_id) as tx:
        case = await cases.load(tx, payment_id)
    payment = case.payment
    if not payment.status.is_waiting:
        return case
    now = await desk.db.now_of(organization_id)
    if payment.scheduled_for is not None and case.organization.day_of(now) < payment.scheduled_for:
        return await _wait_until(desk, case, case.organization.moment_of(payment.scheduled_for))
    plan = await _still_due(desk, case)
    if plan is not None and any(one.reason == "being_paid" for one in plan.skipped):
        return await _wait_until(desk, case, now + BEING_PAID_RETRY)  # it may yet fail
    now_due = payment if plan is None else _reduced(payment, plan)
    if now_due is None:
        return await _ended(desk, case, Outcome(status=Status.CANCELED, failure_code="nothing_due"))
    begun = await _begin(desk, case, now_due)
    if begun is None:
        async with desk.db.read(organization_id) as tx:
            return await cases.load(tx, payment_id)
    if not begun.payment.status.is_live:
        return begun
    crashpoint("pay.after_claim")
    return await desk.to_the_end(submit_payment(desk, begun, key=None, fresh=True))


async def end_waiting(desk: Desk, case: Case, outcome: Outcome, *, note: str = "") -> Case | None:
    """End a payment that has not begun, with a note that says why; None if it has begun meanwhile."""

    async def write(tx: WriteTx) -> Case | None:
        ended = await _end_in(tx, case, outcome)
        if ended is None or not note:
            return ended
        await cases.keep_note(tx, case.payment.payment_id, note)
        return replace(ended, payment=replace(ended.payment, note=note))

    with unhurried(case.organization_id):
        return await desk.db.run_write(case.organization_id, write)


async def _end_in(tx: WriteTx, case: Case, outcome: Outcome) -> Case | None:
    ended = case.after(outcome, now=tx.now())
    saved = await cases.save(tx, ended, None, entry=None, review_reason="", key=None)
    if saved is None:
        return None
    announce(tx, case.payment, saved)
    return replace(case, payment=saved)


async def _ended(desk: Desk, case: Case, outcome: Outcome) -> Case:
    ended = await end_waiting(desk, case, outcome)
    if ended is not None:
        return ended
    async with desk.db.read(case.organization_id) as tx:
        return await cases.load(tx, case.payment.payment_id)


async def _claim(desk: Desk, organization_id: str, payment_id: str) -> bool:
    async def take(tx: WriteTx) -> bool:
        return await waiting.claim_start(tx, payment_id, again_at=tx.now() + RETRY)

    return await desk.db.run_write(organization_id, take)


async def _wait_until(desk: Desk, case: Case, moment: datetime) -> Case:
    async def write(tx: WriteTx) -> Case:
        await waiting.postpone(tx, case.payment, until=moment)
        return await cases.load(tx, case.payment.payment_id)

    return await desk.db.run_write(case.organization_id, write)


async def _still_due(desk: Desk, case: Case) -> Plan | None:
    """What invoicing would take of the payment's invoices now; None for a prepayment alone."""
    payment = case.payment
    if not payment.parts:
        return None
    query = PlanQuery(
        organization_id=case.organization_id,
        customer_id=payment.customer_id,
        invoice_ids=tuple(part.invoice_id for part in payment.parts),
        whole_debt=True,
    )
    return await desk.reservations.plan(query)


def _reduced(payment: Payment, plan: Plan) -> Payment | None:
    """The payment with the lesser of each part and what is due; None if nothing is left to pay."""
    takes: Mapping[str, Money] = {part.invoice_id: part.amount for part in plan.parts}
    parts = tuple(
        replace(part, amount=min(part.amount, takes[part.invoice_id]), expected_version=0)
        for part in payment.parts
        if part.invoice_id in takes
    )
    total = sum((part.amount for part in parts), start=Money.zero(payment.amount.currency))
    if total.is_zero and not payment.prepayment_minor_units:
        return None
    credit = min(payment.credit_used, total, plan.credit_available)
    return replace(payment, parts=parts, credit_used_minor_units=credit.minor_units)


@dataclass(frozen=True, slots=True)
class _Start:
    payment: Payment
    attempt: Attempt


async def _begin(desk: Desk, case: Case, payment: Payment) -> Case | None:
    """Transaction A of a payment that has waited; None if it has begun or ended meanwhile.

    Its method may be gone: then it fails, and nobody was charged.
    """

    async def write(tx: WriteTx) -> Case | None:
        try:
            start = await _prepare(tx, desk, payment)
        except ServiceError as error:
            _log.info("saved method not usable", payment_id=payment.payment_id, reason=error.reason)
            return await _end_in(tx, case, Outcome.failed("payment_method_not_usable"))
        if not await waiting.start(tx, start.payment, start.attempt):
            return None
        return replace(case, payment=start.payment, attempt=start.attempt)

    return await desk.db.run_write(case.organization_id, write)


async def _prepare(tx: WriteTx, desk: Desk, payment: Payment) -> _Start:
    terms = await policies.terms(tx, payment.customer_id)
    was_scheduled = payment.scheduled_for is not None
    net = payment.parts_total - payment.credit_used + payment.prepayment
    if net.is_zero:
        means = Means(Method.CREDIT, CREDIT_PROVIDER)
    elif payment.payment_method_id:
        saved = await payment_methods.usable(
            tx, payment.payment_method_id, customer_id=payment.customer_id, automatic=was_scheduled
        )
        means = Means(Method(saved.kind), saved.provider, saved)
    else:
        name = provider_name(desk, terms)
        token = ""
        if payment.save_method:
            token = await payment_methods.customer_token(tx, payment.customer_id, provider=name)
        means = Means(payment.method, name, None, token)
    surcharge = _surcharge_now(payment, net, terms.find(payment.method))
    begun = replace(
        payment,
        status=Status.SUBMITTING,
        amount=net + surcharge,
        surcharge_minor_units=surcharge.minor_units,
        starts_at=None,
        version=payment.version + 1,
    )
    return _Start(begun, new_attempt(desk, begun, means, off_session=was_scheduled, now=tx.now()))


def _surcharge_now(payment: Payment, net: Money, rule: MethodRule | None) -> Money:
    """What was agreed if the sum is as it was; else by today's policy, but never more than was agreed."""
    if net == payment.funds:
        return payment.surcharge
    if rule is None:
        return Money.zero(net.currency)
    now = rule.charge.on(net)
    return min(now, payment.surcharge) if now.minor_units > 0 else now
