"""Dunning on a real database, day by day: each level once, and never while something speaks against it."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from chassis.caller import call_scope, service_call
from chassis.errors import ServiceError
from chassis.jobs import earliest
from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.transfer_slip import TransferSlip
from services.invoicing.formats.dunning_letter_pdf import document, dunning_letter_pdf
from services.invoicing.operations.read_dunning import get_dunning_letter
from services.invoicing.operations.run_dunning import run_dunning
from services.invoicing.operations.run_late_fees import run_late_fees
from services.invoicing.store import dunning as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.late_days import DUNNING_DUE
from services.invoicing.store.organizations import get_organization
from tallyport.invoicing.v1 import customers_pb2, disputes_pb2, events_pb2, invoices_pb2, late_fees_pb2
from tallyport.invoicing.v1 import dunning_pb2 as pb
from tallyport.payments.v1 import events_pb2 as payments_events
from tests.service.invoicing.office import Office, usd

_START = date(2026, 11, 21)
_TEXT = pb.DunningText(
    locale="en", title="Reminder", text="Invoice {number}: {amount} by {deadline}, fee {fee}"
)


async def _policy(office: Office, *levels: dict[str, Any], **fields: Any) -> pb.DunningPolicy:
    policy = pb.DunningPolicy(
        name="All",
        active=True,
        levels=[
            pb.DunningLevel(**{"deadline_days": 5, "mail": True, "texts": [_TEXT], **one}) for one in levels
        ],
        **fields,
    )
    return await office.call(office.dunning.PutDunningPolicy, pb.PutDunningPolicyRequest(policy=policy))


async def _days(office: Office, days: int) -> None:
    """Day by day, and by two workers at once each day."""
    for _ in range(days):
        office.clock.advance(timedelta(days=1))
        await asyncio.gather(*(run_dunning(office.db, limit=100) for _ in range(2)))


async def _late(office: Office, customer_id: str, *cents: int) -> invoices_pb2.Invoice:
    return await office.invoice(customer_id, *cents, due_date=_START.isoformat())


async def _state(office: Office, invoice_id: str) -> pb.DunningState:
    request = pb.GetDunningStateRequest(invoice_id=invoice_id)
    return await office.call(office.dunning.GetDunningState, request)


async def _sent(office: Office, invoice_id: str) -> list[int]:
    """Days after the due date on which levels were sent."""
    notices = (await _state(office, invoice_id)).notices
    return [(date.fromisoformat(one.issued_on) - _START).days for one in notices]


async def _reasons(office: Office, invoice_id: str) -> list[str]:
    """Why levels waited, the first first; sent ones have no reason."""
    return [one.reason for one in reversed((await _state(office, invoice_id)).decisions)]


async def test_every_level_goes_out_once_on_its_day_with_two_workers(office: Office) -> None:
    await _policy(office, {"days_after_due": 2}, {"days_after_due": 4, "fee": usd(500), "letter": True})
    customer = await office.customer()
    invoice = await _late(office, customer.customer_id, 10_000)
    due = await earliest(office.db, DUNNING_DUE)(office.organization_id)
    assert due is not None
    await _days(office, 20)
    # The second one waits for the end of the first one's five days.
    assert await _sent(office, invoice.invoice_id) == [2, 8]
    told = await office.events(events_pb2.DunningNoticeIssued)
    assert [(one.level, one.amount.minor_units, one.letter) for one in told] == [
        (1, 10_000, False),
        (2, 10_000, True),
    ]
    first, second = (await _state(office, invoice.invoice_id)).notices
    assert "fee none" in first.text
    assert "fee $5.00" in second.text
    fee = await office.read(second.fee_invoice_id)
    assert (fee.total.minor_units, fee.relates_to_invoice_id) == (500, invoice.invoice_id)
    listed = await office.list_invoices(customer_id=customer.customer_id)
    assert len(listed.invoices) == 2
    assert await office.wrongs() == []


async def test_a_pause_a_dispute_and_a_claim_hold_it_and_it_goes_on_where_it_was(office: Office) -> None:
    await _policy(
        office, {"days_after_due": 1, "deadline_days": 1}, {"days_after_due": 3}, {"days_after_due": 5}
    )
    customer = await office.customer()
    invoice = await _late(office, customer.customer_id, 10_000)
    await _days(office, 1)
    pause = pb.PauseDunningRequest(
        customer_id=customer.customer_id,
        until=(_START + timedelta(days=4)).isoformat(),
        reason="On the phone",
    )
    await office.call(office.dunning.PauseDunning, pause)
    await _days(office, 3)
    dispute = await office.call(
        office.disputes.OpenDispute,
        disputes_pb2.OpenDisputeRequest(
            invoice_id=invoice.invoice_id, reason=disputes_pb2.DISPUTE_REASON_OTHER, text="Broken"
        ),
    )
    await _days(office, 2)
    assert list((await _state(office, invoice.invoice_id)).held_by) == ["disputed"]
    resolve = disputes_pb2.ResolveDisputeRequest(
        dispute_id=dispute.dispute_id, outcome=disputes_pb2.DISPUTE_STATE_REJECTED, text="It works"
    )
    await office.call(office.disputes.ResolveDispute, resolve)
    claim = payments_events.TransferClaimed(
        claim_id="clm_1", customer_id=customer.customer_id, invoice_ids=[invoice.invoice_id],
        amount=usd(10_000), expires_on=(_START + timedelta(days=8)).isoformat(),
    )  # fmt: skip
    await office.deliver(claim, aggregate_id="clm_1")
    await _days(office, 3)
    assert await _sent(office, invoice.invoice_id) == [1, 9]
    assert await _reasons(office, invoice.invoice_id) == ["", "paused", "disputed", "claimed", ""]


async def test_a_rest_that_is_not_disputed_is_reminded_of_and_one_on_its_way_is_not(office: Office) -> None:
    await _policy(office, {"days_after_due": 1}, {"days_after_due": 9})
    customer = await office.customer()
    invoice = await _late(office, customer.customer_id, 6_000, 4_000)
    opened = disputes_pb2.OpenDisputeRequest(
        invoice_id=invoice.invoice_id,
        amount=usd(4_000),
        reason=disputes_pb2.DISPUTE_REASON_OTHER,
        text="Broken",
    )
    await office.call(office.disputes.OpenDispute, opened)
    await _days(office, 1)
    (told,) = await office.events(events_pb2.DunningNoticeIssued)
    assert told.amount.minor_units == 6_000
    await _days(office, 7)
    expires_at = office.clock.now() + timedelta(days=3)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 6_000}, expires_at=expires_at)
    await _days(office, 1)
    assert (await _reasons(office, invoice.invoice_id))[-1] == "processing"
    await office.paid("pay_1", customer.customer_id, 6_000, {invoice.invoice_id: 6_000})
    await _days(office, 1)
    assert (await _reasons(office, invoice.invoice_id))[-1] == "disputed"


async def test_announced_autopay_holds_it_until_it_is_given_up(office: Office) -> None:
    await _policy(office, {"days_after_due": 1})
    customer = await office.customer()
    invoice = await _late(office, customer.customer_id, 10_000)
    announced = payments_events.AutopayAnnounced(
        run_id="apr_1", customer_id=customer.customer_id, amount=usd(10_000), pay_on=_START.isoformat(),
        parts=[payments_events.PaidPart(invoice_id=invoice.invoice_id, amount=usd(10_000))],
    )  # fmt: skip
    await office.deliver(announced, aggregate_id="apr_1")
    await _days(office, 2)
    failed = payments_events.AutopayFailed(
        run_id="apr_1", customer_id=customer.customer_id, amount=usd(10_000),
        next_try_on=(_START + timedelta(days=4)).isoformat(),
    )  # fmt: skip
    await office.deliver(failed, aggregate_id="apr_1", version=2)
    await _days(office, 4)
    assert await _sent(office, invoice.invoice_id) == []
    failed.next_try_on = ""
    await office.deliver(failed, aggregate_id="apr_1", version=3)
    await _days(office, 1)
    assert await _sent(office, invoice.invoice_id) == [7]


async def test_what_is_on_hold_or_covered_by_credit_waits_and_what_is_paid_gets_nothing(
    office: Office,
) -> None:
    await _policy(office, {"days_after_due": 2})
    held, rich, good = [await office.customer(name=name) for name in ("Held", "Rich", "Good")]
    invoices = [await _late(office, one.customer_id, 10_000) for one in (held, rich, good)]
    hold = customers_pb2.SetCustomerHoldRequest(customer_id=held.customer_id, on_hold=True, reason="Talks")
    await office.call(office.customers.SetCustomerHold, hold)
    await office.paid("pay_r", rich.customer_id, 12_000, {})
    await office.paid("pay_g", good.customer_id, 10_000, {invoices[2].invoice_id: 10_000})
    await _days(office, 4)
    assert [await _reasons(office, one.invoice_id) for one in invoices] == [
        ["on_hold"],
        ["credit_covers"],
        [],
    ]
    reopened = {"parts": {invoices[2].invoice_id: 10_000}, "kind": payments_events.REVERSAL_KIND_RETURN}
    await office.reversed("pay_g", good.customer_id, 10_000, **reopened)
    await _days(office, 1)
    assert await _sent(office, invoices[2].invoice_id) == [5]


async def test_labels_have_policies_of_their_own_and_a_changed_policy_holds_at_once(office: Office) -> None:
    await _policy(office, {"days_after_due": 1})
    await _policy(office, {"days_after_due": 30}, segment="vip")
    vip = await office.customer(segments=["vip"])
    invoice = await _late(office, vip.customer_id, 10_000)
    await _days(office, 2)
    assert await _sent(office, invoice.invoice_id) == []
    await office.call(office.dunning.DeleteDunningPolicy, pb.DeleteDunningPolicyRequest(segment="vip"))
    await _days(office, 1)
    assert await _sent(office, invoice.invoice_id) == [3]


async def test_whoever_gets_a_label_is_reminded_by_its_policy(office: Office) -> None:
    await _policy(office, {"days_after_due": 1}, segment="vip")
    customer = await office.customer()
    invoice = await _late(office, customer.customer_id, 10_000)
    await _days(office, 3)
    assert await _sent(office, invoice.invoice_id) == []
    change = customers_pb2.UpdateCustomerRequest(
        customer_id=customer.customer_id,
        segments=customers_pb2.CustomerLabels(values=["vip"]),
    )
    await office.call(office.customers.UpdateCustomer, change)
    await _days(office, 1)
    assert await _sent(office, invoice.invoice_id) == [4]


async def test_a_letter_is_a_pdf_that_only_its_customer_reads(office: Office) -> None:
    await _policy(office, {"days_after_due": 1, "letter": True, "fee": usd(500)})
    customer, other = await office.customer(), await office.customer(name="Other")
    invoice = await _late(office, customer.customer_id, 10_000)
    await _days(office, 1)
    (notice,) = (await _state(office, invoice.invoice_id)).notices
    request = pb.GetDunningLetterPdfRequest(notice_id=notice.notice_id)
    letter = await office.call(
        office.dunning.GetDunningLetterPdf, request, as_=office.person_of(customer.customer_id)
    )
    assert letter.content.startswith(b"%PDF-")
    assert letter.file_name == f"reminder-{invoice.number}-1.pdf"
    with pytest.raises(ServiceError) as refused:
        await office.call(
            office.dunning.GetDunningLetterPdf, request, as_=office.person_of(other.customer_id)
        )
    assert refused.value.reason == "DUNNING_NOTICE_NOT_FOUND"
    mine = await office.call(
        office.dunning.ListDunningNotices,
        pb.ListDunningNoticesRequest(),
        as_=office.person_of(other.customer_id),
    )
    assert list(mine.notices) == []


async def test_the_clock_stops_for_a_reminder_only_when_one_can_go_out(office: Office) -> None:
    await _policy(office, {"days_after_due": 1}, {"days_after_due": 40})
    customer = await office.customer()
    invoice = await _late(office, customer.customer_id, 10_000)

    async def next_due() -> int | None:
        due = await earliest(office.db, DUNNING_DUE)(office.organization_id)
        return None if due is None else (due.date() - _START).days

    pause = pb.PauseDunningRequest(
        invoice_id=invoice.invoice_id, until=(_START + timedelta(days=9)).isoformat(), reason="On the phone"
    )
    paused = await office.call(office.dunning.PauseDunning, pause)
    assert await next_due() == 1
    await _days(office, 2)
    assert await next_due() == 10, "the day after the pause"
    end = pb.EndDunningPauseRequest(pause_id=paused.pause_id)
    await office.call(office.dunning.EndDunningPause, end)
    assert await next_due() == 3
    hold = customers_pb2.SetCustomerHoldRequest(
        customer_id=customer.customer_id, on_hold=True, reason="Talks"
    )
    await office.call(office.customers.SetCustomerHold, hold)
    await _days(office, 5)
    assert await next_due() is None, "until somebody ends the hold"
    hold.on_hold = False
    await office.call(office.customers.SetCustomerHold, hold)
    assert await next_due() == 8
    await _days(office, 1)
    assert await _sent(office, invoice.invoice_id) == [8]
    assert await _reasons(office, invoice.invoice_id) == ["paused", "on_hold", ""], "each once"
    assert await next_due() == 40


async def test_a_level_that_is_written_is_shown_as_text_and_letter_and_nothing_is_kept(
    office: Office,
) -> None:
    level = pb.DunningLevel(
        days_after_due=5, deadline_days=7, letter=True, fee=usd(500),
        texts=[_TEXT, pb.DunningText(locale="de", title="Mahnung", text="Rechnung {number}: {amount} {oops}")],
    )  # fmt: skip
    wish = pb.PreviewDunningLetterRequest(level=level, locale="de")
    with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
        await office.call(office.dunning.PreviewDunningLetter, wish)
    customer = (await office.customer()).customer_id
    late = await _late(office, customer, 10_000)
    await office.invoice(customer, 500, due_date="2027-03-01")
    shown = await office.call(office.dunning.PreviewDunningLetter, wish)
    assert shown.invoice_number == late.number
    assert shown.text == f"Rechnung {late.number}: 100,00\xa0$ {{oops}}"
    assert shown.letter.content.startswith(b"%PDF-")
    assert (await _state(office, late.invoice_id)).notices == []


async def test_pauses_of_a_customer_are_told_until_they_end(office: Office) -> None:
    customer = (await office.customer()).customer_id
    invoice = await _late(office, customer, 10_000)
    for fields in ({"customer_id": customer}, {"invoice_id": invoice.invoice_id}):
        request = pb.PauseDunningRequest(until="2026-12-24", reason="On holiday", **fields)
        await office.call(office.dunning.PauseDunning, request)
    asked = pb.ListDunningPausesRequest(customer_id=customer)
    found = (await office.call(office.dunning.ListDunningPauses, asked)).pauses
    assert {one.invoice_id for one in found} == {"", invoice.invoice_id}
    await office.call(office.dunning.EndDunningPause, pb.EndDunningPauseRequest(pause_id=found[0].pause_id))
    assert len((await office.call(office.dunning.ListDunningPauses, asked)).pauses) == 1
    office.clock.advance(timedelta(days=60))
    assert not (await office.call(office.dunning.ListDunningPauses, asked)).pauses


async def test_a_letter_s_slip_asks_for_what_is_not_disputed(office: Office) -> None:
    await _policy(office, {"days_after_due": 1, "letter": True})
    customer = (await office.customer()).customer_id
    invoice = await _late(office, customer, 10_000)
    await _days(office, 1)
    (notice,) = (await _state(office, invoice.invoice_id)).notices
    amounts: list[Money | None] = []

    async def find(organization_id: str, invoice: Invoice, amount: Money | None = None) -> None:
        amounts.append(amount)

    async def read() -> None:
        call = service_call("invoicing", office.organization_id)
        with call_scope(call):
            await get_dunning_letter(office.db, office.organization_id, notice.notice_id, find)

    await read()
    request = disputes_pb2.OpenDisputeRequest(
        invoice_id=invoice.invoice_id, reason=disputes_pb2.DISPUTE_REASON_DUPLICATE, text="Twice",
        amount=usd(3_000),
    )  # fmt: skip
    await office.call(office.disputes.OpenDispute, request)
    await read()
    assert amounts == [Money(10_000, "USD"), Money(7_000, "USD")]


async def test_a_letter_names_principal_interest_and_fees_apart_and_where_to_pay(office: Office) -> None:
    await _policy(
        office, {"days_after_due": 1, "fee": usd(300)}, {"days_after_due": 7, "fee": usd(500), "letter": True}
    )
    fee = late_fees_pb2.LateFeePolicy(
        name="All", currency="USD", active=True, flat=usd(700), grace_days=2,
        repeat=late_fees_pb2.LATE_FEE_REPEAT_ONCE,
    )  # fmt: skip
    put = late_fees_pb2.PutLateFeePolicyRequest(policy=fee)
    await office.call(office.late_fees.PutLateFeePolicy, put)
    customer = await office.customer()
    invoice = await _late(office, customer.customer_id, 10_000)
    for _ in range(7):
        office.clock.advance(timedelta(days=1))
        await run_late_fees(office.db, limit=100)
        await run_dunning(office.db, limit=100)
    async with office.db.read(office.organization_id) as tx:
        first, second = await store.notices_of(tx, invoice.invoice_id)
        organization, asked = await get_organization(tx), await get_invoice(tx, invoice.invoice_id)
        owner = await get_customer(tx, customer.customer_id)
    assert [one.minor_units if one else None for one in (first.interest, first.fees)] == [0, 300]
    assert [one.minor_units if one else None for one in (second.interest, second.fees)] == [700, 800]
    told = document(second, asked, organization, owner, fee=None)
    assert (told["amount"], told["deadline"]) == ("$100.00", "December 3, 2026")
    assert told["besides"] == {"interest": "$7.00", "fees": "$8.00", "together": "$115.00"}
    slip = TransferSlip(
        account_holder="Harbor Supply", account_number="DE89370400440532013000", bic="COBADEFFXXX",
        bank_name="Commerzbank", reference="RF18539007547034",
    )  # fmt: skip
    plain, with_slip = [
        await dunning_letter_pdf(second, asked, organization, owner, fee=None, slip=one)
        for one in (None, slip)
    ]
    assert plain.startswith(b"%PDF-")
    assert len(with_slip) > len(plain), "the box that tells where to transfer to"


async def test_presets_have_the_amounts_that_were_set_for_today(office: Office) -> None:
    rate = late_fees_pb2.LegalRate(
        name="no_collection_rate", valid_from="2026-11-01", value="800", source="Inkassoforskriften"
    )
    put = late_fees_pb2.PutLegalRateRequest(rate=rate)
    await office.call(office.late_fees.PutLegalRate, put)
    found = await office.call(office.dunning.ListDunningPresets, pb.ListDunningPresetsRequest())
    norway = next(one for one in found.presets if one.preset == "norway")
    assert {level.fee.minor_units for level in norway.policy.levels} == {4_000}
    assert "800 since 2026-11-01" in norway.source
