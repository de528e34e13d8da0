"""Between messages and domain."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import invalid
from chassis.money import Money
from services.payments.domain.failure import message_for
from services.payments.domain.outcome import Status
from services.payments.domain.overview import Overview
from services.payments.domain.payment import Method, Part, Payment
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import events_pb2, payments_pb2

_STATUS: Mapping[Status, "payments_pb2.PaymentStatus.ValueType"] = {
    Status.AWAITING_APPROVAL: payments_pb2.PAYMENT_STATUS_AWAITING_APPROVAL,
    Status.SCHEDULED: payments_pb2.PAYMENT_STATUS_SCHEDULED,
    Status.SUBMITTING: payments_pb2.PAYMENT_STATUS_PROCESSING,
    Status.UNKNOWN: payments_pb2.PAYMENT_STATUS_UNKNOWN,
    Status.REQUIRES_ACTION: payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION,
    Status.PROCESSING: payments_pb2.PAYMENT_STATUS_PROCESSING,
    Status.REVIEW: payments_pb2.PAYMENT_STATUS_UNKNOWN,
    Status.CANCELED: payments_pb2.PAYMENT_STATUS_CANCELED,
    Status.FAILED: payments_pb2.PAYMENT_STATUS_FAILED,
    Status.SUCCEEDED: payments_pb2.PAYMENT_STATUS_SUCCEEDED,
}
_METHOD: Mapping[Method, "payments_pb2.PaymentMethodType.ValueType"] = {
    Method.CARD: payments_pb2.PAYMENT_METHOD_TYPE_CARD,
    Method.CASH: payments_pb2.PAYMENT_METHOD_TYPE_CASH,
    Method.CHEQUE: payments_pb2.PAYMENT_METHOD_TYPE_CHEQUE,
    Method.BANK_TRANSFER: payments_pb2.PAYMENT_METHOD_TYPE_BANK_TRANSFER,
    Method.EXTERNAL: payments_pb2.PAYMENT_METHOD_TYPE_EXTERNAL,
    Method.BANK_DEBIT: payments_pb2.PAYMENT_METHOD_TYPE_BANK_DEBIT,
    Method.WALLET: payments_pb2.PAYMENT_METHOD_TYPE_WALLET,
    Method.REDIRECT: payments_pb2.PAYMENT_METHOD_TYPE_REDIRECT,
    Method.STABLECOIN: payments_pb2.PAYMENT_METHOD_TYPE_STABLECOIN,
    Method.CREDIT: payments_pb2.PAYMENT_METHOD_TYPE_CREDIT,
    Method.CARD_TERMINAL: payments_pb2.PAYMENT_METHOD_TYPE_CARD_TERMINAL,
}
_METHOD_OF: Mapping[int, Method] = {int(number): method for method, number in _METHOD.items()}


def to_proto_money(money: Money) -> money_pb2.Money:
    """An amount as the contract has it."""
    return money_pb2.Money(minor_units=money.minor_units, currency=money.currency)


def to_proto_money_or_none(money: Money | None) -> money_pb2.Money | None:
    """An amount as the contract has it; absent for None."""
    return None if money is None else to_proto_money(money)


def to_proto_time(moment: datetime | None) -> Timestamp | None:
    """A moment as the contract has it; absent for None."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def from_proto_money(message: money_pb2.Money, field: str) -> Money:
    """An amount; a ServiceError naming `field` for a currency that does not exist."""
    try:
        return Money(message.minor_units, message.currency)
    except ValueError:
        raise invalid(field, "unknown_currency", "There is no such currency.") from None


def from_proto_parts(messages: Iterable[payments_pb2.PaymentPart]) -> tuple[Part, ...]:
    """The parts of a request."""
    return tuple(
        Part(
            message.invoice_id,
            from_proto_money(message.amount, f"parts[{index}].amount"),
            expected_version=message.invoice_version,
        )
        for index, message in enumerate(messages)
    )


def from_proto_method(number: int) -> Method:
    """A way to pay; KeyError for "not set"."""
    return _METHOD_OF[number]


def to_proto_method(method: Method) -> "payments_pb2.PaymentMethodType.ValueType":
    """A way to pay as the contract has it."""
    return _METHOD[method]


