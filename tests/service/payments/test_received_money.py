"""Money that came another way, receipts, and the figures of the day."""

import io
import itertools
import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdf
import pytest
from google.protobuf.message import Message

from chassis import books, closing
from chassis.book_figures import PeriodLock
from chassis.caller import call_scope, service_call
from chassis.database import ReadTx
from chassis.errors import Kind, ServiceError
from chassis.ids import new_uuid7
from chassis.inbox import Batch, Event
from services.payments.consumers import HANDLERS
from services.payments.operations.verify_books import verify
from tallyport.common.v1 import money_pb2
from tallyport.identity.v1 import events_pb2 as identity_events
from tallyport.identity.v1 import organizations_pb2
from tallyport.invoicing.v1 import events_pb2 as invoicing_events
from tallyport.payments.v1 import events_pb2, payments_pb2
from tests.service.payments.till import Till

SUCCEEDED = payments_pb2.PAYMENT_STATUS_SUCCEEDED
WAITING = payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION
CASH = payments_pb2.PAYMENT_METHOD_TYPE_CASH


def usd(units: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=units, currency="USD")


async def hear(till: Till, *messages: Message) -> None:
    """Apply other services' events, as the consumers do."""
    with call_scope(service_call("payments", till.organization_id)):
        async with till.db.write(till.organization_id) as tx:
            for kind, alike in itertools.groupby(messages, key=type):
                events = [_event(till, message) for message in alike]
                handler = HANDLERS[kind]
                if isinstance(handler, Batch):
                    await handler.handle(tx, events)
                else:
                    for event in events:
                        await handler(tx, event)


def _event(till: Till, message: Message) -> Event:
    return Event(
        event_id=new_uuid7(), type=message.DESCRIPTOR.full_name, service="any", consumer="payments",
        organization_id=till.organization_id, aggregate_type="any", aggregate_id="any", aggregate_version=1,
        stream_seq=1, occurred_at=datetime.now(UTC), request_id="", traceparent="", message=message,
    )  # fmt: skip


def organization() -> identity_events.OrganizationChanged:
    """Harbor Freight Services in Honolulu."""
    return identity_events.OrganizationChanged(
        organization=organizations_pb2.Organization(
            name="Harbor Freight Services LLC",
            currency="USD",
            time_zone="Pacific/Honolulu",
            locale="en-US",
            tax_id="12-3456789",
            contact_email="billing@harbor.example",
            address=organizations_pb2.PostalAddress(
                lines=["1 Pier Street"], city="Honolulu", region="HI", postal_code="96813", country="US"
            ),
            brand=organizations_pb2.Brand(display_name="Harbor Freight Services", primary_color="#0b5cad"),
        )
    )


def customer() -> invoicing_events.CustomerChanged:
    contact = invoicing_events.Contact(customer_id="cus_1", name="Änne Größe & Söhne", locale="de-DE")
    return invoicing_events.CustomerChanged(contact=contact)


def external(number: int, units: int = 1_000, day: str = "2026-03-01") -> Message:
    return invoicing_events.ExternalPaymentReported(
        invoice_id=f"inv_old_{number}", number=f"OLD-{number}", customer_id="cus_1", amount=usd(units),
        received_on=day, external_id=f"X{number}",
    )  # fmt: skip


def record_request(**more: Any) -> payments_pb2.RecordPaymentRequest:
    fields: dict[str, Any] = {
        "customer_id": "cus_1",
        "amount": usd(5_000),
        "method": CASH,
        "note": "at the counter",
    }
    return payments_pb2.RecordPaymentRequest(**(fields | more))


async def test_cash_is_recorded_once_with_a_receipt(till: Till) -> None:
    till.invoices.add("inv_1", 4_000)
    part = payments_pb2.PaymentPart(invoice_id="inv_1", amount=usd(4_000))
    request = record_request(parts=[part], received_on="2026-11-20")
    first = await till.payments.RecordPayment(request, metadata=till.as_staff(key="k1"))
    again = await till.payments.RecordPayment(request, metadata=till.as_staff(key="k1"))
    assert first == again
    assert (first.status, first.receipt_number) == (SUCCEEDED, "R-000001")
    assert (first.received_on, first.method_summary, first.initiated_by) == ("2026-11-20", "Cash", "Ada")
    assert first.parts[0].invoice_number == "INV-0001"
    assert till.invoices.holders("inv_1") == [first.payment_id]
    assert await till.events(first.payment_id) == ["PaymentSucceeded"]
    await till.check_books()


