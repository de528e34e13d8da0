"""What receivers say of e-invoices, on a real database: kept once, by when it was said, and it drives the invoice."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from chassis.caller import Caller
from chassis.errors import ServiceError
from services.invoicing.operations.run_dunning import run_dunning
from services.invoicing.operations.run_late_fees import run_late_fees
from tallyport.invoicing.v1 import dunning_pb2, events_pb2, late_fees_pb2
from tallyport.invoicing.v1 import einvoices_pb2 as pb
from tests.service.invoicing.office import Office, usd

_DUE = date(2026, 11, 21)
_WRONG_ORDER = [pb.EInvoiceClarification(code="REF", text="The order number is unknown")]


async def _report(
    office: Office, document: str, code: "pb.EInvoiceCode.ValueType", external_id: str, **fields: Any
) -> pb.ReportEInvoiceStatusResponse:
    at: datetime | None = fields.pop("at", None)
    request = pb.ReportEInvoiceStatusRequest(
        document=document, code=code, external_id=external_id, network="peppol", **fields
    )
    if at is not None:
        request.occurred_at.FromDatetime(at)
    return await office.call(office.einvoices.ReportEInvoiceStatus, request)


async def _get(office: Office, document_id: str, *, as_: Caller | None = None) -> pb.EInvoice:
    request = pb.GetEInvoiceRequest(document_id=document_id)
    return await office.call(office.einvoices.GetEInvoice, request, as_=as_)


async def _waiting(office: Office) -> list[str]:
    found = await office.call(office.einvoices.ListEInvoices, pb.ListEInvoicesRequest(waiting=True))
    assert found.waiting == len(found.einvoices)
    return [one.document_id for one in found.einvoices]


async def _policy(office: Office) -> None:
    text = dunning_pb2.DunningText(locale="en", title="Reminder", text="Please pay {number}")
    level = dunning_pb2.DunningLevel(days_after_due=1, deadline_days=5, mail=True, texts=[text])
    policy = dunning_pb2.DunningPolicy(name="All", active=True, levels=[level])
    await office.call(office.dunning.PutDunningPolicy, dunning_pb2.PutDunningPolicyRequest(policy=policy))


async def _day(office: Office) -> None:
    office.clock.advance(timedelta(days=1))
    await run_dunning(office.db, limit=100)


async def test_older_news_that_come_late_are_kept_and_change_nothing(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    now = office.clock.now()
    assert _code(await _get(office, invoice.invoice_id)) == pb.E_INVOICE_CODE_UNSPECIFIED
    rejected = await _report(
        office, invoice.number, pb.E_INVOICE_CODE_REJECTED, "2", at=now, reasons=_WRONG_ORDER
    )
    assert (rejected.changed, rejected.einvoice.waiting) == (True, True)
    late = await _report(
        office, invoice.invoice_id, pb.E_INVOICE_CODE_ACKNOWLEDGED, "1", at=now - timedelta(hours=2)
    )
    assert (late.changed, late.already_known, _code(late.einvoice)) == (
        False,
        False,
        pb.E_INVOICE_CODE_REJECTED,
    )
    assert [one.code for one in late.einvoice.statuses] == [
        pb.E_INVOICE_CODE_ACKNOWLEDGED,
        pb.E_INVOICE_CODE_REJECTED,
    ]
    (event,) = await office.events(events_pb2.EInvoiceRejected)
    assert (event.einvoice.document_id, list(event.einvoice.reasons)) == (
        invoice.invoice_id,
        ["The order number is unknown"],
    )
    assert await office.events(events_pb2.EInvoiceReceived) == []


async def test_a_report_is_taken_once_also_when_it_comes_twice_at_once(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    answers = await asyncio.gather(
        *(_report(office, invoice.invoice_id, pb.E_INVOICE_CODE_ACCEPTED, "7") for _ in range(4))
    )
    assert sorted(one.already_known for one in answers) == [False, True, True, True]
    assert len(await office.events(events_pb2.EInvoiceAccepted)) == 1
    with pytest.raises(ServiceError) as refused:
        await _report(office, invoice.invoice_id, pb.E_INVOICE_CODE_REJECTED, "7")
    assert refused.value.reason == "E_INVOICE_STATUS_TAKEN"


async def test_first_reports_of_one_document_at_once_end_with_the_newest(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    now = office.clock.now()
    codes = (pb.E_INVOICE_CODE_ACKNOWLEDGED, pb.E_INVOICE_CODE_IN_PROCESS, pb.E_INVOICE_CODE_ACCEPTED)
    await asyncio.gather(
        *(
            _report(office, invoice.invoice_id, code, str(at), at=now - timedelta(hours=9 - at))
            for at, code in enumerate(codes)
        )
    )
    found = await _get(office, invoice.invoice_id)
    assert (_code(found), len(found.statuses)) == (pb.E_INVOICE_CODE_ACCEPTED, 3)


async def test_a_rejection_holds_reminders_until_staff_let_it_stand(office: Office) -> None:
    await _policy(office)
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000, due_date=_DUE.isoformat())
    await _report(office, invoice.invoice_id, pb.E_INVOICE_CODE_REJECTED, "1", reasons=_WRONG_ORDER)
    assert await _waiting(office) == [invoice.invoice_id]
    await _day(office)
    await _day(office)
    assert await office.events(events_pb2.DunningNoticeIssued) == []
    state = await office.call(
        office.dunning.GetDunningState, dunning_pb2.GetDunningStateRequest(invoice_id=invoice.invoice_id)
    )
    assert list(state.held_by) == ["einvoice_rejected"]
    assert [one.reason for one in state.decisions] == ["einvoice_rejected"]
    request = pb.UpholdEInvoiceRequest(document_id=invoice.invoice_id, reason="The order number is right")
    upheld = await office.call(office.einvoices.UpholdEInvoice, request)
    assert (upheld.waiting, upheld.uphold_reason) == (False, "The order number is right")
    assert await _waiting(office) == []
    await _day(office)
    assert len(await office.events(events_pb2.DunningNoticeIssued)) == 1
    (event,) = await office.events(events_pb2.EInvoiceUpheld)
    assert event.reason == "The order number is right"


async def test_acceptance_lets_reminders_go_on_and_a_query_holds_them(office: Office) -> None:
    await _policy(office)
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000, due_date=_DUE.isoformat())
    await _report(office, invoice.invoice_id, pb.E_INVOICE_CODE_UNDER_QUERY, "1")
    await _day(office)
    assert await office.events(events_pb2.DunningNoticeIssued) == []
    await _report(office, invoice.invoice_id, pb.E_INVOICE_CODE_ACCEPTED, "2")
    await _day(office)
    assert len(await office.events(events_pb2.DunningNoticeIssued)) == 1


async def test_a_rejected_invoice_bears_no_late_fee(office: Office) -> None:
    policy = late_fees_pb2.PutLateFeePolicyRequest(
        policy=late_fees_pb2.LateFeePolicy(
            name="All", flat=usd(500), currency="USD", active=True, repeat=late_fees_pb2.LATE_FEE_REPEAT_ONCE
        )
    )
    await office.call(office.late_fees.PutLateFeePolicy, policy)
    customer = await office.customer()
    rejected = await office.invoice(customer.customer_id, 10_000, due_date=_DUE.isoformat())
    other = await office.invoice(customer.customer_id, 10_000, due_date=_DUE.isoformat())
    await _report(office, rejected.invoice_id, pb.E_INVOICE_CODE_REJECTED, "1")
    office.clock.advance(timedelta(days=3))
    await run_late_fees(office.db, limit=100)
    fees = [
        one.relates_to_invoice_id
        for one in (await office.list_invoices(customer_id=customer.customer_id)).invoices
        if one.relates_to_invoice_id
    ]
    assert fees == [other.invoice_id]


async def test_crediting_all_of_a_rejected_invoice_is_the_way_out(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    await _report(office, invoice.invoice_id, pb.E_INVOICE_CODE_REJECTED, "1")
    note = await office.credit_note(invoice.invoice_id, 10_000)
    assert await _waiting(office) == []
    # A rejected credit note needs somebody as well; it holds nothing of the invoice.
    await _report(office, note.number, pb.E_INVOICE_CODE_REJECTED, "2")
    assert await _waiting(office) == [note.credit_note_id]


async def test_customers_see_what_became_of_their_own_and_not_who_decided(office: Office) -> None:
    customer, stranger = await office.customer(), await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    await _report(office, invoice.invoice_id, pb.E_INVOICE_CODE_REJECTED, "1", reasons=_WRONG_ORDER)
    await office.call(
        office.einvoices.UpholdEInvoice,
        pb.UpholdEInvoiceRequest(document_id=invoice.invoice_id, reason="Between us"),
    )
    seen = await _get(office, invoice.invoice_id, as_=office.person_of(customer.customer_id))
    assert [one.reasons[0].text for one in seen.statuses] == ["The order number is unknown"]
    assert (seen.uphold_reason, seen.upheld_by_name, seen.statuses[0].external_id) == ("", "", "")
    with pytest.raises(ServiceError) as refused:
        await _get(office, invoice.invoice_id, as_=office.person_of(stranger.customer_id))
    assert refused.value.reason == "DOCUMENT_NOT_FOUND"


async def test_of_drafts_and_unknown_documents_nothing_is_taken(office: Office) -> None:
    customer = await office.customer()
    draft = await office.draft(customer.customer_id, 10_000)
    for document in (draft.invoice_id, "INV-9999"):
        with pytest.raises(ServiceError) as refused:
            await _report(office, document, pb.E_INVOICE_CODE_ACCEPTED, "1")
        assert refused.value.reason == "DOCUMENT_NOT_FOUND"
    assert await office.count("einvoice_statuses") == 0


def _code(einvoice: pb.EInvoice) -> "pb.EInvoiceCode.ValueType":
    return einvoice.code