def shown_status(payment: Payment) -> "payments_pb2.PaymentStatus.ValueType":
    """The state that people see: what went back of a succeeded payment comes before that it succeeded."""
    if payment.status is not Status.SUCCEEDED:
        return _STATUS[payment.status]
    if payment.return_code:
        return payments_pb2.PAYMENT_STATUS_RETURNED
    if payment.chargeback_lost:
        return payments_pb2.PAYMENT_STATUS_CHARGED_BACK
    if payment.disputed_minor_units:
        return payments_pb2.PAYMENT_STATUS_DISPUTED
    if not payment.refunded_minor_units:
        return payments_pb2.PAYMENT_STATUS_SUCCEEDED
    whole = payment.refunded_minor_units >= payment.amount.minor_units
    return payments_pb2.PAYMENT_STATUS_REFUNDED if whole else payments_pb2.PAYMENT_STATUS_PARTLY_REFUNDED


def from_proto_day(text: str, field: str) -> date | None:
    """An ISO 8601 day; None for an empty text."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise invalid(field, "not_a_day", "There is no such day.") from None


def statuses_shown_as(number: int) -> tuple[Status, ...]:
    """Our states that people see as this one; none for "not set"."""
    return tuple(status for status, shown in _STATUS.items() if shown == number)


def to_proto_payment(payment: Payment) -> payments_pb2.Payment:
    """A payment as its callers see it."""
    return payments_pb2.Payment(
        on_behalf_of=payment.on_behalf_of,
        payment_id=payment.payment_id,
        customer_id=payment.customer_id,
        status=shown_status(payment),
        amount=to_proto_money(payment.amount),
        parts=[
            payments_pb2.PaymentPart(
                invoice_id=part.invoice_id,
                amount=to_proto_money(part.amount),
                invoice_number=part.invoice_number,
                invoice_version=part.expected_version,
            )
            for part in payment.parts
        ],
        method=_METHOD[payment.method],
        method_summary=payment.method_summary,
        redirect_url=payment.redirect_url,
        failure_code=payment.failure_code,
        failure_message=message_for(payment.failure_code),
        receipt_number=payment.receipt_number,
        initiated_by=payment.initiated_by,
        created_at=to_proto_time(payment.created_at),
        finished_at=to_proto_time(payment.finished_at),
        received_on=payment.received_on.isoformat() if payment.received_on else "",
        note=payment.note,
        customer_name=payment.customer_name,
        credit_used=to_proto_money(payment.credit_used),
        surcharge=to_proto_money(payment.surcharge),
        prepayment=to_proto_money(payment.prepayment),
        amount_refunded=to_proto_money(payment.refunded),
        amount_disputed=to_proto_money(payment.disputed),
        scheduled_for=payment.scheduled_for.isoformat() if payment.scheduled_for else "",
        expected_on=payment.expected_on.isoformat() if payment.expected_on else "",
        payment_method_id=payment.payment_method_id,
        return_code=payment.return_code,
        saved_payment_method_id=payment.saved_payment_method_id,
    )


def to_succeeded(payment: Payment, *, notify: bool) -> events_pb2.PaymentSucceeded:
    """The news that the money is there."""
    return events_pb2.PaymentSucceeded(
        payment_id=payment.payment_id,
        customer_id=payment.customer_id,
        amount=to_proto_money(payment.amount),
        parts=[
            events_pb2.PaidPart(invoice_id=part.invoice_id, amount=to_proto_money(part.amount))
            for part in payment.parts
        ],
        receipt_number=payment.receipt_number,
        received_on=payment.received_on.isoformat() if payment.received_on else "",
        notify=notify,
        method_summary=payment.method_summary,
        surcharge=to_proto_money(payment.surcharge),
        credit_used=to_proto_money(payment.credit_used),
    )


def to_failed(payment: Payment) -> events_pb2.PaymentFailed:
    """The news that nothing was charged."""
    return events_pb2.PaymentFailed(
        payment_id=payment.payment_id,
        customer_id=payment.customer_id,
        amount=to_proto_money(payment.amount),
        failure_code=payment.failure_code,
    )


def to_canceled(payment: Payment) -> events_pb2.PaymentCanceled:
    """The news that it was given up."""
    return events_pb2.PaymentCanceled(
        payment_id=payment.payment_id, customer_id=payment.customer_id, amount=to_proto_money(payment.amount)
    )


def to_proto_overview(overview: Overview) -> payments_pb2.PaymentsOverview:
    """The figures as the contract has them."""
    return payments_pb2.PaymentsOverview(
        currencies=[
            payments_pb2.CurrencyPayments(
                received_today=to_proto_money(figures.today),
                payments_today=figures.payments_today,
                received_30_days=to_proto_money(figures.total),
                days=[
                    payments_pb2.DayReceived(day=day.isoformat(), amount=to_proto_money(amount))
                    for day, amount in figures.days
                ],
                failed_today=figures.failed_today,
            )
            for figures in overview.currencies
        ],
        unfinished_payments=overview.unfinished,
        today=overview.today.isoformat(),
    )
