"""Between messages and domain: saved methods, autopay, payer rules."""

from collections.abc import Iterable
from datetime import date, datetime

from chassis.errors import invalid
from chassis.money import Money
from services.payments.domain.autopay import AutopaySettings, Run, RunStatus, Scope
from services.payments.domain.autopay_terms import language_of
from services.payments.domain.payer_rules import PayerRuleSet, PersonLimit
from services.payments.domain.payment import Method
from services.payments.domain.saved_method import SavedMethod, State
from services.payments.operations.approve_payment import Waiting
from services.payments.operations.set_autopay import Wanted
from services.payments.operations.set_up_payment_method import Completed
from services.payments.store.setups import Setup
from services.payments.translate.payments import (
    from_proto_money,
    to_proto_money,
    to_proto_money_or_none,
    to_proto_payment,
    to_proto_time,
)
from services.payments.translate.payments import to_proto_method as to_proto_kind
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import autopay_pb2, payer_rules_pb2, payment_methods_pb2

_STATES = {
    State.ACTIVE: payment_methods_pb2.PAYMENT_METHOD_STATE_ACTIVE,
    State.EXPIRED: payment_methods_pb2.PAYMENT_METHOD_STATE_EXPIRED,
    State.COOLING_OFF: payment_methods_pb2.PAYMENT_METHOD_STATE_COOLING_OFF,
    State.REVOKED: payment_methods_pb2.PAYMENT_METHOD_STATE_REVOKED,
    State.REMOVED: payment_methods_pb2.PAYMENT_METHOD_STATE_REMOVED,
}
_SETUP_STATUS = {
    "requires_action": payment_methods_pb2.PAYMENT_METHOD_SETUP_STATUS_REQUIRES_ACTION,
    "succeeded": payment_methods_pb2.PAYMENT_METHOD_SETUP_STATUS_SUCCEEDED,
    "failed": payment_methods_pb2.PAYMENT_METHOD_SETUP_STATUS_FAILED,
}
_SCOPES = {Scope.ALL: autopay_pb2.AUTOPAY_SCOPE_ALL, Scope.CHOSEN: autopay_pb2.AUTOPAY_SCOPE_CHOSEN}
_RUN_STATUS = {
    RunStatus.PLANNED: autopay_pb2.AUTOPAY_RUN_STATUS_PLANNED,
    RunStatus.NEEDS_CONFIRMATION: autopay_pb2.AUTOPAY_RUN_STATUS_NEEDS_CONFIRMATION,
    RunStatus.SKIPPED: autopay_pb2.AUTOPAY_RUN_STATUS_SKIPPED,
    RunStatus.STARTED: autopay_pb2.AUTOPAY_RUN_STATUS_STARTED,
    RunStatus.RETRYING: autopay_pb2.AUTOPAY_RUN_STATUS_RETRYING,
    RunStatus.FAILED: autopay_pb2.AUTOPAY_RUN_STATUS_FAILED,
    RunStatus.CANCELED: autopay_pb2.AUTOPAY_RUN_STATUS_CANCELED,
}


def to_proto_method(method: SavedMethod, *, now: datetime, today: date) -> payment_methods_pb2.PaymentMethod:
    """A saved method as it stands at a moment."""
    view = method.view
    message = payment_methods_pb2.PaymentMethod(
        payment_method_id=method.payment_method_id,
        customer_id=method.customer_id,
        type=to_proto_kind(Method(view.kind)),
        summary=method.summary,
        brand=view.brand,
        last_digits=view.last_digits,
        expiry_month=view.expiry_month,
        expiry_year=view.expiry_year,
        is_default=method.is_default,
        state=_STATES[method.state_at(now, today)],
        used_by_autopay=method.used_by_autopay,
        usable_from=to_proto_time(method.usable_from),
        last_used_at=to_proto_time(method.last_used_at),
        created_at=to_proto_time(method.created_at),
        expires_soon=method.expires_soon(today),
    )
    if view.mandate_reference:
        message.mandate.CopyFrom(
            payment_methods_pb2.Mandate(
                reference=view.mandate_reference,
                text=view.mandate_text,
                accepted_at=to_proto_time(view.mandate_accepted_at),
                accepted_by=method.mandate_accepted_by,
            )
        )
    return message


def to_proto_setup(setup: Setup) -> payment_methods_pb2.PaymentMethodSetup:
    """A setup that waits or is over, without its method."""
    return payment_methods_pb2.PaymentMethodSetup(
        setup_id=setup.setup_id,
        status=_SETUP_STATUS[setup.status],
        redirect_url=setup.redirect_url,
        failure_code=setup.failure_code,
    )


def to_proto_completed(
    completed: Completed, *, now: datetime, today: date
) -> payment_methods_pb2.PaymentMethodSetup:
    """The same with its method and what is due."""
    message = to_proto_setup(completed.setup)
    if completed.method is not None:
        message.payment_method.CopyFrom(to_proto_method(completed.method, now=now, today=today))
    if completed.due_now is not None:
        message.due_now.CopyFrom(to_proto_money(completed.due_now))
    return message


