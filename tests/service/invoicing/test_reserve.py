"""Reserving: two payments never hold the same part of an invoice, however they race."""

import asyncio
from datetime import timedelta

import pytest

from chassis.errors import Kind, ServiceError
from services.invoicing.operations.expire_reservations import expire_reservations
from tallyport.invoicing.v1 import invoices_pb2
from tests.service.invoicing.office import Office


async def test_twenty_payments_race_for_one_invoice_and_never_hold_more_than_it_has(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    results = await asyncio.gather(
        *(office.reserve(f"pay_{at}", customer.customer_id, {invoice.invoice_id: 3_000}) for at in range(20)),
        return_exceptions=True,
    )
    refusals = [result for result in results if isinstance(result, ServiceError)]
    assert len(results) - len(refusals) == 3
    assert {refusal.reason for refusal in refusals} == {"INVOICE_BEING_PAID"}
    assert refusals[0].metadata["invoice_id"] == invoice.invoice_id
    assert refusals[0].metadata["payment_id"].startswith("pay_")
    assert (await office.read(invoice.invoice_id)).amount_processing.minor_units == 9_000


async def test_many_payments_over_many_invoices_in_any_order_do_not_deadlock(office: Office) -> None:
    customer = await office.customer()
    invoices = [await office.invoice(customer.customer_id, 1_000) for _ in range(5)]
    ids = [invoice.invoice_id for invoice in invoices]
    results = await asyncio.gather(
        *(
            office.reserve(
                f"pay_{at}", customer.customer_id, dict.fromkeys(ids if at % 2 else reversed(ids), 1_000)
            )
            for at in range(12)
        ),
        return_exceptions=True,
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert all(isinstance(result, ServiceError) for result in results if isinstance(result, BaseException))


async def test_reserving_again_gives_the_same_answer_even_at_the_same_time(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    parts = {invoice.invoice_id: 10_000}
    answers = await asyncio.gather(*(office.reserve("pay_1", customer.customer_id, parts) for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0].parts[0].number == invoice.number
    assert (await office.read(invoice.invoice_id)).amount_processing.minor_units == 10_000


async def test_all_parts_are_held_or_none(office: Office) -> None:
    customer = await office.customer()
    good, paid = [await office.invoice(customer.customer_id, 1_000) for _ in range(2)]
    await office.paid("pay_0", customer.customer_id, 1_000, {paid.invoice_id: 1_000})
    with pytest.raises(ServiceError, match="INVOICE_ALREADY_PAID") as refused:
        await office.reserve("pay_1", customer.customer_id, {good.invoice_id: 1_000, paid.invoice_id: 1_000})
    assert refused.value.metadata["invoice_id"] == paid.invoice_id
    assert (await office.read(good.invoice_id)).amount_processing.minor_units == 0


async def test_refusals_name_their_reason(office: Office) -> None:
    customer = await office.customer()
    draft = await office.draft(customer.customer_id, 1_000)
    voided = await office.invoice(customer.customer_id, 1_000)
    await office.call(
        office.invoices.VoidInvoice,
        invoices_pb2.VoidInvoiceRequest(invoice_id=voided.invoice_id, reason="Typing mistake"),
    )
    open_ = await office.invoice(customer.customer_id, 1_000)
    for invoice_id, cents, reason in (
        (draft.invoice_id, 1_000, "INVOICE_NOT_PAYABLE"),
        (voided.invoice_id, 1_000, "INVOICE_NOT_PAYABLE"),
        (open_.invoice_id, 1_001, "AMOUNT_EXCEEDS_DUE"),
        (open_.invoice_id, 0, "VALIDATION_FAILED"),
    ):
        with pytest.raises(ServiceError, match=reason):
            await office.reserve("pay_1", customer.customer_id, {invoice_id: cents})


async def test_invoices_of_other_customers_and_organizations_do_not_exist(
    office: Office, other_office: Office
) -> None:
    customer, neighbour = await office.customer(), await office.customer()
    stranger = await other_office.customer()
    theirs = await office.invoice(neighbour.customer_id)
    foreign = await other_office.invoice(stranger.customer_id)
    for invoice in (theirs, foreign):
        with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND") as refused:
            await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 1})
        assert refused.value.kind is Kind.NOT_FOUND


async def test_a_release_frees_the_invoice_once_and_may_be_repeated(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 4_000})
    await office.reserve("pay_2", customer.customer_id, {invoice.invoice_id: 6_000})
    for _ in range(2):
        await office.release("pay_1")
    await office.release("pay_unknown")
    assert (await office.read(invoice.invoice_id)).amount_processing.minor_units == 6_000
    with pytest.raises(ServiceError, match="RESERVATION_RELEASED"):
        await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 4_000})


async def test_a_reservation_lapses_only_after_its_time(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    at = office.clock.now() + timedelta(minutes=10)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 10_000}, expires_at=at)
    await expire_reservations(office.db, limit=1_000)
    assert (await office.read(invoice.invoice_id)).amount_processing.minor_units == 10_000
    office.clock.advance(timedelta(minutes=11))
    assert await expire_reservations(office.db, limit=1_000) >= 1
    assert (await office.read(invoice.invoice_id)).amount_processing.minor_units == 0
    await office.reserve("pay_2", customer.customer_id, {invoice.invoice_id: 10_000})


async def test_an_invoice_that_is_being_paid_cannot_be_voided(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 1})
    void = invoices_pb2.VoidInvoiceRequest(invoice_id=invoice.invoice_id, reason="No")
    with pytest.raises(ServiceError, match="INVOICE_BEING_PAID"):
        await office.call(office.invoices.VoidInvoice, void)
