"""Instalment plans from the wish to the last instalment, with what everybody else is told is due meanwhile."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.caller import Caller
from chassis.errors import ServiceError
from services.invoicing.operations.run_plans import run_plans
from services.invoicing.store.plans import Stopped, invoices_on_track
from tallyport.invoicing.v1 import customers_pb2, events_pb2, plan_policies_pb2, reservations_pb2
from tallyport.invoicing.v1 import instalment_plans_pb2 as pb
from tallyport.payments.v1 import events_pb2 as payments_events
from tests.service.invoicing.office import Office, usd

START = datetime(2026, 11, 21, 15, tzinfo=UTC)
RULES: dict[str, Any] = {
    "max_months": 12, "min_instalment": usd(1_000), "min_debt": usd(5_000), "max_debt": usd(0),
    "auto_approve_up_to": usd(50_000), "grace_days": 5, "missed_to_break": 1, "notice_days": 3,
    "max_hold_days": 60, "hardship_discount_basis_points": 1_000, "stops_dunning": True,
    "stops_late_fees": True, "stops_autopay": False, "max_open_promises": 1, "max_promise_days": 30,
}  # fmt: skip
FOUR = pb.InstalmentChoice(instalments=4, interval=pb.INSTALMENT_INTERVAL_MONTH, first_due_on="2026-12-01")


async def allow(office: Office, segment: str = "", **changes: Any) -> None:
    policy = plan_policies_pb2.PlanPolicy(
        segment=segment, currency="USD", rules=pb.PlanPolicyRules(**(RULES | changes))
    )
    request = plan_policies_pb2.PutPlanPolicyRequest(policy=policy)
    await office.call(office.plan_policies.PutPlanPolicy, request)


async def ask(office: Office, customer_id: str, **fields: Any) -> pb.InstalmentPlan:
    as_: Caller = fields.pop("as_", office.person_of(customer_id))
    request = pb.RequestInstalmentPlanRequest(customer_id=customer_id, **{"choice": FOUR, **fields})
    return await office.call(office.plans.RequestInstalmentPlan, request, as_=as_)


async def accept(office: Office, plan: pb.InstalmentPlan, as_: Caller | None = None) -> pb.InstalmentPlan:
    request = pb.AcceptInstalmentPlanRequest(plan_id=plan.plan_id, terms_hash=plan.terms.hash)
    by = as_ or office.person_of(plan.customer_id)
    return await office.call(office.plans.AcceptInstalmentPlan, request, as_=by)


async def get(office: Office, plan_id: str) -> pb.InstalmentPlan:
    return await office.call(office.plans.GetInstalmentPlan, pb.GetInstalmentPlanRequest(plan_id=plan_id))


async def on(office: Office, day: str) -> None:
    """Turn the clock to noon of a day and let the job look."""
    noon = datetime.fromisoformat(f"{day}T17:00:00+00:00")
    office.clock.advance(noon - office.clock.now())
    await look(office)


async def look(office: Office) -> None:
    while await run_plans(office.db, limit=100):
        pass


async def summary(office: Office, customer_id: str) -> customers_pb2.AccountBalance:
    request = customers_pb2.GetAccountSummaryRequest(customer_id=customer_id)
    return (await office.call(office.customers.GetAccountSummary, request)).balances[0]


async def asked(office: Office, customer_id: str) -> int:
    """What a payment of everything that is asked for would pay."""
    plan = await office.plan(customer_id)
    return sum(part.amount.minor_units for part in plan.parts)


async def test_a_plan_within_the_policy_is_offered_at_once_and_asks_for_its_instalments(
    office: Office,
) -> None:
    """Four instalments with an early, a late, a part payment and an overpayment, to the end."""
    await allow(office, grace_days=20)
    customer = (await office.customer()).customer_id
    first, second = [
        (await office.invoice(customer, 20_000, invoice_date="2026-10-01", due_date=day)).invoice_id
        for day in ("2026-11-01", "2026-11-10")
    ]
    assert await asked(office, customer) == 40_000
    plan = await ask(office, customer)
    assert plan.state == pb.INSTALMENT_PLAN_STATE_OFFERED
    assert await asked(office, customer) == 40_000, "nothing is agreed yet"
    plan = await accept(office, plan)
    assert plan.state == pb.INSTALMENT_PLAN_STATE_ACTIVE
    assert plan.terms.accepted_at.seconds
    assert "$400.00" in plan.terms.text
    assert [one.amount.minor_units for one in plan.schedule.instalments] == [10_000] * 4
    steps = [
        ("2026-11-28", 4_000, 0),  # early, in part
        ("2026-12-01", 0, 6_000), ("2026-12-02", 6_000, 0), ("2027-01-01", 0, 10_000),
        ("2027-01-12", 2_500, 7_500),  # late, in part
        ("2027-01-15", 12_500, 0),  # the rest and half of the next one
        ("2027-02-01", 0, 5_000), ("2027-02-03", 15_000, 0),
    ]  # fmt: skip
    for at, (day, pays, due_then) in enumerate(steps):
        await on(office, day)
        if pays:
            shown = await office.plan(customer, amount=usd(pays))
            parts = {part.invoice_id: part.amount.minor_units for part in shown.parts}
            await office.paid(f"pay_{at}_{customer}", customer, pays, parts)
        assert await asked(office, customer) == due_then, day
        assert (await summary(office, customer)).due_now.minor_units == due_then, day
        assert (await get(office, plan.plan_id)).schedule.due_now.minor_units == due_then, day
    await look(office)
    done = await get(office, plan.plan_id)
    assert done.state == pb.INSTALMENT_PLAN_STATE_COMPLETED
    assert done.schedule.open.minor_units == 0
    assert {(await office.read(one)).amount_due.minor_units for one in (first, second)} == {0}
    assert len(await office.events(events_pb2.InstalmentPlanCompleted)) == 1
    told = await office.events(events_pb2.InstalmentDue)
    assert [(one.number, one.amount.minor_units) for one in told] == [(1, 10_000), (2, 10_000), (3, 5_000)]
    assert await office.wrongs() == []


async def test_what_is_asked_names_its_instalment_and_more_may_be_paid(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    planned = (
        await office.invoice(customer, 40_000, invoice_date="2026-10-01", due_date="2026-11-01")
    ).invoice_id
    plan = await accept(office, await ask(office, customer, invoice_ids=[planned]))
    other = (
        await office.invoice(customer, 3_000, invoice_date="2026-10-01", due_date="2026-11-20")
    ).invoice_id
    before = await office.plan(customer)
    assert [part.invoice_id for part in before.parts] == [other]
    assert [(skip.invoice_id, skip.reason) for skip in before.skipped] == [(planned, "on_plan")]
    assert before.payable.minor_units == 43_000
    await on(office, "2026-12-01")
    shown = await office.plan(customer)
    parts = {part.invoice_id: part for part in shown.parts}
    assert parts[planned].amount.minor_units == 10_000
    assert parts[planned].amount_due.minor_units == 10_000, "an instalment is no part payment"
    told = parts[planned].instalment
    assert (told.plan_id, told.number, told.count, told.due_on) == (plan.plan_id, 1, 4, "2026-12-01")
    assert not parts[other].HasField("instalment")
    same = await office.plan(customer, amount=usd(13_000))
    assert same.parts == shown.parts, "the sum that is asked for is shared as it is asked for"
    early = await office.plan(customer, planned, amount=usd(40_000))
    assert early.parts[0].amount.minor_units == 40_000
    await office.reserve(f"pay_1_{customer}", customer, {planned: 4_000})
    assert await asked(office, customer) == 9_000, "what is on its way is asked for once"
    own = await office.plan(customer, planned, payment_id=f"pay_1_{customer}")
    assert own.parts[0].amount.minor_units == 10_000


async def test_autopay_sees_instalments_and_matching_knows_their_amounts(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    planned = (
        await office.invoice(customer, 40_000, invoice_date="2026-10-01", due_date="2026-11-01")
    ).invoice_id
    await accept(office, await ask(office, customer))

    async def due(until: str = "") -> list[tuple[int, str]]:
        request = reservations_pb2.ListDueItemsRequest(
            organization_id=office.organization_id, customer_ids=[customer], due_until=until
        )
        answer = await office.as_payments(office.open_items.ListDueItems, request)
        return [(one.amount_due.minor_units, one.due_date) for one in answer.items]

    assert await due() == [(10_000, "2026-12-01")], "the next instalment, on its day"
    assert await due("2026-11-30") == []
    assert await due("2026-12-01") == [(10_000, "2026-12-01")]
    find = reservations_pb2.FindOpenItemsRequest(
        organization_id=office.organization_id, amounts=[usd(10_000)]
    )
    found = await office.as_payments(office.open_items.FindOpenItems, find)
    assert [(one.invoice_id, one.amount_due.minor_units) for one in found.items] == [(planned, 40_000)]
    assert found.items[0].instalment_due.minor_units == 10_000, "the next one, while none is due"
    async with office.db.read(office.organization_id) as tx:
        today = date(2026, 11, 21)
        assert await invoices_on_track(tx, [planned], today, stopped=Stopped.LATE_FEES) == {planned}
        assert await invoices_on_track(tx, [planned], today, stopped=Stopped.AUTOPAY) == frozenset()
        assert await invoices_on_track(tx, [planned], date(2026, 12, 7)) == frozenset(), "broken by then"


async def test_a_missed_instalment_breaks_the_plan_after_the_grace_once(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    await office.invoice(customer, 40_000, invoice_date="2026-10-01", due_date="2026-11-01")
    plan = await accept(office, await ask(office, customer))
    assert plan.schedule.breaks_on == "2026-12-07"
    await on(office, "2026-12-06")
    assert await asked(office, customer) == 10_000
    assert (await summary(office, customer)).overdue.minor_units == 10_000
    await on(office, "2026-12-07")
    await look(office)
    assert (await get(office, plan.plan_id)).state == pb.INSTALMENT_PLAN_STATE_BROKEN
    assert await asked(office, customer) == 40_000
    broken = await office.events(events_pb2.InstalmentPlanBroken)
    assert [one.missed.minor_units for one in broken] == [10_000]
    assert len(await office.events(events_pb2.InstalmentDue)) == 1
    again = await ask(office, customer, choice=pb.InstalmentChoice(instalments=2))
    assert again.state == pb.INSTALMENT_PLAN_STATE_OFFERED


async def test_hardship_waits_for_staff_who_may_give_time_and_a_discount(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    invoice = (
        await office.invoice(customer, 40_000, invoice_date="2026-10-01", due_date="2026-11-01")
    ).invoice_id
    plan = await ask(
        office, customer, hardship=True, reasons=["illness"], message="In hospital", wished_amount=usd(5_000)
    )
    assert plan.state == pb.INSTALMENT_PLAN_STATE_REQUESTED
    assert not plan.terms.text
    with pytest.raises(ServiceError, match="PLAN_EXISTS"):
        await ask(office, customer)
    approve = pb.ApproveInstalmentPlanRequest(
        plan_id=plan.plan_id, hardship_discount=usd(4_001), note="Get well soon",
        choice=pb.InstalmentChoice(instalments=6, first_due_on="2027-01-15"),
    )  # fmt: skip
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await office.call(office.plans.ApproveInstalmentPlan, approve)
    approve.hardship_discount.CopyFrom(usd(4_000))
    offered = await office.call(office.plans.ApproveInstalmentPlan, approve)
    assert (offered.state, offered.offered_until) == (pb.INSTALMENT_PLAN_STATE_OFFERED, "2026-12-05")
    news = (await office.events(events_pb2.InstalmentPlanOffered))[0]
    assert (news.notify, news.first_amount.minor_units) == (True, 6_000)
    begun = await accept(office, offered)
    assert begun.schedule.total.minor_units == 36_000
    assert begun.schedule.paid.minor_units == 0
    read = await office.read(invoice)
    assert (read.amount_due.minor_units, read.amount_credited.minor_units) == (36_000, 4_000)
    assert await asked(office, customer) == 0
    assert await office.wrongs() == []


async def test_terms_are_kept_word_for_word_and_only_what_was_shown_is_agreed_to(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    invoice = (await office.invoice(customer, 40_000)).invoice_id
    plan = await ask(office, customer)
    wrong = pb.AcceptInstalmentPlanRequest(plan_id=plan.plan_id, terms_hash="0" * 64)
    with pytest.raises(ServiceError, match="PLAN_TERMS_CHANGED"):
        await office.call(office.plans.AcceptInstalmentPlan, wrong, as_=office.person_of(customer))
    await office.paid(f"pay_1_{customer}", customer, 500, {invoice: 500})
    with pytest.raises(ServiceError, match="PLAN_TERMS_CHANGED"):
        await accept(office, plan)
    stranger = office.person_of((await office.customer()).customer_id)
    with pytest.raises(ServiceError, match="PLAN_NOT_FOUND"):
        await accept(office, plan, as_=stranger)
    request = pb.CancelInstalmentPlanRequest(plan_id=plan.plan_id)
    await office.call(office.plans.CancelInstalmentPlan, request, as_=office.person_of(customer))
    fresh = await ask(office, customer)
    await on(office, "2026-12-06")
    with pytest.raises(ServiceError, match="PLAN_CHANGED"):
        await accept(office, fresh)
    assert (await get(office, fresh.plan_id)).state == pb.INSTALMENT_PLAN_STATE_CANCELED


async def test_terms_are_in_the_language_of_the_customer_or_else_of_the_organization(office: Office) -> None:
    await allow(office)
    await office.organization_changed(2, locale="de-DE")
    for locale, words in (("", "jederzeit"), ("ar-EG", "مجاني"), ("de-AT", "jederzeit")):
        customer = (await office.customer(locale=locale)).customer_id
        await office.invoice(customer, 40_000)
        plan = await ask(office, customer)
        assert words in plan.terms.text
        assert (await get(office, plan.plan_id)).terms.text == plan.terms.text
        assert (await accept(office, plan)).terms.text == plan.terms.text


async def test_policies_follow_segments_and_bound_customers_but_not_staff(office: Office) -> None:
    await allow(office, auto_approve_up_to=usd(0))
    await allow(office, "gold", max_months=2)
    plain = (await office.customer()).customer_id
    gold = (await office.customer(segments=["gold"])).customer_id
    for customer in (plain, gold):
        await office.invoice(customer, 40_000)
    assert (await ask(office, plain)).state == pb.INSTALMENT_PLAN_STATE_REQUESTED
    with pytest.raises(ServiceError, match="PLAN_TERMS_NOT_ALLOWED"):
        await ask(office, gold)
    propose = pb.ProposeInstalmentsRequest(customer_id=gold)
    proposal = await office.call(office.plans.ProposeInstalments, propose, as_=office.person_of(gold))
    assert [one.instalments for one in proposal.options] == [2]
    offer = pb.OfferInstalmentPlanRequest(customer_id=gold, choice=FOUR, note="As we said on the phone")
    offered = await office.call(office.plans.OfferInstalmentPlan, offer)
    assert len(offered.schedule.instalments) == 4
    await accept(office, offered, as_=office.staff())
    listed = await office.call(
        office.plan_policies.ListPlanPolicies, plan_policies_pb2.ListPlanPoliciesRequest()
    )
    assert [(one.segment, one.written) for one in listed.policies] == [("", True), ("gold", True)]
    everything = await office.call(office.plans.ListInstalmentPlans, pb.ListInstalmentPlansRequest())
    assert [one.customer_id for one in everything.plans] == [gold, plain]
    own = await office.call(
        office.plans.ListInstalmentPlans, pb.ListInstalmentPlansRequest(), as_=office.person_of(plain)
    )
    assert [one.customer_id for one in own.plans] == [plain]


async def test_signs_of_hardship_suggest_a_plan_on_one_day_until_it_is_declined(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    person = office.person_of(customer)
    await office.invoice(customer, 40_000, invoice_date="2026-10-01", due_date="2026-11-01")
    request = pb.GetPlanSuggestionRequest(customer_id=customer)

    async def suggestion() -> pb.PlanSuggestion:
        return await office.call(office.plans.GetPlanSuggestion, request, as_=person)

    assert not (await suggestion()).shown, "one late invoice is no sign"
    failed = payments_events.PaymentFailed(payment_id=f"pay_f_{customer}", customer_id=customer)
    await office.deliver(failed, aggregate_id=failed.payment_id)
    found = await suggestion()
    assert found.shown
    assert [(one.kind, one.count) for one in found.signs] == [("failed_payments", 1), ("late_invoices", 1)]
    assert found.proposal.total.minor_units == 40_000
    answer = pb.AnswerPlanSuggestionRequest(customer_id=customer)
    assert (await office.call(office.plans.AnswerPlanSuggestion, answer, as_=person)).shown
    office.clock.advance(timedelta(days=1))
    assert not (await suggestion()).shown, "shown on one day only"
    office.clock.advance(timedelta(days=180))
    await office.deliver(failed, aggregate_id=failed.payment_id)
    late = payments_events.PaymentFailed(payment_id=f"pay_g_{customer}", customer_id=customer)
    await office.deliver(late, aggregate_id=late.payment_id)
    assert (await suggestion()).shown
    declined = pb.AnswerPlanSuggestionRequest(customer_id=customer, declined=True)
    assert not (await office.call(office.plans.AnswerPlanSuggestion, declined, as_=person)).shown
    assert not (await suggestion()).shown


async def _signs_of(office: Office, customer: str) -> tuple[bool, dict[str, int]]:
    request = pb.GetPlanSuggestionRequest(customer_id=customer)
    found = await office.call(office.plans.GetPlanSuggestion, request, as_=office.person_of(customer))
    return found.shown, {one.kind: one.count for one in found.signs}


@pytest.mark.parametrize("sign", ["failed_payments", "late_invoices", "part_payments", "returned"])
async def test_each_sign_of_hardship_makes_an_offer_that_changes_nothing_by_itself(
    office: Office, sign: str
) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    late = {"invoice_date": "2026-10-01", "due_date": "2026-11-01"}
    invoice = (await office.invoice(customer, 40_000, **late)).invoice_id
    assert await _signs_of(office, customer) == (False, {"late_invoices": 1}), "a single slip is none"
    if sign == "late_invoices":
        await office.invoice(customer, 10_000, **late)
        expected = {"late_invoices": 2}
    elif sign == "part_payments":
        await office.paid(f"pay_1_{customer}", customer, 5_000, {invoice: 5_000})
        expected = {"late_invoices": 1, "part_payments": 1}
    elif sign == "returned":
        await office.paid(f"pay_1_{customer}", customer, 40_000, {invoice: 40_000})
        returned = {"kind": payments_events.REVERSAL_KIND_RETURN, "whole": True}
        await office.reversed(f"pay_1_{customer}", customer, 40_000, **returned)
        expected = {"late_invoices": 1, "failed_payments": 1}
    else:
        failed = payments_events.PaymentFailed(payment_id=f"pay_1_{customer}", customer_id=customer)
        for _ in range(2):
            await office.deliver(failed, aggregate_id=failed.payment_id)
        expected = {"late_invoices": 1, "failed_payments": 1}
    before = (await summary(office, customer), await asked(office, customer))
    assert await _signs_of(office, customer) == (True, expected)
    for declined in (False, True):
        answer = pb.AnswerPlanSuggestionRequest(customer_id=customer, declined=declined)
        stranger = office.person_of((await office.customer()).customer_id)
        with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
            await office.call(office.plans.AnswerPlanSuggestion, answer, as_=stranger)
        await office.call(office.plans.AnswerPlanSuggestion, answer, as_=office.person_of(customer))
    assert not (await _signs_of(office, customer))[0]
    assert (await summary(office, customer), await asked(office, customer)) == before
    assert await office.count("instalment_plans") == 0
    async with office.db.read(office.organization_id) as tx:
        assert not await invoices_on_track(tx, [invoice], date(2026, 11, 21))


async def test_a_refund_by_staff_is_no_sign_of_hardship(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    invoice = (
        await office.invoice(customer, 40_000, invoice_date="2026-10-01", due_date="2026-11-01")
    ).invoice_id
    await office.paid(f"pay_1_{customer}", customer, 40_000, {invoice: 40_000})
    await office.reversed(f"pay_1_{customer}", customer, 40_000)
    assert await _signs_of(office, customer) == (False, {"late_invoices": 1})
