"""What nobody expects any more, and money that comes all the same."""

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import invoices_pb2, reservations_pb2
from tests.service.invoicing.office import Office

_UNCOLLECTIBLE = invoices_pb2.INVOICE_STATUS_UNCOLLECTIBLE
_PAID, _OPEN = invoices_pb2.INVOICE_STATUS_PAID, invoices_pb2.INVOICE_STATUS_OPEN
_PARTLY = invoices_pb2.INVOICE_STATUS_PARTLY_PAID


async def test_what_is_due_is_written_off_and_asked_for_again(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 300, {invoice.invoice_id: 300})
    lost = await office.write_off(invoice.invoice_id)
    assert (lost.status, lost.amount_due.minor_units) == (_UNCOLLECTIBLE, 0)
    assert await office.balance("bad_debt") == 700
    assert await office.wrongs() == []
    for again in (office.write_off(invoice.invoice_id), office.credit_note(invoice.invoice_id, 1)):
        with pytest.raises(ServiceError, match="INVOICE_NOT_"):
            await again
    back = await office.revert_write_off(invoice.invoice_id)
    assert (back.status, back.amount_due.minor_units) == (_PARTLY, 700)
    assert await office.balance("bad_debt") == 0
    assert await office.reductions(invoice.invoice_id) == [("write_off", 700), ("write_off", -700)]
    with pytest.raises(ServiceError, match="INVOICE_NOT_WRITTEN_OFF"):
        await office.revert_write_off(invoice.invoice_id)
    assert await office.wrongs() == []


async def test_money_that_comes_all_the_same_is_taken_and_the_rest_stays_written_off(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.write_off(invoice.invoice_id)
    clue = reservations_pb2.FindOpenItemsRequest(
        organization_id=office.organization_id, numbers=[invoice.number]
    )
    (item,) = (await office.as_payments(office.open_items.FindOpenItems, clue)).items
    assert item.amount_due.minor_units == 1_000
    await office.paid("pay_1", customer.customer_id, 400, {invoice.invoice_id: 400})
    some = await office.read(invoice.invoice_id)
    assert (some.status, some.amount_paid.minor_units) == (_UNCOLLECTIBLE, 400)
    assert (some.amount_due.minor_units, some.amount_written_off.minor_units) == (0, 600)
    await office.paid("pay_2", customer.customer_id, 700, {invoice.invoice_id: 700})
    whole = await office.read(invoice.invoice_id)
    assert (whole.status, whole.amount_paid.minor_units) == (_PAID, 1_000)
    assert await office.credit(customer.customer_id) == 100
    assert await office.balance("bad_debt") == 0
    expected = [("write_off", 1_000), ("recovery", -400), ("recovery", -600)]
    assert await office.reductions(invoice.invoice_id) == expected
    assert await office.wrongs() == []


async def test_recovered_money_that_goes_back_is_asked_for_again(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.write_off(invoice.invoice_id)
    await office.paid("pay_1", customer.customer_id, 400, {invoice.invoice_id: 400})
    await office.reversed("pay_1", customer.customer_id, 400, whole=True)
    after = await office.read(invoice.invoice_id)
    assert (after.status, after.amount_due.minor_units) == (_PARTLY, 400)
    assert after.amount_written_off.minor_units == 600
    assert await office.wrongs() == []
    await office.write_off(invoice.invoice_id)
    assert await office.wrongs() == []


async def test_nothing_is_written_off_while_a_payment_is_on_its_way(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 1})
    with pytest.raises(ServiceError, match="INVOICE_BEING_PAID"):
        await office.write_off(invoice.invoice_id)


async def test_forgiven_refunds_are_adjustments_and_so_is_their_taking_back(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 1_000, {invoice.invoice_id: 1_000})
    await office.reversed("pay_1", customer.customer_id, 300, forgive=True)
    assert await office.reductions(invoice.invoice_id) == [("forgiven_refund", 300)]
    assert await office.wrongs() == []
    await office.reinstated("pay_1", customer.customer_id, 300)
    assert await office.reductions(invoice.invoice_id) == [
        ("forgiven_refund", 300),
        ("forgiven_refund", -300),
    ]
    assert await office.wrongs() == []
