"""Invoices made by events: once for each external id, with the fields of the event."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import invoices_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb
from tests.service.invoicing.office import Office, usd


async def trigger(office: Office, **fields: Any) -> pb.Trigger:
    line = pb.TriggerLine(
        description="Milestone {milestone}", unit_price_field="amount", quantity_field="hours",
        tax_rate_percent="10",
    )  # fmt: skip
    wanted = {
        "name": "Milestones", "event_name": "milestone.reached", "customer_field": "client",
        "lines": [line], **fields,
    }  # fmt: skip
    return await office.call(office.triggers.CreateTrigger, pb.CreateTriggerRequest(**wanted))


def event(external_id: str = "ms-1", **fields: str) -> pb.ReportEventRequest:
    given = {"client": "C-7", "milestone": "Hull", "amount": "120.50", "hours": "2", **fields}
    return pb.ReportEventRequest(external_id=external_id, event_name="milestone.reached", fields=given)


async def report(office: Office, request: pb.ReportEventRequest) -> pb.ReportEventResponse:
    return await office.call(office.triggers.ReportEvent, request)


async def test_an_event_makes_a_final_invoice_of_its_fields_once(office: Office) -> None:
    customer = await office.customer(external_id="C-7")
    await trigger(office)
    answers = await asyncio.gather(*(report(office, event()) for _ in range(6)))
    assert sorted(answer.already_known for answer in answers) == [False] + [True] * 5
    assert len({tuple(answer.invoice_ids) for answer in answers}) == 1
    invoice = await office.read(answers[0].invoice_ids[0])
    assert invoice.status == invoices_pb2.INVOICE_STATUS_OPEN
    assert invoice.customer_id == customer.customer_id
    assert (invoice.lines[0].description, invoice.total) == ("Milestone Hull", usd(26_510))


async def test_another_event_under_a_known_id_is_refused(office: Office) -> None:
    await office.customer(external_id="C-7")
    await trigger(office)
    await report(office, event())
    with pytest.raises(ServiceError) as refused:
        await report(office, event(amount="1.00"))
    assert refused.value.reason == "EVENT_EXTERNAL_ID_TAKEN"


@pytest.mark.parametrize("wrong", [{"amount": ""}, {"amount": "12.345"}, {"hours": "NaN"}, {"hours": "0"}])
async def test_an_event_that_makes_no_sense_is_not_kept_and_may_be_set_right(
    office: Office, wrong: dict[str, str]
) -> None:
    await office.customer(external_id="C-7")
    await trigger(office)
    with pytest.raises(ServiceError) as refused:
        await report(office, event(**wrong))
    assert refused.value.fields[0].field == f"fields.{next(iter(wrong))}"
    assert len((await report(office, event())).invoice_ids) == 1


async def test_a_trigger_that_is_off_makes_nothing_and_one_with_review_makes_a_draft(office: Office) -> None:
    customer = await office.customer()
    made = await trigger(office, customer_id=customer.customer_id, customer_field="", review=True)
    draft = await office.read((await report(office, event())).invoice_ids[0])
    assert draft.status == invoices_pb2.INVOICE_STATUS_DRAFT
    await office.call(
        office.triggers.SetTriggerEnabled, pb.SetTriggerEnabledRequest(trigger_id=made.trigger_id)
    )
    assert list((await report(office, event("ms-2"))).invoice_ids) == []


async def test_a_trigger_is_changed_whole_and_stays_off_if_it_was(office: Office) -> None:
    made = await trigger(office)
    off = pb.SetTriggerEnabledRequest(trigger_id=made.trigger_id, enabled=False)
    await office.call(office.triggers.SetTriggerEnabled, off)
    customer = (await office.customer()).customer_id
    wish = pb.CreateTriggerRequest(
        name="Other", event_name="delivery.made", customer_id=customer, review=True,
        lines=[pb.TriggerLine(description="Delivery", unit_price=usd(900))],
    )  # fmt: skip
    changed = await office.call(
        office.triggers.UpdateTrigger, pb.UpdateTriggerRequest(trigger_id=made.trigger_id, trigger=wish)
    )
    assert (changed.name, changed.event_name, changed.enabled) == ("Other", "delivery.made", False)
    assert changed.created_at == made.created_at
    listed = (await office.call(office.triggers.ListTriggers, pb.ListTriggersRequest())).triggers
    assert list(listed) == [changed]
    with pytest.raises(ServiceError, match="TRIGGER_NOT_FOUND"):
        await office.call(
            office.triggers.UpdateTrigger, pb.UpdateTriggerRequest(trigger_id="trg_none", trigger=wish)
        )


async def test_the_log_tells_the_newest_events_first_and_what_they_made(office: Office) -> None:
    customer = (await office.customer()).customer_id
    await trigger(office, customer_id=customer, customer_field="")
    answers = []
    for number in range(3):
        answers.append(await report(office, event(f"ms-{number}", customer=customer, hours="2", price="10")))
        office.clock.advance(timedelta(minutes=1))
    seen: list[pb.TriggerEvent] = []
    token = ""
    while True:
        page = await office.call(
            office.triggers.ListTriggerEvents, pb.ListTriggerEventsRequest(page_size=2, page_token=token)
        )
        seen += page.events
        token = page.next_page_token
        if not token:
            break
    assert [one.external_id for one in seen] == ["ms-2", "ms-1", "ms-0"]
    assert [list(one.invoice_ids) for one in seen] == [list(one.invoice_ids) for one in reversed(answers)]
    other = pb.ListTriggerEventsRequest(event_name="something.else")
    assert not (await office.call(office.triggers.ListTriggerEvents, other)).events
