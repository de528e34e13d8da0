"""Fees for paying late: by policy, once a period, within caps and law, excused and waived."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from chassis.caller import call_scope, service_call
from chassis.errors import ServiceError
from chassis.jobs import earliest
from services.invoicing.operations.run_late_fees import run_late_fees
from services.invoicing.store.late_days import LATE_FEES_DUE
from tallyport.invoicing.v1 import customers_pb2, disputes_pb2, invoices_pb2, reservations_pb2
from tallyport.invoicing.v1 import late_fees_pb2 as pb
from tests.service.invoicing.office import Office, usd
from tests.service.invoicing.plans.test_instalment_plans import allow, look
from tests.service.invoicing.plans.test_payment_promises import promise

_LATE_FEE = invoices_pb2.INVOICE_KIND_LATE_FEE
_YEAR, _PERIOD = pb.LATE_FEE_PERCENT_PER_YEAR, pb.LATE_FEE_PERCENT_PER_PERIOD


async def _policy(office: Office, **fields: Any) -> pb.LateFeePolicy:
    policy = {"name": "All", "currency": "USD", "active": True, "repeat": pb.LATE_FEE_REPEAT_ONCE, **fields}
    request = pb.PutLateFeePolicyRequest(policy=pb.LateFeePolicy(**policy))
    return await office.call(office.late_fees.PutLateFeePolicy, request)


async def _days(office: Office, days: int) -> None:
    """Day by day, and twice each day."""
    for _ in range(days):
        office.clock.advance(timedelta(days=1))
        for _ in range(2):
            await run_late_fees(office.db, limit=100)


async def _fees(office: Office, customer_id: str) -> list[int]:
    listed = await office.list_invoices(customer_id=customer_id, page_size=100)
    return sorted(one.total.minor_units for one in listed.invoices if one.kind == _LATE_FEE)


async def _periods(office: Office, invoice_id: str) -> list[pb.LateFee]:
    request = pb.ListLateFeesRequest(invoice_id=invoice_id)
    return list((await office.call(office.late_fees.ListLateFees, request)).late_fees)


async def _invoice(office: Office, customer_id: str, *cents: int, **fields: Any) -> invoices_pb2.Invoice:
    return await office.invoice(customer_id, *cents, **{"due_date": "2026-11-21", **fields})


async def test_a_fee_is_charged_after_the_grace_once_and_says_what_for(office: Office) -> None:
    customer = await office.customer()
    await _policy(office, flat=usd(500), grace_days=2)
    invoice = await _invoice(office, customer.customer_id, 10_000)
    await _days(office, 2)
    assert await _fees(office, customer.customer_id) == []
    async with office.db.read(office.organization_id) as tx:
        now = tx.now()
    due = await earliest(office.db, LATE_FEES_DUE)(office.organization_id)
    assert due is not None
    assert timedelta() < due - now <= timedelta(days=1)
    await _days(office, 4)
    assert await _fees(office, customer.customer_id) == [500]
    (period,) = await _periods(office, invoice.invoice_id)
    fee = await office.read(period.fee_invoice_id)
    assert (fee.kind, fee.relates_to_invoice_id) == (_LATE_FEE, invoice.invoice_id)
    (line,) = fee.lines
    assert line.description == f"Late fee for invoice {invoice.number}, 3 days overdue"
    request = reservations_pb2.GetInvoiceDeliveryRequest(
        organization_id=office.organization_id, invoice_id=fee.invoice_id
    )
    with call_scope(service_call("notifications", None)):
        delivery = await office.deliveries.GetInvoiceDelivery(request, None)
    assert (delivery.kind, delivery.about_invoice_number) == (_LATE_FEE, invoice.number)
    assert fee.tax_total.minor_units == 0
    assert await office.wrongs() == []


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("de-DE", "Verzugsgebühr zu Rechnung {number}, 3 Tage überfällig"),
        ("fr-CA", "Frais de retard pour la facture {number}, 3 jours de retard"),
    ],
)
async def test_the_line_of_a_fee_is_in_the_language_of_whoever_owes_it(
    office: Office, locale: str, words: str
) -> None:
    customer = await office.customer(locale=locale)
    await _policy(office, flat=usd(500), grace_days=2)
    invoice = await _invoice(office, customer.customer_id, 10_000)
    await _days(office, 3)
    (period,) = await _periods(office, invoice.invoice_id)
    (line,) = (await office.read(period.fee_invoice_id)).lines
    assert line.description == words.format(number=invoice.number)


async def test_fees_repeat_until_the_caps_and_late_fees_bear_none_themselves(office: Office) -> None:
    customer = await office.customer(payment_terms_days=0)
    await _policy(
        office, percent="3", percent_per=_PERIOD, repeat=pb.LATE_FEE_REPEAT_DAYS, repeat_every=2,
        cap=usd(1_000), cap_percent="8",
    )  # fmt: skip
    invoice = await _invoice(office, customer.customer_id, 10_000)
    await _days(office, 12)
    assert await _fees(office, customer.customer_id) == [200, 300, 300]
    assert [one.reason for one in await _periods(office, invoice.invoice_id)][-1] == "cap_reached"


async def test_interest_is_by_the_day_and_never_above_the_law(office: Office) -> None:
    customer = await office.customer(country="DE")
    other = await office.customer(name="Elsewhere", country="US")
    await _policy(office, percent="36.5", percent_per=_YEAR, flat=usd(9_000), grace_days=9)
    cap = pb.LateFeeCap(country="DE", annual_percent="11.27", flat=usd(4_000), note="BGB 288")
    await office.call(office.late_fees.PutLateFeeCap, pb.PutLateFeeCapRequest(cap=cap))
    for one in (customer, other):
        await _invoice(office, one.customer_id, 100_000)
    await _days(office, 11)
    # Ten days: 100000 x 11.27 % x 10 / 365 = 308.77
    assert await _fees(office, customer.customer_id) == [4_309]
    assert await _fees(office, other.customer_id) == [10_000]


async def test_what_is_disputed_small_or_on_hold_bears_no_fee_and_the_reason_is_kept(office: Office) -> None:
    customer = await office.customer()
    await _policy(office, flat=usd(500), min_due=usd(1_000))
    small = await _invoice(office, customer.customer_id, 999)
    await _days(office, 1)
    assert [one.reason for one in await _periods(office, small.invoice_id)] == ["below_minimum"]
    assert await _fees(office, customer.customer_id) == []


async def test_a_fee_falls_due_by_the_terms_of_the_customer(office: Office) -> None:
    terms = customers_pb2.CustomerPaymentTerms(days=14, end_of_month=True)
    customer = await office.customer(payment_terms=terms)
    await _policy(office, flat=usd(500))
    invoice = await _invoice(office, customer.customer_id, 10_000)
    await _days(office, 1)
    (period,) = await _periods(office, invoice.invoice_id)
    assert (await office.read(period.fee_invoice_id)).due_date == "2026-12-31"


async def test_segments_have_policies_of_their_own(office: Office) -> None:
    first, second = await office.customer(segments=["wholesale"]), await office.customer(name="Second")
    await _policy(office, flat=usd(500))
    await _policy(office, name="Wholesale", segment="wholesale", flat=usd(100))
    changed = await _policy(office, name="Wholesale 2", segment="wholesale", flat=usd(200))
    listed = await office.call(office.late_fees.ListLateFeePolicies, pb.ListLateFeePoliciesRequest())
    assert [one.name for one in listed.policies] == ["All", "Wholesale 2"]
    assert listed.policies[1].late_fee_policy_id == changed.late_fee_policy_id
    for one in (first, second):
        await _invoice(office, one.customer_id, 10_000)
    await _days(office, 1)
    assert await _fees(office, first.customer_id) == [200]
    assert await _fees(office, second.customer_id) == [500]


async def test_a_fee_is_waived_by_a_credit_note_and_nothing_else_is(office: Office) -> None:
    customer = await office.customer()
    await _policy(office, flat=usd(500))
    invoice = await _invoice(office, customer.customer_id, 10_000)
    await _days(office, 1)
    (period,) = await _periods(office, invoice.invoice_id)
    request = pb.WaiveLateFeeRequest(invoice_id=period.fee_invoice_id, reason="First time")
    note = await office.call(office.late_fees.WaiveLateFee, request)
    assert (note.invoice_id, note.total.minor_units) == (period.fee_invoice_id, 500)
    assert (await office.read(period.fee_invoice_id)).amount_due.minor_units == 0
    with pytest.raises(ServiceError, match="LATE_FEE_WAIVED"):
        await office.call(office.late_fees.WaiveLateFee, request)
    request = pb.WaiveLateFeeRequest(invoice_id=invoice.invoice_id, reason="No")
    with pytest.raises(ServiceError, match="INVOICE_NOT_A_LATE_FEE"):
        await office.call(office.late_fees.WaiveLateFee, request)
    assert await office.wrongs() == []


async def _next_due(office: Office) -> date | None:
    """The day, in New York, on which the clock has to stop for late fees."""
    due = await earliest(office.db, LATE_FEES_DUE)(office.organization_id)
    return None if due is None else due.astimezone(ZoneInfo("America/New_York")).date()


async def _audited(office: Office, action: str) -> int:
    async with office.db.read(office.organization_id) as tx:
        found = await tx.execute(
            text("SELECT count(*) FROM audit_log WHERE organization_id = :id AND action = :action"),
            {"id": office.organization_id, "action": action},
        )
        return int(found.scalar_one())


async def test_what_is_disputed_is_decided_once_and_looked_at_again_when_the_dispute_is_over(
    office: Office,
) -> None:
    customer = await office.customer()
    await _policy(office, percent="36.5", percent_per=_YEAR)
    invoice = await _invoice(office, customer.customer_id, 100_000)
    request = disputes_pb2.OpenDisputeRequest(
        invoice_id=invoice.invoice_id, reason=disputes_pb2.DISPUTE_REASON_OTHER, text="Broken"
    )
    dispute = await office.call(office.disputes.OpenDispute, request)
    assert await _next_due(office) == date(2026, 11, 22)
    await _days(office, 1)
    assert await _next_due(office) is None, "nothing changes by itself"
    await _days(office, 8)
    assert await _audited(office, "late_fee.skipped") == 1
    resolve = disputes_pb2.ResolveDisputeRequest(
        dispute_id=dispute.dispute_id, outcome=disputes_pb2.DISPUTE_STATE_REJECTED, text="It works"
    )
    await office.call(office.disputes.ResolveDispute, resolve)
    assert await _next_due(office) == date(2026, 12, 1)
    await _days(office, 1)
    assert await _fees(office, customer.customer_id) == [100], "the interest of one day"


async def test_a_promise_stops_the_clock_on_its_own_day_only_and_its_days_bear_no_interest(
    office: Office,
) -> None:
    customer = await office.customer()
    await _policy(office, percent="36.5", percent_per=_YEAR)
    await allow(office)
    await _invoice(office, customer.customer_id, 100_000)
    await promise(office, customer.customer_id, 50_000, "2026-12-10")
    await _days(office, 1)
    assert await _next_due(office) is None
    office.clock.advance(timedelta(days=24))  # at once, as a test clock goes from one stop to the next
    await look(office)
    await _days(office, 1)
    assert await _fees(office, customer.customer_id) == [100]


async def test_without_a_policy_for_a_customer_there_is_no_day_to_stop_at(office: Office) -> None:
    await _policy(office, flat=usd(500), segment="wholesale")
    customer = await office.customer()
    await _invoice(office, customer.customer_id, 10_000)
    assert await _next_due(office) is None
    await _policy(office, flat=usd(500))
    assert await _next_due(office) == date(2026, 11, 22)


async def test_interest_over_a_rate_by_law_follows_it_day_by_day(office: Office) -> None:
    customer = await office.customer(country="DE")
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await _policy(office, percent="9", percent_per=_PERIOD, reference_rate="de_base_rate")
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await _policy(office, percent="9", percent_per=_YEAR, reference_rate="no_collection_rate")
    made = await _policy(office, percent="9", percent_per=_YEAR, reference_rate="de_base_rate", grace_days=9)
    assert made.reference_rate == "de_base_rate"
    rate = pb.LegalRate(name="de_base_rate", valid_from="2026-11-25", value="3.27", source="Bundesbank")
    wrong = pb.LegalRate(name="us_prime", valid_from="2026-11-25", value="3.27", source="Nobody")
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await office.call(office.late_fees.PutLegalRate, pb.PutLegalRateRequest(rate=wrong))
    before = await office.call(office.late_fees.ListLegalRates, pb.ListLegalRatesRequest())
    assert "de_base_rate" in before.to_check
    await office.call(office.late_fees.PutLegalRate, pb.PutLegalRateRequest(rate=rate))
    after = await office.call(office.late_fees.ListLegalRates, pb.ListLegalRatesRequest())
    assert "de_base_rate" not in after.to_check
    newest = next(one for one in after.rates if one.name == "de_base_rate")
    assert (newest.value, newest.valid_from, newest.built_in) == ("3.27", "2026-11-25", False)
    await _invoice(office, customer.customer_id, 100_000)
    await _days(office, 11)
    # 1000.00 x (3 days x 10.27 % + 7 days x 12.27 %) / 365 = 3.197
    assert await _fees(office, customer.customer_id) == [320]
