"""Disputes on a real database: opened, answered, escalated, resolved; only what is disputed is not asked for."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.caller import Caller
from chassis.errors import ServiceError
from services.invoicing.operations.answer_dispute import escalate_late_disputes
from tallyport.invoicing.v1 import customers_pb2, events_pb2, reservations_pb2
from tallyport.invoicing.v1 import disputes_pb2 as pb
from tests.service.invoicing.office import Office, usd

_WRONG = pb.DISPUTE_REASON_WRONG_AMOUNT
_PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


async def _open(office: Office, invoice_id: str, *, as_: Caller | None = None, **fields: Any) -> pb.Dispute:
    request = pb.OpenDisputeRequest(
        invoice_id=invoice_id, **{"reason": _WRONG, "text": "Two of five boxes came", **fields}
    )
    return await office.call(office.disputes.OpenDispute, request, as_=as_)


async def _resolve(
    office: Office, dispute_id: str, outcome: "pb.DisputeState.ValueType", credit: int = 0
) -> pb.Dispute:
    request = pb.ResolveDisputeRequest(
        dispute_id=dispute_id, outcome=outcome, text="We looked at it", credit=usd(credit) if credit else None
    )
    return await office.call(office.disputes.ResolveDispute, request)


async def _get(office: Office, dispute_id: str, *, as_: Caller | None = None) -> pb.Dispute:
    return await office.call(office.disputes.GetDispute, pb.GetDisputeRequest(dispute_id=dispute_id), as_=as_)


async def _asked(office: Office, customer_id: str, invoice_id: str) -> int:
    return int((await office.plan(customer_id, invoice_id)).payable.minor_units)


async def _collected(office: Office, customer_id: str) -> tuple[int, int]:
    """What automatic payments would take of the customer's only invoice, and what a transfer is asked for."""
    request = reservations_pb2.ListDueItemsRequest(
        organization_id=office.organization_id, customer_ids=[customer_id]
    )
    (item,) = (await office.as_payments(office.open_items.ListDueItems, request)).items
    return item.amount_due.minor_units, item.asked_now.minor_units


async def test_the_rest_is_paid_while_a_part_is_disputed_and_that_part_is_asked_for_when_rejected(
    office: Office,
) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 6_000, 4_000)
    person = office.person_of(customer.customer_id)
    dispute = await _open(office, invoice.invoice_id, as_=person, lines=[pb.DisputeLine(line_no=2)])
    assert (dispute.amount.minor_units, dispute.lines[0].description) == (4_000, "Item 2")
    assert dispute.undisputed_due.minor_units == 6_000
    assert await _asked(office, customer.customer_id, invoice.invoice_id) == 6_000
    assert await _collected(office, customer.customer_id) == (6_000, 6_000)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 6_000})
    await office.paid("pay_1", customer.customer_id, 6_000, {invoice.invoice_id: 6_000})
    read = await office.read(invoice.invoice_id)
    assert (read.amount_due.minor_units, read.disputed) == (4_000, True)
    closed = await _resolve(office, dispute.dispute_id, pb.DISPUTE_STATE_REJECTED)
    assert (closed.state, closed.credit_note_id) == (pb.DISPUTE_STATE_REJECTED, "")
    assert await _asked(office, customer.customer_id, invoice.invoice_id) == 4_000
    (told,) = await office.events(events_pb2.DisputeResolved)
    assert (told.outcome, told.amount_due.minor_units) == ("rejected", 4_000)
    assert await office.wrongs() == []


async def test_an_accepted_dispute_is_a_credit_note_of_its_lines(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 6_000, 4_000)
    dispute = await _open(office, invoice.invoice_id, lines=[pb.DisputeLine(line_no=2, amount=usd(1_500))])
    closed = await _resolve(office, dispute.dispute_id, pb.DISPUTE_STATE_ACCEPTED)
    assert closed.credited.minor_units == 1_500
    assert closed.credit_note_id.startswith("crn_")
    read = await office.read(invoice.invoice_id)
    assert (read.amount_due.minor_units, read.disputed) == (8_500, False)
    assert await office.reductions(invoice.invoice_id) == [("credit_note", 1_500)]
    assert await office.wrongs() == []


