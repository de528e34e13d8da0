"""What a payer sets about autopay: on, off, paused, one left out, one agreed to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date

import structlog

from chassis import audit
from chassis.caller import Audience, current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.autopay import (
    AutopaySettings,
    Run,
    RunStatus,
    Scope,
    check_may_confirm,
    check_may_skip,
)
from services.payments.domain.autopay_terms import terms_of
from services.payments.domain.case import Organization
from services.payments.invoicing import PlanQuery
from services.payments.operations.plan_autopay import plan_customer, wake_at
from services.payments.operations.whose_customer import customer_asked_for
from services.payments.store import autopay, cases, payer_rules, payment_methods
from services.payments.store.autopay import Page

Change = Callable[[WriteTx, AutopaySettings], Awaitable[AutopaySettings]]
DEFAULT_PAGE_SIZE = 25
_log = structlog.get_logger("payments.autopay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a payer asks for."""

    payment_method_id: str
    scope: Scope
    prefixes: tuple[str, ...]
    days_before_due: int
    day_of_month: int
    cap: Money | None
    notice_days: int


async def get_autopay(desk: Desk, customer_id: str) -> AutopaySettings:
    """A customer's settings; customers see their own."""
    async with desk.db.read(current_call().organization_id) as tx:
        return await autopay.settings_of(tx, await customer_asked_for(tx, customer_id))


async def set_autopay(desk: Desk, wanted: Wanted) -> AutopaySettings:
    """Turn autopay on or change it; what is planned is planned anew. Raises PAYMENT_METHOD_NOT_USABLE."""
    customer_id = _customer()
    _check(wanted)
    known = await _currencies(desk, customer_id) if wanted.cap is not None else frozenset()
    caller = current_call().caller

    async def write(tx: WriteTx) -> AutopaySettings:
        method = await payment_methods.usable(
            tx, wanted.payment_method_id, customer_id=customer_id, automatic=False
        )
        _check_currency(wanted.cap, known)
        before = await autopay.settings_of(tx, customer_id, lock=True)
        organization = await cases.organization(tx)
        settings = AutopaySettings(
            customer_id=customer_id,
            enabled=True,
            payment_method_id=wanted.payment_method_id,
            scope=wanted.scope,
            prefixes=wanted.prefixes,
            days_before_due=wanted.days_before_due,
            day_of_month=wanted.day_of_month,
            cap=wanted.cap,
            notice_days=wanted.notice_days,
            agreed_at=tx.now(),
            agreed_by=caller.subject_name or caller.actor,
            agreed_by_id=caller.subject_id or "",
            version=before.version + 1,
        )
        settings = replace(settings, terms=_terms(settings, organization, method.summary))
        await autopay.replace_settings(tx, settings)
        await _cancel_waiting(tx, customer_id, untried_only=True)
        audit.record(tx, "autopay.set", customer_id)
        return settings

    settings = await desk.db.run_write(current_call().organization_id, write)
    try:
        await plan_customer(desk, current_call().organization_id, customer_id)
    except ServiceError as error:  # the clock plans it soon
        _log.warning("not planned at once", customer_id=customer_id, reason=error.reason)
    return settings


async def turn_off_autopay(desk: Desk) -> AutopaySettings:
    """Nothing is started any more from this moment on; what waits is canceled."""

    async def change(tx: WriteTx, settings: AutopaySettings) -> AutopaySettings:
        await _cancel_waiting(tx, settings.customer_id, untried_only=False)
        return replace(settings, enabled=False, paused_until=None)

    return await _change(desk, "autopay.turned_off", change)


async def pause_autopay(desk: Desk, until: date | None) -> AutopaySettings:
    """Start nothing before a day; None resumes now."""

    async def change(tx: WriteTx, settings: AutopaySettings) -> AutopaySettings:
        organization = await cases.organization(tx)
        if until is not None and until <= organization.day_of(tx.now()):
            raise invalid("until", "not_in_future", "Please choose a day after today.")
        after = replace(settings, paused_until=until)
        for run in await autopay.waiting_runs(tx, settings.customer_id):
            locked = await autopay.load_run(tx, run.run_id, for_update=True)
            await autopay.save_run(tx, replace(locked, act_at=wake_at(locked, after, organization)))
        return after

    return await _change(desk, "autopay.paused" if until else "autopay.resumed", change)


async def skip_run(desk: Desk, run_id: str) -> Run:
    """Leave a planned payment out, or take that back. Raises AUTOPAY_RUN_CLOSED."""

    async def write(tx: WriteTx) -> Run:
        run = await _own_run(tx, run_id)
        check_may_skip(run)
        if run.status is not RunStatus.SKIPPED:
            after = replace(run, status=RunStatus.SKIPPED, act_at=None, next_try_on=None)
            audit.record(tx, "autopay.skipped", run_id)
        else:
            organization = await cases.organization(tx)
            settings = await autopay.settings_of(tx, run.customer_id)
            today = organization.day_of(tx.now())
            after = replace(run, status=RunStatus.PLANNED)
            if run.pay_on < today or (run.pay_on == today and run.noticed_at is None):
                after = replace(after, pay_on=today, noticed_at=None)  # announced anew, then paid
            after = replace(after, act_at=wake_at(after, settings, organization))
            audit.record(tx, "autopay.taken_back", run_id)
        await autopay.save_run(tx, after)
        return after

    return await desk.db.run_write(current_call().organization_id, write)