async def test_received_money_is_never_refused_but_nonsense_is(till: Till) -> None:
    till.invoices.add("inv_1", 4_000)
    till.invoices.by_id["inv_1"].paid = 4_000
    await hear(till, customer())
    part = payments_pb2.PaymentPart(invoice_id="inv_1", amount=usd(4_000))
    paid = await till.payments.RecordPayment(record_request(parts=[part]), metadata=till.as_staff(key="k1"))
    assert paid.status == SUCCEEDED
    foreign = payments_pb2.PaymentPart(invoice_id="inv_none", amount=usd(1))
    for number, (wrong, kind) in enumerate(
        [
            (record_request(received_on="2099-01-01"), Kind.INVALID_ARGUMENT),
            (record_request(received_on="2026-02-30"), Kind.INVALID_ARGUMENT),
            (record_request(received_on="1900-01-01"), Kind.INVALID_ARGUMENT),
            (record_request(amount=usd(0)), Kind.INVALID_ARGUMENT),
            (record_request(amount=usd(10**12 + 1)), Kind.INVALID_ARGUMENT),
            (record_request(customer_id="cus_nobody"), Kind.NOT_FOUND),
            (
                record_request(parts=[payments_pb2.PaymentPart(invoice_id="i", amount=usd(5_001))]),
                Kind.INVALID_ARGUMENT,
            ),
            (record_request(parts=[foreign]), Kind.NOT_FOUND),
        ]
    ):
        with pytest.raises(ServiceError) as refused:
            await till.payments.RecordPayment(wrong, metadata=till.as_staff(key=f"wrong{number}"))
        assert refused.value.kind is kind
    await till.check_books()


async def test_sums_hold_more_than_any_single_payment(till: Till) -> None:
    await hear(till, customer())
    for number in range(2):
        await till.payments.RecordPayment(
            record_request(amount=usd(10**12)), metadata=till.as_staff(key=f"k{number}")
        )
    await till.execute(
        "UPDATE payments SET amount_minor_units = 1100000000000000 WHERE payment_id ="
        " (SELECT min(payment_id) FROM payments WHERE organization_id = :o) AND organization_id = :o",
        o=till.organization_id,
    )
    overview = await till.payments.GetPaymentsOverview(
        payments_pb2.GetPaymentsOverviewRequest(), metadata=till.as_staff()
    )
    assert overview.currencies[0].received_today.minor_units == 11 * 10**14 + 10**12


async def test_cash_comes_before_a_page_at_which_nobody_has_paid_yet(till: Till) -> None:
    till.invoices.add("inv_1", 4_000)
    page = await till.pay({"inv_1": 4_000}, token=None)
    part = payments_pb2.PaymentPart(invoice_id="inv_1", amount=usd(4_000))
    cash = await till.payments.RecordPayment(record_request(parts=[part]), metadata=till.as_staff(key="k1"))
    assert cash.kept_as_credit_because == ""
    assert till.invoices.holders("inv_1") == [cash.payment_id]
    assert (await till.get(page.payment_id)).status == payments_pb2.PAYMENT_STATUS_CANCELED
    await till.check_books()