def from_proto_autopay(request: autopay_pb2.SetAutopayRequest) -> Wanted:
    """What a payer asks for; all invoices when nothing is said."""
    chosen = request.scope == autopay_pb2.AUTOPAY_SCOPE_CHOSEN
    return Wanted(
        payment_method_id=request.payment_method_id,
        scope=Scope.CHOSEN if chosen else Scope.ALL,
        prefixes=tuple(prefix.strip() for prefix in request.prefixes if prefix.strip()) if chosen else (),
        days_before_due=request.days_before_due,
        day_of_month=request.day_of_month,
        cap=from_proto_money(request.cap, "cap") if request.HasField("cap") else None,
        notice_days=request.notice_days,
    )


def to_proto_autopay(settings: AutopaySettings) -> autopay_pb2.AutopaySettings:
    """Settings; all empty when never set."""
    return autopay_pb2.AutopaySettings(
        customer_id=settings.customer_id,
        enabled=settings.enabled,
        payment_method_id=settings.payment_method_id,
        scope=_SCOPES[settings.scope],
        prefixes=settings.prefixes,
        days_before_due=settings.days_before_due,
        day_of_month=settings.day_of_month,
        cap=to_proto_money_or_none(settings.cap),
        notice_days=settings.notice_days,
        paused_until=settings.paused_until.isoformat() if settings.paused_until else "",
        terms=settings.terms,
        terms_language=language_of(settings.terms) if settings.terms else "",
        agreed_at=to_proto_time(settings.agreed_at),
        agreed_by=settings.agreed_by,
        version=settings.version,
    )


def to_proto_run(run: Run) -> autopay_pb2.AutopayRun:
    """A planned payment."""
    return autopay_pb2.AutopayRun(
        run_id=run.run_id,
        customer_id=run.customer_id,
        invoices=[
            autopay_pb2.AutopayInvoice(
                invoice_id=one.invoice_id,
                number=one.number,
                amount=to_proto_money(one.amount),
                paid=to_proto_money_or_none(one.paid),
            )
            for one in run.invoices
        ],
        amount=to_proto_money(run.amount),
        pay_on=run.pay_on.isoformat(),
        status=autopay_pb2.AUTOPAY_RUN_STATUS_PAID if run.paid is not None else _RUN_STATUS[run.status],
        payment_id=run.payment_id,
        failure_code=run.failure_code,
        tries=run.tries,
        next_try_on=run.next_try_on.isoformat() if run.next_try_on else "",
        noticed_at=to_proto_time(run.noticed_at),
        paid=to_proto_money_or_none(run.paid),
    )


def from_proto_rules(request: payer_rules_pb2.SetPayerRulesRequest) -> PayerRuleSet:
    """Rules as they are wanted; whose they are is the caller's."""
    return PayerRuleSet(
        customer_id="",
        approval_above=_limit(request.approval_above, "approval_above")
        if request.HasField("approval_above")
        else None,
        approvals_needed=request.approvals_needed,
        person_limits=tuple(_person_limits(request.person_limits)),
    )


def to_proto_rules(rules: PayerRuleSet) -> payer_rules_pb2.PayerRuleSet:
    """Rules; version 0 when never set."""
    return payer_rules_pb2.PayerRuleSet(
        customer_id=rules.customer_id,
        approval_above=to_proto_money_or_none(rules.approval_above),
        approvals_needed=rules.approvals_needed,
        person_limits=[
            payer_rules_pb2.PersonLimit(
                person_id=limit.person_id,
                per_payment=to_proto_money_or_none(limit.per_payment),
                per_month=to_proto_money_or_none(limit.per_month),
            )
            for limit in rules.person_limits
        ],
        version=rules.version,
    )


def to_proto_approval(waiting: Waiting, *, person_id: str, may: bool) -> payer_rules_pb2.Approval:
    """What waits, as this person sees it. `may`: whether their role approves at all."""
    request = waiting.request
    return payer_rules_pb2.Approval(
        payment=to_proto_payment(waiting.payment),
        approved_by=request.approved_by,
        approvals_needed=request.approvals_needed,
        may_approve=may and request.may_approve(person_id),
    )


def _person_limits(messages: Iterable[payer_rules_pb2.PersonLimit]) -> Iterable[PersonLimit]:
    for index, message in enumerate(messages):
        field = f"person_limits[{index}]"
        yield PersonLimit(
            person_id=message.person_id,
            per_payment=_limit(message.per_payment, f"{field}.per_payment")
            if message.HasField("per_payment")
            else None,
            per_month=_limit(message.per_month, f"{field}.per_month")
            if message.HasField("per_month")
            else None,
        )


def _limit(message: money_pb2.Money, field: str) -> Money:
    if not message.currency:
        raise invalid(field, "unknown_currency", "Say in which currency.")
    return from_proto_money(message, field)