async def confirm_run(desk: Desk, run_id: str) -> Run:
    """Agree to a payment that is over a limit.

    Over the company's own approval limit others than who set autopay up must agree, and they must be approvers:
    else PERMISSION_MISSING or OWN_PAYMENT.
    """
    caller = current_call().caller

    async def write(tx: WriteTx) -> Run:
        run = await _own_run(tx, run_id)
        check_may_confirm(run)
        settings = await autopay.settings_of(tx, run.customer_id)
        needed = (await payer_rules.rules_of(tx, run.customer_id)).approvals_for(run.amount)
        person = caller.subject_id or ""
        if needed:
            if "payments.approve" not in caller.permissions:
                raise ServiceError(
                    Kind.PERMISSION_DENIED,
                    "PERMISSION_MISSING",
                    "A payment of this size must be agreed to by somebody who may approve payments.",
                    permission="payments.approve",
                )
            if person == settings.agreed_by_id:
                raise own_payment()
        confirmed = tuple(dict.fromkeys((*run.confirmed_by, person)))
        after = replace(run, confirmed_by=confirmed)
        if len(confirmed) >= max(needed, 1):
            after = replace(after, status=RunStatus.PLANNED)
            after = replace(after, act_at=wake_at(after, settings, await cases.organization(tx)))
        await autopay.save_run(tx, after)
        audit.record(tx, "autopay.confirmed", run_id)
        return after

    return await desk.db.run_write(current_call().organization_id, write)


async def list_runs(desk: Desk, *, customer_id: str, page_size: int, page_token: str) -> Page:
    """Planned, retried and done payments; customers see their own."""
    call = current_call()
    everybody = call.caller.audience is Audience.STAFF and not customer_id
    async with desk.db.read(call.organization_id) as tx:
        wanted = "" if everybody else await customer_asked_for(tx, customer_id)
        return await autopay.page_of_runs(
            tx, customer_id=wanted, size=page_size or DEFAULT_PAGE_SIZE, token=page_token
        )


def own_payment() -> ServiceError:
    """Why nobody agrees to what they started themselves."""
    return ServiceError(
        Kind.PERMISSION_DENIED, "OWN_PAYMENT", "Somebody else must agree to a payment that you started."
    )


def _terms(settings: AutopaySettings, organization: Organization, method: str) -> str:
    """As the payer reads them who agrees now."""
    return terms_of(settings, name=organization.name, method=method, locale=current_call().locale)


def _check(wanted: Wanted) -> None:
    if wanted.scope is Scope.CHOSEN and not wanted.prefixes:
        raise invalid("prefixes", "required", "Say which invoices: how their numbers begin.")
    if wanted.cap is not None and wanted.cap.minor_units <= 0:
        raise invalid("cap", "not_positive", "The most for one payment must be more than zero.")


async def _currencies(desk: Desk, customer_id: str) -> frozenset[str]:
    """Those in which the customer is invoiced; none while invoicing is away."""
    organization_id = current_call().organization_id
    try:
        plan = await desk.reservations.plan(
            PlanQuery(organization_id=organization_id, customer_id=customer_id)
        )
        due = await desk.reservations.due(organization_id, [customer_id])
    except ServiceError as error:
        _log.info("currency of autopay's limit not looked at", customer_id=customer_id, reason=error.reason)
        return frozenset()
    return frozenset({plan.payable.currency, *(item.amount_due.currency for item in due.items)})


def _check_currency(cap: Money | None, known: frozenset[str]) -> None:
    """A limit in a currency in which nothing is invoiced could only ever ask."""
    if cap is not None and known and cap.currency not in known:
        raise invalid("cap.currency", "currency", f"Your invoices are in {' and '.join(sorted(known))}.")


def _customer() -> str:
    customer_id = current_call().caller.customer_id
    if customer_id is None:
        raise not_found("customer")
    return customer_id


async def _own_run(tx: WriteTx, run_id: str) -> Run:
    run = await autopay.load_run(tx, run_id, for_update=True)
    if run.customer_id != current_call().caller.customer_id:
        raise not_found("autopay_run")
    return run


async def _cancel_waiting(tx: WriteTx, customer_id: str, *, untried_only: bool) -> None:
    for run in await autopay.waiting_runs(tx, customer_id):
        locked = await autopay.load_run(tx, run.run_id, for_update=True)
        if locked.status.waits and not (untried_only and locked.status is RunStatus.RETRYING):
            await autopay.save_run(tx, replace(locked, status=RunStatus.CANCELED, act_at=None))


async def _change(desk: Desk, action: str, change: Change) -> AutopaySettings:
    customer_id = _customer()

    async def write(tx: WriteTx) -> AutopaySettings:
        before = await autopay.settings_of(tx, customer_id, lock=True)
        if before.version == 0:
            return before
        after = replace(await change(tx, before), version=before.version + 1)
        await autopay.replace_settings(tx, after)
        audit.record(tx, action, customer_id)
        return after

    return await desk.db.run_write(current_call().organization_id, write)