async def test_cash_beside_a_payment_that_is_being_checked_says_that_it_is_kept_as_credit(till: Till) -> None:
    till.invoices.add("inv_1", 4_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    await till.bank.fault("error_500_after_charging", till.organization_id)
    await till.pay({"inv_1": 4_000})
    part = payments_pb2.PaymentPart(invoice_id="inv_1", amount=usd(4_000))
    request = record_request(parts=[part])
    cash = await till.payments.RecordPayment(request, metadata=till.as_staff(key="k1"))
    assert (cash.status, cash.kept_as_credit_because) == (SUCCEEDED, "INVOICE_BEING_PAID")
    assert cash == await till.payments.RecordPayment(request, metadata=till.as_staff(key="k1"))


async def test_money_is_not_received_in_a_closed_period(till: Till) -> None:
    await hear(till, customer())
    today = till.clock.now().date()
    async with till.db.write(till.organization_id) as tx:
        lock = PeriodLock(today - timedelta(days=3), "Ada", till.clock.now())
        await closing.lock_period(tx, lock, locked_before=till.clock.now() - timedelta(days=2))
    for back, is_open in ((3, False), (2, True)):
        request = record_request(received_on=(today - timedelta(days=back)).isoformat())
        if is_open:
            await till.payments.RecordPayment(request, metadata=till.as_staff(key=f"k{back}"))
            continue
        with pytest.raises(ServiceError) as refused:
            await till.payments.RecordPayment(request, metadata=till.as_staff(key=f"k{back}"))
        assert [(one.field, one.code) for one in refused.value.fields] == [("received_on", "period_closed")]


async def test_a_refused_or_repeated_record_closes_no_page(till: Till) -> None:
    till.invoices.add("inv_1", 4_000)
    page = await till.pay({"inv_1": 4_000}, token=None)
    part = payments_pb2.PaymentPart(invoice_id="inv_1", amount=usd(4_000))
    wrong = record_request(parts=[part], received_on="2099-01-01")
    with pytest.raises(ServiceError) as refused:
        await till.payments.RecordPayment(wrong, metadata=till.as_staff(key="k1"))
    assert [one.code for one in refused.value.fields] == ["in_the_future"]
    assert (await till.get(page.payment_id)).status == WAITING
    right = record_request(parts=[part])
    cash = await till.payments.RecordPayment(right, metadata=till.as_staff(key="k2"))
    await till.desk.reservations.release(till.organization_id, cash.payment_id)
    later = await till.pay({"inv_1": 4_000}, token=None)
    assert cash == await till.payments.RecordPayment(right, metadata=till.as_staff(key="k2"))
    other = record_request(parts=[part], note="another")
    with pytest.raises(ServiceError) as reused:
        await till.payments.RecordPayment(other, metadata=till.as_staff(key="k2"))
    assert reused.value.reason == "IDEMPOTENCY_KEY_REUSED"
    assert (await till.get(later.payment_id)).status == WAITING
    assert till.invoices.holders("inv_1") == [later.payment_id]


async def test_imported_history_becomes_payments_of_its_days_once(till: Till) -> None:
    await hear(till, organization(), external(1), external(2, day="2026-04-01"), external(1))
    newest, oldest = await till.page()
    assert (newest.received_on, oldest.received_on) == ("2026-04-01", "2026-03-01")
    assert oldest.method == payments_pb2.PAYMENT_METHOD_TYPE_EXTERNAL
    assert oldest.parts[0].invoice_number == "OLD-1"
    assert {newest.receipt_number, oldest.receipt_number} == {"R-000001", "R-000002"}
    rows = await till.rows(
        "SELECT payload FROM outbox WHERE organization_id = :o AND aggregate_id = :p",
        o=till.organization_id, p=oldest.payment_id,
    )  # fmt: skip
    told = events_pb2.PaymentSucceeded.FromString(rows[0].payload)
    assert (told.notify, told.parts[0].invoice_id, told.received_on) == (False, "inv_old_1", "2026-03-01")
    await till.check_books()


async def test_two_thousand_imported_payments_get_receipts_without_gaps(till: Till) -> None:
    for first in range(0, 2_304, 16):
        await hear(till, *(external(number) for number in range(first, first + 16)))
    rows = await till.rows("SELECT count(*) AS n, max(receipt_no) AS last FROM receipts")
    assert (rows[0].n, rows[0].last) == (2_304, 2_304)
    await till.check_books()


async def test_the_receipt_names_everything_in_its_reader_s_language(till: Till) -> None:
    await hear(till, organization(), customer())
    parts = {till.invoices.add(f"inv_{n}", 123_456): 123_456 for n in (1, 2)}
    payment = await till.pay(parts)
    request = payments_pb2.GetReceiptPdfRequest(payment_id=payment.payment_id)
    receipt = await till.payments.GetReceiptPdf(request, metadata=till.as_customer(), timeout=20)
    assert (receipt.file_name, receipt.media_type) == ("receipt-R-000001.pdf", "application/pdf")
    text = pypdf.PdfReader(io.BytesIO(receipt.content)).pages[0].extract_text()
    for wanted in ("R-000001", "Harbor Freight Services", "Änne Größe & Söhne", "INV-0002", "Visa 4242"):
        assert wanted in text
    assert "2.469,12" in text
    delivery = payments_pb2.GetReceiptDeliveryRequest(
        organization_id=till.organization_id, payment_id=payment.payment_id
    )
    assert (await till.receipts.GetReceiptDelivery(delivery, timeout=20)).content == receipt.content


async def test_the_receipt_shows_the_logo_once_the_organization_has_one(till: Till) -> None:
    await hear(till, customer())
    till.invoices.add("inv_1", 5_000)
    payment = await till.pay({"inv_1": 5_000})
    request = payments_pb2.GetReceiptPdfRequest(payment_id=payment.payment_id)
    pictures = []
    for logo in (b"", _png(), b"no picture"):
        told = organization()
        told.organization.brand.logo, told.organization.brand.logo_media_type = logo, "image/png"
        await hear(till, told)
        receipt = await till.payments.GetReceiptPdf(request, metadata=till.as_customer(), timeout=20)
        pictures.append(len(pypdf.PdfReader(io.BytesIO(receipt.content)).pages[0].images))
    assert pictures == [0, 1, 0]


def _png() -> bytes:
    """A red dot."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


async def test_there_is_no_receipt_before_the_money(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    request = payments_pb2.GetReceiptPdfRequest(payment_id=waiting.payment_id)
    with pytest.raises(ServiceError) as early:
        await till.payments.GetReceiptPdf(request, metadata=till.as_customer())
    assert early.value.reason == "RECEIPT_NOT_READY"


async def test_days_are_the_organization_s_own(till: Till) -> None:
    await hear(till, organization())
    now = till.clock.now()
    till.clock.advance(seconds=(now.replace(hour=9, minute=30, second=0) - now).total_seconds())
    till.invoices.add("inv_1", 5_000)
    payment = await till.pay({"inv_1": 5_000})
    assert payment.received_on == (now.date() - timedelta(days=1)).isoformat()


async def test_the_overview_adds_up_what_came_in(till: Till) -> None:
    today = till.clock.now().date()
    for number, amount in ((1, 1_000), (2, 2_500)):
        till.invoices.add(f"inv_{number}", amount)
        await till.pay({f"inv_{number}": amount})
    till.invoices.add("inv_3", 700)
    await till.pay({"inv_3": 700}, token="tok_declined")
    await till.pay({"inv_3": 700}, token=None)
    await hear(
        till,
        external(1, 40_000, (today - timedelta(days=29)).isoformat()),
        external(2, 90_000, (today - timedelta(days=30)).isoformat()),
    )
    overview = await till.payments.GetPaymentsOverview(
        payments_pb2.GetPaymentsOverviewRequest(), metadata=till.as_staff()
    )
    (figures,) = overview.currencies
    assert (overview.today, overview.unfinished_payments) == (today.isoformat(), 1)
    assert (figures.received_today.minor_units, figures.payments_today) == (3_500, 2)
    assert figures.received_30_days.minor_units == 43_500
    assert (len(figures.days), figures.days[0].amount.minor_units) == (30, 40_000)
    assert figures.failed_today == 1


async def test_what_another_system_received_waits_while_the_books_are_frozen(till: Till) -> None:
    async def wrong(tx: ReadTx) -> Sequence[books.Broken]:
        return [books.Broken("I1", "something")]

    await hear(till, organization(), customer())
    await books.check(till.db, till.organization_id, wrong)
    for _again in range(2):
        with pytest.raises(ServiceError) as postponed:
            await hear(till, external(1), external(2))
        assert (postponed.value.kind, postponed.value.reason) == (Kind.UNAVAILABLE, "BOOKS_FROZEN")
    assert await till.page() == []
    async with till.db.write(till.organization_id) as tx:
        assert await books.lift(tx, verify, reason="put right") is None
    await hear(till, external(1), external(2))
    assert len(await till.page()) == 2
    await till.check_books()
