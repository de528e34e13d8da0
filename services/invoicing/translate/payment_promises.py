"""Promises to pay."""

from collections.abc import Mapping

from services.invoicing.domain.payment_promise import Promise, PromiseState
from services.invoicing.translate.values import to_proto_money, to_proto_time
from tallyport.invoicing.v1 import payment_promises_pb2 as pb

_STATES: Mapping["pb.PaymentPromiseState.ValueType", PromiseState] = {
    pb.PAYMENT_PROMISE_STATE_OPEN: PromiseState.OPEN,
    pb.PAYMENT_PROMISE_STATE_KEPT: PromiseState.KEPT,
    pb.PAYMENT_PROMISE_STATE_BROKEN: PromiseState.BROKEN,
    pb.PAYMENT_PROMISE_STATE_WITHDRAWN: PromiseState.WITHDRAWN,
    pb.PAYMENT_PROMISE_STATE_RELEASED: PromiseState.RELEASED,
}


def from_proto_promise_state(state: "pb.PaymentPromiseState.ValueType") -> PromiseState | None:
    return _STATES.get(state)


def to_proto_promise(promise: Promise, customer_name: str) -> pb.PaymentPromise:
    numbers = {state: number for number, state in _STATES.items()}
    return pb.PaymentPromise(
        promise_id=promise.promise_id,
        customer_id=promise.customer_id,
        customer_name=customer_name,
        amount=to_proto_money(promise.amount),
        received=to_proto_money(promise.received),
        promised_on=promise.promised_on.isoformat(),
        grace_days=promise.grace_days,
        state=numbers[promise.state],
        note=promise.note,
        created_at=to_proto_time(promise.created_at),
        created_by_name=promise.created_by_name,
        by_staff=promise.by_staff,
        ended_at=to_proto_time(promise.ended_at),
    )
