"""A paying company's people are held to its rules: others approve, nobody approves their own, limits bind."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

import pytest

from chassis.caller import Audience, call_scope, service_call
from chassis.errors import ServiceError
from services.payments.domain.payer_rules import PayerRuleSet, PersonLimit
from services.payments.operations.approve_payment import set_rules as set_rules_of
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import autopay_pb2, events_pb2, payments_pb2
from tallyport.payments.v1 import payer_rules_pb2 as pb
from tests.service.payments.paying.counter import create
from tests.service.payments.saved.house import House

PAYER = frozenset({"payments.create", "payments.read"})


def usd(units: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=units, currency="USD")


async def set_rules(house: House, **rules: object) -> pb.PayerRuleSet:
    request = pb.SetPayerRulesRequest(**rules)  # type: ignore[arg-type]
    return await house.rules.SetPayerRules(request, metadata=house.by("per_boss"))


async def approve(house: House, payment_id: str, person: str, **by: object) -> payments_pb2.Payment:
    request = pb.ApprovePaymentRequest(payment_id=payment_id)
    return await house.rules.ApprovePayment(request, metadata=house.by(person, **by))  # type: ignore[arg-type]


async def waiting(house: House, person: str = "per_ann") -> list[pb.Approval]:
    answer = await house.rules.ListApprovals(pb.ListApprovalsRequest(), metadata=house.by(person))
    return list(answer.approvals)


async def started(house: House, units: int = 5_000, person: str = "per_1") -> payments_pb2.Payment:
    """A payment with a saved card."""
    card = (await house.save_card()).payment_method.payment_method_id
    invoice_id = f"inv_{len(house.till.invoices.by_id) + 1}"
    house.till.invoices.add(invoice_id, units)
    return await house.pay({invoice_id: units}, method=card, person=person)


async def test_above_the_limit_a_payment_waits_and_the_last_approval_starts_it(house: House) -> None:
    await set_rules(house, approval_above=usd(4_000), approvals_needed=2)
    payment = await started(house)
    assert payment.status == payments_pb2.PAYMENT_STATUS_AWAITING_APPROVAL
    assert not await house.till.bank.charges(payment.payment_id)
    (requested,) = await house.told(events_pb2.PaymentApprovalRequested)
    assert (requested.payment_id, requested.requested_by) == (payment.payment_id, "per_1")
    with pytest.raises(ServiceError, match="OWN_PAYMENT"):
        await approve(house, payment.payment_id, "per_1")
    first = await approve(house, payment.payment_id, "per_ann")
    assert first.status == payments_pb2.PAYMENT_STATUS_AWAITING_APPROVAL
    again = await approve(house, payment.payment_id, "per_ann")
    assert again.status == payments_pb2.PAYMENT_STATUS_AWAITING_APPROVAL
    (shown,) = await waiting(house)
    assert (list(shown.approved_by), shown.approvals_needed, shown.may_approve) == (["per_ann"], 2, False)
    (for_bob,) = await waiting(house, "per_bob")
    assert for_bob.may_approve
    done = await approve(house, payment.payment_id, "per_bob")
    assert done.status == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    assert len(await house.till.bank.charges(payment.payment_id)) == 1
    assert not await waiting(house)
    assert await house.till.events(payment.payment_id) == ["PaymentApprovalRequested", "PaymentSucceeded"]
    await house.till.check_books()


async def test_below_the_limit_nobody_waits_and_another_currency_always_does(house: House) -> None:
    await set_rules(house, approval_above=usd(5_000), approvals_needed=1)
    assert (await started(house, 5_000)).status == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    rules = await house.rules.GetPayerRules(pb.GetPayerRulesRequest(), metadata=house.by())
    assert (rules.approval_above.minor_units, rules.approvals_needed, rules.version) == (5_000, 1, 1)


async def test_what_somebody_asks_for_on_the_telephone_waits_for_approval_too(house: House) -> None:
    await set_rules(house, approval_above=usd(4_000), approvals_needed=2)
    card = (await house.save_card()).payment_method.payment_method_id
    house.till.invoices.add("inv_1", 5_000)
    house.till.invoices.add("inv_2", 4_000)

    async def call(invoice_id: str, units: int) -> payments_pb2.Payment:
        staff = house.till.by(Audience.STAFF, key=f"call-{invoice_id}", subject_id="per_staff")
        asked = {"customer_id": "cus_1", "on_behalf_of": "Mr Caller"}
        saved = payments_pb2.SavedMethod(payment_method_id=card)
        return await create(house.till, {invoice_id: units}, staff, token="", saved_method=saved, **asked)

    payment = await call("inv_1", 5_000)
    assert payment.status == payments_pb2.PAYMENT_STATUS_AWAITING_APPROVAL
    (asked,) = await waiting(house)
    assert asked.payment.payment_id == payment.payment_id
    (told,) = await house.told(events_pb2.PaymentApprovalRequested)
    assert told.requested_by == "Mr Caller"
    await approve(house, payment.payment_id, "per_ann")
    done = await approve(house, payment.payment_id, "per_bob")
    assert done.status == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    assert (await call("inv_2", 4_000)).status == payments_pb2.PAYMENT_STATUS_SUCCEEDED


async def test_a_limit_for_somebody_unknown_is_refused(house: House) -> None:
    async def find(
        organization_id: str, customer_id: str, person_ids: Collection[str]
    ) -> frozenset[str] | None:
        return frozenset({"per_ann"}).intersection(person_ids) if customer_id == "cus_1" else frozenset()

    rules = PayerRuleSet(
        customer_id="cus_1",
        person_limits=(PersonLimit(person_id="per_ann"), PersonLimit(person_id="per_x")),
    )
    call = service_call("payments", house.till.organization_id)
    with call_scope(replace(call, caller=replace(call.caller, customer_id="cus_1"))):
        desk = replace(house.till.desk, find_colleagues=find)
        with pytest.raises(ServiceError) as refused:
            await set_rules_of(desk, rules)
        assert [one.field for one in refused.value.fields] == ["person_limits[1].person_id"]
        kept = await set_rules_of(desk, replace(rules, person_limits=rules.person_limits[:1]))
    assert [limit.person_id for limit in kept.person_limits] == ["per_ann"]


async def test_two_approvals_at_once_start_it_once(house: House) -> None:
    await set_rules(house, approval_above=usd(0), approvals_needed=1)
    payment = await started(house)
    answers = await asyncio.gather(
        *(approve(house, payment.payment_id, f"per_{number}") for number in range(10, 18)),
        return_exceptions=True,
    )
    assert any(isinstance(answer, payments_pb2.Payment) for answer in answers)
    assert len(await house.till.bank.charges(payment.payment_id)) == 1
    await house.till.check_books()


async def test_a_declined_payment_is_canceled_and_the_invoice_can_be_paid_again(house: House) -> None:
    await set_rules(house, approval_above=usd(0), approvals_needed=1)
    payment = await started(house)
    request = pb.DeclinePaymentRequest(payment_id=payment.payment_id, reason="not ours")
    declined = await house.rules.DeclinePayment(request, metadata=house.by("per_ann"))
    assert declined.status == payments_pb2.PAYMENT_STATUS_CANCELED
    assert declined.failure_code == "declined_by_approver"
    assert "declined this payment" in declined.failure_message
    assert declined.note.endswith(": not ours")
    assert (await house.till.get(payment.payment_id)).note == declined.note
    with pytest.raises(ServiceError, match="NOT_WAITING_FOR_APPROVAL"):
        await approve(house, payment.payment_id, "per_ann")
    assert not house.till.invoices.holders("inv_1")


async def test_who_may_not_approve_and_who_is_of_another_company_cannot(house: House) -> None:
    await set_rules(house, approval_above=usd(0), approvals_needed=1)
    payment = await started(house)
    with pytest.raises(ServiceError, match="PERMISSION_MISSING"):
        await approve(house, payment.payment_id, "per_ann", permissions=PAYER)
    with pytest.raises(ServiceError, match="NOT_FOUND"):
        await approve(house, payment.payment_id, "per_ann", customer_id="cus_2")
    with pytest.raises(ServiceError, match="PERMISSION_MISSING"):
        await house.rules.SetPayerRules(
            pb.SetPayerRulesRequest(), metadata=house.by("per_1", permissions=PAYER)
        )


async def test_a_person_spends_no_more_than_their_limits_and_failures_do_not_count(house: House) -> None:
    limits = [pb.PersonLimit(person_id="per_1", per_payment=usd(3_000), per_month=usd(5_000))]
    await set_rules(house, person_limits=limits)
    card = (await house.save_card()).payment_method.payment_method_id
    for number, units in enumerate((3_001, 3_000, 2_500, 2_001, 2_000, 9_000), start=1):
        house.till.invoices.add(f"inv_{number}", units)

    async def pay(number: int, units: int, *, token: str | None = None, person: str = "per_1") -> int:
        method = "" if token else card
        paid = await house.pay({f"inv_{number}": units}, token=token, method=method, person=person)
        return int(paid.status)

    with pytest.raises(ServiceError, match="SPENDING_LIMIT_EXCEEDED") as refused:
        await pay(1, 3_001)
    assert refused.value.metadata["limit"] == "per_payment"
    assert await pay(2, 3_000) == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    assert await pay(5, 2_000, token="tok_declined") == payments_pb2.PAYMENT_STATUS_FAILED
    with pytest.raises(ServiceError, match="SPENDING_LIMIT_EXCEEDED") as refused:
        await pay(4, 2_001)
    assert refused.value.metadata["limit"] == "per_month"
    assert await pay(5, 2_000) == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    assert await pay(6, 9_000, person="per_2") == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    house.till.clock.advance(days=32)
    assert await pay(3, 2_500) == payments_pb2.PAYMENT_STATUS_SUCCEEDED


async def test_twenty_payments_at_once_stay_within_the_month(house: House) -> None:
    await set_rules(house, person_limits=[pb.PersonLimit(person_id="per_1", per_month=usd(500))])
    card = (await house.save_card()).payment_method.payment_method_id
    for number in range(20):
        house.till.invoices.add(f"inv_{number}", 100)
    answers = await asyncio.gather(
        *(house.pay({f"inv_{number}": 100}, method=card) for number in range(20)), return_exceptions=True
    )
    paid = [one for one in answers if isinstance(one, payments_pb2.Payment)]
    assert len(paid) == 5


async def test_rules_that_mean_nothing_are_refused(house: House) -> None:
    with pytest.raises(ServiceError):
        await set_rules(house, approval_above=usd(100))
    twice = [pb.PersonLimit(person_id="per_1"), pb.PersonLimit(person_id="per_1")]
    with pytest.raises(ServiceError):
        await set_rules(house, person_limits=twice)


async def test_autopay_is_no_way_around_the_companys_limit(house: House) -> None:
    await house.go_to("2031-03-01")
    await set_rules(house, approval_above=usd(4_000), approvals_needed=1)
    house.till.invoices.add("inv_1", 5_000)
    house.till.invoices.by_id["inv_1"].due_date = "2031-03-02"
    card = (await house.save_card()).payment_method.payment_method_id
    await house.set_autopay(card)
    await house.go_to("2031-03-02")
    await house.tick()
    run = await house.run()
    assert run.status == autopay_pb2.AUTOPAY_RUN_STATUS_NEEDS_CONFIRMATION
    confirm = autopay_pb2.ConfirmAutopayRequest(run_id=run.run_id)
    with pytest.raises(ServiceError, match="OWN_PAYMENT"):
        await house.autopay.ConfirmAutopay(confirm, metadata=house.by("per_1"))
    with pytest.raises(ServiceError, match="PERMISSION_MISSING"):
        await house.autopay.ConfirmAutopay(confirm, metadata=house.by("per_ann", permissions=PAYER))
    await house.autopay.ConfirmAutopay(confirm, metadata=house.by("per_ann"))
    await house.tick()
    assert (await house.run()).status == autopay_pb2.AUTOPAY_RUN_STATUS_PAID