async def test_lines_and_an_amount_are_not_taken_together(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    with pytest.raises(ServiceError) as refused:
        await _open(office, invoice.invoice_id, lines=[pb.DisputeLine(line_no=1)], amount=usd(5_000))
    assert [(one.field, one.code) for one in refused.value.fields] == [("amount", "conflict")]


async def test_a_part_is_credited_and_the_rest_is_asked_for(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    dispute = await _open(office, invoice.invoice_id, amount=usd(5_000))
    for wrong in (0, 5_000, 6_000):
        with pytest.raises(ServiceError) as refused:
            await _resolve(office, dispute.dispute_id, pb.DISPUTE_STATE_PARTLY_ACCEPTED, wrong)
        assert [one.field for one in refused.value.fields] == ["credit"]
    closed = await _resolve(office, dispute.dispute_id, pb.DISPUTE_STATE_PARTLY_ACCEPTED, 2_000)
    assert closed.credited.minor_units == 2_000
    assert await _asked(office, customer.customer_id, invoice.invoice_id) == 8_000
    with pytest.raises(ServiceError) as refused:
        await _resolve(office, dispute.dispute_id, pb.DISPUTE_STATE_REJECTED)
    assert refused.value.reason == "DISPUTE_CLOSED"


async def test_disputes_of_an_invoice_never_come_to_more_than_is_due(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    first = await _open(office, invoice.invoice_id, amount=usd(7_000))
    with pytest.raises(ServiceError) as refused:
        await _open(office, invoice.invoice_id, amount=usd(3_001))
    assert refused.value.reason == "DISPUTE_EXCEEDS_DUE"
    rest = await _open(office, invoice.invoice_id)
    assert rest.amount.minor_units == 3_000
    with pytest.raises(ServiceError) as refused:
        await _open(office, invoice.invoice_id)
    assert refused.value.reason == "DISPUTE_EXCEEDS_DUE"
    request = pb.WithdrawDisputeRequest(dispute_id=first.dispute_id)
    await office.call(office.disputes.WithdrawDispute, request, as_=office.person_of(customer.customer_id))
    assert await _asked(office, customer.customer_id, invoice.invoice_id) == 7_000


async def test_nobody_else_sees_a_dispute_and_customers_are_not_told_who_looks_after_it(
    office: Office, other_office: Office
) -> None:
    customer, other = await office.customer(), await office.customer(name="Other")
    invoice = await office.invoice(customer.customer_id, 10_000)
    second = await office.invoice(customer.customer_id, 5_000)
    holder = office.link_holder(customer.customer_id, invoice.invoice_id)
    dispute = await _open(office, invoice.invoice_id, as_=holder)
    await _open(office, second.invoice_id)
    request = pb.AssignDisputeRequest(dispute_id=dispute.dispute_id, owner_id="per_9", owner_name="Ada")
    assert (await office.call(office.disputes.AssignDispute, request)).owner_name == "Ada"
    escalate = pb.EscalateDisputeRequest(dispute_id=dispute.dispute_id, reason="Large")
    await office.call(office.disputes.EscalateDispute, escalate)
    seen = await _get(office, dispute.dispute_id, as_=holder)
    assert (seen.owner_name, seen.HasField("escalated_at")) == ("", False)
    assert [one.step for one in seen.entries] == [pb.DISPUTE_STEP_OPENED]
    assert len((await _get(office, dispute.dispute_id)).entries) == 3
    for stranger in (office.person_of(other.customer_id), office.link_holder("c", second.invoice_id)):
        with pytest.raises(ServiceError) as refused:
            await _get(office, dispute.dispute_id, as_=stranger)
        assert refused.value.reason == "DISPUTE_NOT_FOUND"
    with pytest.raises(ServiceError):
        await _get(other_office, dispute.dispute_id)
    listed = await office.call(office.disputes.ListDisputes, pb.ListDisputesRequest(), as_=holder)
    assert [one.dispute_id for one in listed.disputes] == [dispute.dispute_id]
    mine = await office.call(office.disputes.ListDisputes, pb.ListDisputesRequest(owner_id="per_9"))
    assert (mine.open, mine.late) == (1, 1)


async def test_pages_of_the_queue_hold_each_dispute_once_the_most_urgent_first(office: Office) -> None:
    customer = await office.customer()
    opened = []
    for _ in range(5):
        invoice = await office.invoice(customer.customer_id, 1_000)
        opened.append((await _open(office, invoice.invoice_id)).dispute_id)
        office.clock.advance(timedelta(hours=1))
    await _resolve(office, opened[0], pb.DISPUTE_STATE_REJECTED)
    found, token = [], ""
    while True:
        request = pb.ListDisputesRequest(page_size=2, page_token=token)
        page = await office.call(office.disputes.ListDisputes, request)
        found += [one.dispute_id for one in page.disputes]
        token = page.next_page_token
        if not token:
            break
    assert found == [*opened[1:], opened[0]]


async def test_what_nobody_answers_in_time_is_escalated_once(office: Office) -> None:
    policy = pb.DisputePolicy(answer_within_hours=4, resolve_within_days=3)
    await office.call(office.disputes.PutDisputePolicy, pb.PutDisputePolicyRequest(policy=policy))
    customer = await office.customer()
    silent = await _open(office, (await office.invoice(customer.customer_id, 1_000)).invoice_id)
    answered = await _open(office, (await office.invoice(customer.customer_id, 1_000)).invoice_id)
    request = pb.AddDisputeMessageRequest(dispute_id=answered.dispute_id, text="We are looking")
    told = await office.call(office.disputes.AddDisputeMessage, request)
    assert told.HasField("answered_at")
    assert not told.HasField("answer_due_at")
    late = []
    for hours in (3, 2, 24, 72):
        office.clock.advance(timedelta(hours=hours))
        for _ in range(2):
            await escalate_late_disputes(office.db, limit=100)
        late.append([one.dispute.dispute_id for one in await office.events(events_pb2.DisputeEscalated)])
    first, both = [silent.dispute_id], [silent.dispute_id, answered.dispute_id]
    assert late == [[], first, first, both]


async def test_files_are_known_by_their_content_and_named_safely(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    person = office.person_of(customer.customer_id)
    dispute = await _open(office, invoice.invoice_id, as_=person)

    async def add(name: str, content: bytes) -> pb.Dispute:
        request = pb.AddDisputeEvidenceRequest(dispute_id=dispute.dispute_id, file_name=name, content=content)
        return await office.call(office.disputes.AddDisputeEvidence, request, as_=person)

    added = await add("../../etc/pass\nwd.html", _PNG)
    (file,) = added.evidence
    assert (file.file_name, file.media_type) == ("pass_wd.png", "image/png")
    wanted = pb.GetDisputeEvidenceRequest(dispute_id=dispute.dispute_id, evidence_id=file.evidence_id)
    assert (await office.call(office.disputes.GetDisputeEvidence, wanted)).content == _PNG
    with pytest.raises(ServiceError) as refused:
        await add("photo.png", b"\0\1\2MZ")
    assert refused.value.reason == "EVIDENCE_NOT_ALLOWED"
    for at in range(9):
        await add(f"{at}.txt", b"It is broken")
    with pytest.raises(ServiceError) as refused:
        await add("more.txt", b"It is broken")
    assert refused.value.reason == "TOO_MUCH_EVIDENCE"


async def test_lists_are_the_own_ones_and_those_of_customers_below_who_are_named(office: Office) -> None:
    parent, child, other = [await office.customer(name=name) for name in ("Parent", "Child", "Other")]
    request = customers_pb2.SetCustomerParentRequest(
        customer_id=child.customer_id, parent_customer_id=parent.customer_id
    )
    await office.call(office.customers.SetCustomerParent, request)
    opened = {}
    for one in (parent, child, other):
        invoice = await office.invoice(one.customer_id, 1_000)
        opened[one.customer_id] = (await _open(office, invoice.invoice_id)).dispute_id

    async def listed(as_: Caller, **fields: Any) -> list[str]:
        page = await office.call(office.disputes.ListDisputes, pb.ListDisputesRequest(**fields), as_=as_)
        assert page.open == len(page.disputes)
        return [one.dispute_id for one in page.disputes]

    person = office.person_of(parent.customer_id)
    assert await listed(person, owner_id="per_9") == [opened[parent.customer_id]]
    assert await listed(person, customer_id=child.customer_id) == [opened[child.customer_id]]
    with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
        await listed(person, customer_id=other.customer_id)
    with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
        await listed(office.person_of(child.customer_id), customer_id=parent.customer_id)
    assert set(await listed(office.staff())) == set(opened.values())
