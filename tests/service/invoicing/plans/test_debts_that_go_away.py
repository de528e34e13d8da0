"""What is voided, credited or written off is not argued about, promised or paid in parts any more."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from tallyport.invoicing.v1 import disputes_pb2, events_pb2, invoices_pb2
from tallyport.invoicing.v1 import instalment_plans_pb2 as pb
from tallyport.invoicing.v1 import payment_promises_pb2 as promises_pb
from tests.service.invoicing.office import Office, usd
from tests.service.invoicing.plans.test_instalment_plans import accept, allow, ask, asked, get, look, on
from tests.service.invoicing.plans.test_payment_promises import promise, state

OLD = {"invoice_date": "2026-10-01", "due_date": "2026-11-01"}
GoesAway = Callable[[Office, str], Awaitable[object]]


async def _void(office: Office, invoice_id: str) -> invoices_pb2.Invoice:
    request = invoices_pb2.VoidInvoiceRequest(invoice_id=invoice_id, reason="Sent twice")
    return await office.call(office.invoices.VoidInvoice, request)


async def _write_off(office: Office, invoice_id: str) -> invoices_pb2.Invoice:
    return await office.write_off(invoice_id)


async def _credit(office: Office, invoice_id: str) -> invoices_pb2.Invoice:
    await office.credit_note(invoice_id)
    return await office.read(invoice_id)


async def _dispute(office: Office, invoice_id: str, cents: int) -> disputes_pb2.Dispute:
    request = disputes_pb2.OpenDisputeRequest(
        invoice_id=invoice_id, reason=disputes_pb2.DISPUTE_REASON_DUPLICATE, text="Twice", amount=usd(cents)
    )
    return await office.call(office.disputes.OpenDispute, request)


async def _audited(office: Office, object_id: str) -> list[tuple[str, str]]:
    async with office.db.read(office.organization_id) as tx:
        found = await tx.execute(
            text(
                "SELECT action, record FROM audit_log"
                " WHERE organization_id = :organization_id AND object_id = :object_id ORDER BY seq"
            ),
            {"organization_id": office.organization_id, "object_id": object_id},
        )
        return [(row.action, json.loads(row.record)["reason"]) for row in found]


@pytest.mark.parametrize(
    ("goes_away", "why"), [(_void, "Sent twice"), (_write_off, "Bankrupt"), (_credit, "Came back")]
)
async def test_disputes_of_an_invoice_that_is_not_asked_for_any_more_are_settled(
    office: Office, goes_away: GoesAway, why: str
) -> None:
    customer = (await office.customer()).customer_id
    invoice = (await office.invoice(customer, 10_000)).invoice_id
    opened = []
    for cents in (3_000, 2_000):
        opened.append((await _dispute(office, invoice, cents)).dispute_id)
        office.clock.advance(timedelta(seconds=1))
    after = await goes_away(office, invoice)
    assert isinstance(after, invoices_pb2.Invoice)
    assert (after.disputed, after.amount_disputed.minor_units) == (False, 0)
    read = await office.read(invoice)
    assert (read.disputed, read.version) == (False, after.version)
    for dispute_id in opened:
        request = disputes_pb2.GetDisputeRequest(dispute_id=dispute_id)
        found = await office.call(office.disputes.GetDispute, request)
        assert found.state == disputes_pb2.DISPUTE_STATE_SETTLED
        last = found.entries[-1]
        assert (last.step, last.side) == (
            disputes_pb2.DISPUTE_STEP_CLOSED, disputes_pb2.DISPUTE_SIDE_SYSTEM,
        )  # fmt: skip
        assert (await _audited(office, dispute_id))[-1] == ("dispute.settled", why)
    told = await office.events(events_pb2.DisputeResolved)
    assert [(one.dispute.dispute_id, one.outcome, one.amount_due.minor_units) for one in told] == [
        (dispute_id, "settled", 0) for dispute_id in opened
    ]
    counted = await office.call(office.disputes.ListDisputes, disputes_pb2.ListDisputesRequest())
    assert counted.open == 0
    assert await office.wrongs() == []


async def test_a_dispute_stays_open_while_something_of_its_invoice_is_asked_for(office: Office) -> None:
    customer = (await office.customer()).customer_id
    invoice = (await office.invoice(customer, 10_000)).invoice_id
    dispute = await _dispute(office, invoice, 3_000)
    await office.credit_note(invoice, 9_000)
    found = await office.call(
        office.disputes.GetDispute, disputes_pb2.GetDisputeRequest(dispute_id=dispute.dispute_id)
    )
    assert found.state == disputes_pb2.DISPUTE_STATE_OPEN
    assert await office.events(events_pb2.DisputeResolved) == []


async def test_what_was_paid_while_it_was_disputed_stays_in_dispute_when_only_the_rest_is_credited(
    office: Office,
) -> None:
    customer = (await office.customer()).customer_id
    states = []
    for number, credited in enumerate((4_000, 7_000)):
        invoice = (await office.invoice(customer, 10_000)).invoice_id
        await office.credit_note(invoice, 1_000)
        office.clock.advance(timedelta(seconds=1))
        dispute = await _dispute(office, invoice, 7_000 if number else 6_000)
        paid = 9_000 - credited
        await office.paid(f"pay_{number}", customer, paid, {invoice: paid})
        await office.credit_note(invoice, credited)
        assert (await office.read(invoice)).amount_due.minor_units == 0
        request = disputes_pb2.GetDisputeRequest(dispute_id=dispute.dispute_id)
        states.append((await office.call(office.disputes.GetDispute, request)).state)
    assert states == [disputes_pb2.DISPUTE_STATE_OPEN, disputes_pb2.DISPUTE_STATE_SETTLED]
    assert await office.wrongs() == []


@pytest.mark.parametrize("goes_away", [_void, _write_off, _credit])
@pytest.mark.parametrize("is_agreed", [False, True])
async def test_a_plan_over_nothing_ends_at_once(office: Office, goes_away: GoesAway, is_agreed: bool) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    first, second = [(await office.invoice(customer, 20_000, **OLD)).invoice_id for _ in range(2)]
    plan = await ask(office, customer)
    if is_agreed:
        plan = await accept(office, plan)
    before = plan.state
    await goes_away(office, first)
    await look(office)
    assert (await get(office, plan.plan_id)).state == before, "there is the other invoice"
    await goes_away(office, second)
    await look(office)
    ended = await get(office, plan.plan_id)
    assert ended.state == pb.INSTALMENT_PLAN_STATE_CANCELED
    (told,) = await office.events(events_pb2.InstalmentPlanEnded)
    assert (told.plan.plan_id, told.outcome) == (plan.plan_id, "canceled")
    assert (await _audited(office, plan.plan_id))[-1][0] == "instalment_plan.canceled"
    assert await office.events(events_pb2.InstalmentPlanCompleted) == []
    third = (await office.invoice(customer, 20_000, **OLD)).invoice_id
    assert (await ask(office, customer, invoice_ids=[third])).plan_id != plan.plan_id


async def test_a_plan_whose_rest_is_credited_is_complete(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    invoice = (await office.invoice(customer, 40_000, **OLD)).invoice_id
    plan = await accept(office, await ask(office, customer))
    await office.paid(f"pay_1_{customer}", customer, 10_000, {invoice: 10_000})
    await office.credit_note(invoice, 30_000)
    await look(office)
    assert (await get(office, plan.plan_id)).state == pb.INSTALMENT_PLAN_STATE_COMPLETED
    assert len(await office.events(events_pb2.InstalmentPlanCompleted)) == 1


async def test_promises_are_released_when_nothing_is_owed_and_kept_when_what_is_owed_was_paid(
    office: Office,
) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    first, second = [(await office.invoice(customer, 20_000, **OLD)).invoice_id for _ in range(2)]
    made = await promise(office, customer, 30_000, "2026-11-30")
    await _void(office, first)
    await look(office)
    assert await state(office, made.promise_id) == promises_pb.PAYMENT_PROMISE_STATE_OPEN
    await _void(office, second)
    await look(office)
    assert await state(office, made.promise_id) == promises_pb.PAYMENT_PROMISE_STATE_RELEASED
    (told,) = await office.events(events_pb2.PaymentPromiseReleased)
    assert (told.promise_id, told.amount.minor_units) == (made.promise_id, 30_000)
    assert (await _audited(office, made.promise_id))[-1][0] == "payment_promise.released"
    office.clock.advance(timedelta(seconds=1))
    third = (await office.invoice(customer, 20_000, **OLD)).invoice_id
    again = await promise(office, customer, 20_000, "2026-11-30")
    await office.paid(f"pay_1_{customer}", customer, 5_000, {third: 5_000})
    await office.credit_note(third, 15_000)
    await look(office)
    assert await state(office, again.promise_id) == promises_pb.PAYMENT_PROMISE_STATE_KEPT
    await on(office, "2026-12-20")
    assert await office.events(events_pb2.PaymentPromiseBroken) == []


async def _completed(office: Office, customer: str, invoice: str) -> pb.InstalmentPlan:
    """A plan of four instalments, two paid in time and the rest early."""
    plan = await accept(office, await ask(office, customer, invoice_ids=[invoice]))
    for at, (day, cents) in enumerate((("2026-12-01", 10_000), ("2026-12-20", 30_000))):
        await on(office, day)
        await office.paid(f"pay_{at}_{customer}", customer, cents, {invoice: cents})
    await look(office)
    done = await get(office, plan.plan_id)
    assert done.state == pb.INSTALMENT_PLAN_STATE_COMPLETED
    return done


async def test_a_complete_plan_goes_on_when_a_payment_returns_and_is_complete_again_when_it_comes_back(
    office: Office,
) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    invoice = (await office.invoice(customer, 40_000, **OLD)).invoice_id
    plan = await _completed(office, customer, invoice)
    await on(office, "2027-01-03")
    await office.reversed(f"pay_1_{customer}", customer, 30_000)
    assert await asked(office, customer) == 10_000, "the instalment of January, before any job has looked"
    active = await get(office, plan.plan_id)
    assert active.state == pb.INSTALMENT_PLAN_STATE_ACTIVE
    assert not active.HasField("ended_at")
    assert (active.schedule.due_now.minor_units, active.schedule.breaks_on) == (10_000, "2027-01-07")
    (told,) = await office.events(events_pb2.InstalmentPlanReopened)
    assert (told.plan.plan_id, told.due_now.minor_units) == (plan.plan_id, 10_000)
    assert ("instalment_plan.reopened", "") in await _audited(office, plan.plan_id)
    await look(office)
    await office.reinstated(f"pay_1_{customer}", customer, 30_000)
    await look(office)
    assert (await get(office, plan.plan_id)).state == pb.INSTALMENT_PLAN_STATE_COMPLETED
    assert len(await office.events(events_pb2.InstalmentPlanCompleted)) == 2
    assert await office.wrongs() == []


async def test_a_complete_plan_is_broken_when_a_payment_returns_after_all_its_days(office: Office) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    invoice = (await office.invoice(customer, 40_000, **OLD)).invoice_id
    plan = await _completed(office, customer, invoice)
    await on(office, "2027-04-01")
    await office.reversed(f"pay_1_{customer}", customer, 30_000)
    assert (await get(office, plan.plan_id)).state == pb.INSTALMENT_PLAN_STATE_BROKEN
    assert await asked(office, customer) == 30_000
    (told,) = await office.events(events_pb2.InstalmentPlanBroken)
    assert told.missed.minor_units == 30_000
    await look(office)
    assert len(await office.events(events_pb2.InstalmentPlanBroken)) == 1


async def test_a_complete_plan_stays_so_when_money_is_given_back_and_where_a_newer_plan_is(
    office: Office,
) -> None:
    await allow(office)
    customer = (await office.customer()).customer_id
    invoice = (await office.invoice(customer, 40_000, **OLD)).invoice_id
    first = await _completed(office, customer, invoice)
    await office.reversed(f"pay_0_{customer}", customer, 10_000, forgive=True)
    assert (await get(office, first.plan_id)).state == pb.INSTALMENT_PLAN_STATE_COMPLETED
    await office.reversed(f"pay_1_{customer}", customer, 10_000, reversal_id="ref_part")
    cancel = pb.CancelInstalmentPlanRequest(plan_id=first.plan_id)
    await office.call(office.plans.CancelInstalmentPlan, cancel)
    await on(office, "2026-12-21")
    choice = pb.InstalmentChoice(instalments=2, first_due_on="2026-12-28")
    newer = await accept(office, await ask(office, customer, choice=choice))
    await office.reversed(f"pay_1_{customer}", customer, 20_000, reversal_id="ref_rest")
    assert (await get(office, newer.plan_id)).state == pb.INSTALMENT_PLAN_STATE_ACTIVE
    assert len(await office.events(events_pb2.InstalmentPlanReopened)) == 1
