"""Promises to pay: kept or broken by rule, as many as the policy allows."""

from datetime import timedelta

import pytest

from chassis.errors import ServiceError
from services.invoicing.store.plans import customers_with_promise
from tallyport.invoicing.v1 import events_pb2
from tallyport.invoicing.v1 import payment_promises_pb2 as pb
from tests.service.invoicing.office import Office, usd
from tests.service.invoicing.plans.test_instalment_plans import allow, look, on


async def promise(office: Office, customer_id: str, cents: int, day: str) -> pb.PaymentPromise:
    request = pb.PromiseToPayRequest(customer_id=customer_id, amount=usd(cents), promised_on=day)
    return await office.call(office.promises.PromiseToPay, request, as_=office.person_of(customer_id))


async def state(office: Office, promise_id: str) -> "pb.PaymentPromiseState.ValueType":
    answer = await office.call(office.promises.ListPaymentPromises, pb.ListPaymentPromisesRequest())
    return next(one.state for one in answer.promises if one.promise_id == promise_id)


async def test_a_promise_is_kept_when_the_money_came_and_broken_after_the_grace(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    invoice = (
        await office.invoice(customer, 40_000, invoice_date="2026-10-01", due_date="2026-11-01")
    ).invoice_id
    first = await promise(office, customer, 10_000, "2026-11-30")
    with pytest.raises(ServiceError, match="TOO_MANY_PROMISES"):
        await promise(office, customer, 5_000, "2026-11-29")
    async with office.db.read(office.organization_id) as tx:
        today = office.clock.now().date()
        assert (await customers_with_promise(tx, [customer], today))[customer].isoformat() == "2026-12-06"
    await office.paid(f"pay_1_{customer}", customer, 6_000, {invoice: 6_000})
    await look(office)
    assert await state(office, first.promise_id) == pb.PAYMENT_PROMISE_STATE_OPEN
    await office.paid(f"pay_2_{customer}", customer, 4_000, {invoice: 4_000})
    await look(office)
    assert await state(office, first.promise_id) == pb.PAYMENT_PROMISE_STATE_KEPT
    office.clock.advance(timedelta(seconds=1))
    second = await promise(office, customer, 30_000, "2026-12-01")
    await on(office, "2026-12-06")
    assert await state(office, second.promise_id) == pb.PAYMENT_PROMISE_STATE_OPEN
    await on(office, "2026-12-07")
    await look(office)
    assert await state(office, second.promise_id) == pb.PAYMENT_PROMISE_STATE_BROKEN
    assert len(await office.events(events_pb2.PaymentPromiseKept)) == 1
    broken = await office.events(events_pb2.PaymentPromiseBroken)
    assert [(one.amount.minor_units, one.received.minor_units) for one in broken] == [(30_000, 0)]


async def test_a_promise_must_be_believable(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    await office.invoice(customer, 40_000)
    for cents, day, reason in (
        (40_001, "2026-11-30", "PROMISE_EXCEEDS_DEBT"), (1_000, "2026-12-22", "PROMISE_TOO_LATE"),
        (1_000, "2026-11-20", "VALIDATION_FAILED"), (0, "2026-11-30", "VALIDATION_FAILED"),
    ):  # fmt: skip
        with pytest.raises(ServiceError, match=reason):
            await promise(office, customer, cents, day)
    made = await promise(office, customer, 1_000, "2026-11-30")
    request = pb.WithdrawPaymentPromiseRequest(promise_id=made.promise_id)
    stranger = office.person_of((await office.customer()).customer_id)
    with pytest.raises(ServiceError, match="PROMISE_NOT_FOUND"):
        await office.call(office.promises.WithdrawPaymentPromise, request, as_=stranger)
    gone = await office.call(office.promises.WithdrawPaymentPromise, request)
    assert gone.state == pb.PAYMENT_PROMISE_STATE_WITHDRAWN
    with pytest.raises(ServiceError, match="PROMISE_NOT_OPEN"):
        await office.call(office.promises.WithdrawPaymentPromise, request)
