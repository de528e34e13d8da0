"""Money that goes back: what it paid is to be paid again, wherever it went, in whatever order it happens."""

import itertools
from typing import Any

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import events_pb2, invoices_pb2
from tallyport.payments.v1 import events_pb2 as payments_events
from tests.service.invoicing.office import Office, usd

OPEN, PARTLY, PAID = (
    invoices_pb2.INVOICE_STATUS_OPEN, invoices_pb2.INVOICE_STATUS_PARTLY_PAID, invoices_pb2.INVOICE_STATUS_PAID,
)  # fmt: skip


async def state(office: Office, invoice_id: str) -> tuple[int, int, int]:
    """Status, paid, credited."""
    found = await office.read(invoice_id)
    return found.status, found.amount_paid.minor_units, found.amount_credited.minor_units


async def test_a_return_reopens_the_invoice_and_charges_the_fee_once(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 1_000, {invoice.invoice_id: 1_000})
    for _ in range(2):
        await office.reversed(
            "pay_1", customer.customer_id, 1_000, kind=payments_events.REVERSAL_KIND_RETURN,
            reversal_id="rtn_1", whole=True, fee=300, reason="R01",
        )  # fmt: skip
    assert await state(office, invoice.invoice_id) == (OPEN, 0, 0)
    after = await office.read(invoice.invoice_id)
    assert (after.HasField("paid_at"), after.version) == (False, invoice.version + 2)
    assert await office.invoice_events(invoice.invoice_id) == [
        "InvoiceFinalized", "InvoicePaid", "InvoiceReopened",
    ]  # fmt: skip
    (told,) = await office.events(events_pb2.PaymentUnapplied)
    assert (told.kind, told.amount.minor_units, told.fee.minor_units) == ("return", 1_000, 300)
    assert told.contact.customer_id == customer.customer_id
    assert [
        (one.number, one.amount.minor_units, one.amount_due.minor_units) for one in told.applications
    ] == [(invoice.number, 1_000, 1_000)]
    (fee,) = (await office.list_invoices(external_id="rtn_1")).invoices
    assert (fee.status, fee.total.minor_units, fee.number != "") == (OPEN, 300, True)
    assert await office.invoice_events(fee.invoice_id) == ["InvoiceFinalized"]
    assert await office.balance("receivable", customer.customer_id) == 1_300
    assert await office.balance("cash_clearing") == 0
    request = invoices_pb2.ListInvoicePaymentsRequest(invoice_id=invoice.invoice_id)
    assert list((await office.call(office.invoices.ListInvoicePayments, request)).allocations) == []
    assert await office.wrongs() == []


async def test_a_refund_by_invoice_and_a_forgiven_one(office: Office) -> None:
    customer = await office.customer()
    first, second = [await office.invoice(customer.customer_id, 1_000) for _ in range(2)]
    await office.paid(
        "pay_1", customer.customer_id, 2_050, {first.invoice_id: 1_000, second.invoice_id: 1_000}
    )
    await office.reversed(
        "pay_1", customer.customer_id, 250, reversal_id="ref_1", parts={first.invoice_id: 250}, forgive=True
    )
    assert await state(office, first.invoice_id) == (PAID, 750, 250)
    assert await office.credit(customer.customer_id) == 50
    await office.reversed("pay_1", customer.customer_id, 150, reversal_id="ref_2")
    assert await office.credit(customer.customer_id) == 0
    assert await state(office, second.invoice_id) == (PARTLY, 900, 0)
    assert await office.balance("sales_returns") == 250
    assert await office.invoice_events(first.invoice_id) == ["InvoiceFinalized", "InvoicePaid"]
    told = await office.events(events_pb2.PaymentUnapplied)
    assert [(one.forgiven, one.from_credit.minor_units) for one in told] == [(True, 0), (False, 50)]
    assert told[0].applications[0].amount_due.minor_units == 0
    assert await office.wrongs() == []
    await office.reversed("pay_1", customer.customer_id, 1_650, reversal_id="ref_3")
    assert await state(office, first.invoice_id) == (PARTLY, 0, 250)
    assert (await office.read(first.invoice_id)).amount_due.minor_units == 750
    assert await office.balance("cash_clearing") == 0
    assert await office.wrongs() == []


async def test_money_taken_off_an_invoice_can_become_credit(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 1_000, {invoice.invoice_id: 1_000})
    await office.reversed("pay_1", customer.customer_id, 400, to_credit=True)
    assert await state(office, invoice.invoice_id) == (PARTLY, 600, 0)
    assert await office.credit(customer.customer_id) == 400
    assert await office.balance("cash_clearing") == 1_000
    await office.reversed("pay_1", customer.customer_id, 1_000, reversal_id="rtn_1", whole=True)
    assert await state(office, invoice.invoice_id) == (OPEN, 0, 0)
    assert await office.credit(customer.customer_id) == 0
    assert await office.wrongs() == []


async def test_a_surcharge_goes_back_without_touching_an_invoice(office: Office) -> None:
    customer = await office.customer()
    dear, cheap = [await office.invoice(customer.customer_id, 1_000) for _ in range(2)]
    await office.paid("pay_1", customer.customer_id, 1_030, {dear.invoice_id: 1_000}, surcharge=usd(30))
    await office.paid("pay_2", customer.customer_id, 980, {cheap.invoice_id: 1_000}, surcharge=usd(-20))
    await office.reversed("pay_1", customer.customer_id, 515, surcharge=usd(15))
    await office.reversed("pay_2", customer.customer_id, 980, surcharge=usd(-20))
    assert await state(office, dear.invoice_id) == (PARTLY, 500, 0)
    assert await state(office, cheap.invoice_id) == (OPEN, 0, 0)
    assert await office.balance("sales_discounts") == 0
    assert await office.balance("cash_clearing") == 500
    assert await office.wrongs() == []


async def spread(office: Office, customer_id: str) -> dict[str, str]:
    """pay_1 left credit, which pay_2 and pay_3 used besides their own money; pay_2 left credit too."""
    ids = [(await office.invoice(customer_id, 1_000)).invoice_id for _ in range(3)]
    await office.paid("pay_1", customer_id, 1_500, {ids[0]: 1_000})
    await office.reserve("pay_2", customer_id, {ids[1]: 1_000}, credit=300)
    await office.paid("pay_2", customer_id, 800, {ids[1]: 1_000}, credit_used=usd(300))
    await office.reserve("pay_3", customer_id, {ids[2]: 1_000}, credit=300)
    await office.paid("pay_3", customer_id, 700, {ids[2]: 1_000}, credit_used=usd(300))
    return dict(zip(("one", "two", "three"), ids, strict=True))


WHOLE = {"pay_1": 1_500, "pay_2": 800, "pay_3": 700}


@pytest.mark.parametrize("order", list(itertools.permutations(WHOLE)))
async def test_payments_that_lent_each_other_credit_go_back_in_any_order(
    office: Office, order: tuple[str, ...]
) -> None:
    customer = await office.customer()
    ids = await spread(office, customer.customer_id)
    assert await office.wrongs() == []
    assert await office.credit(customer.customer_id) == 0
    for payment_id in order:
        await office.reversed(payment_id, customer.customer_id, WHOLE[payment_id], whole=True)
        assert await office.wrongs() == []
    for invoice_id in ids.values():
        assert await state(office, invoice_id) == (OPEN, 0, 0)
    assert await office.credit(customer.customer_id) == 0
    assert await office.balance("receivable", customer.customer_id) == 3_000
    assert await office.balance("cash_clearing") == 0
    for payment_id in reversed(order):
        await office.reinstated(payment_id, customer.customer_id, WHOLE[payment_id])
        await office.reinstated(payment_id, customer.customer_id, WHOLE[payment_id])
        assert await office.wrongs() == []
    assert await office.balance("cash_clearing") == 3_000
    owed = await office.balance("receivable", customer.customer_id)
    assert owed == await office.credit(customer.customer_id)


async def test_a_chargeback_that_is_won_pays_the_same_invoices_again(office: Office) -> None:
    customer = await office.customer()
    first, second = [await office.invoice(customer.customer_id, 1_000) for _ in range(2)]
    await office.paid(
        "pay_1", customer.customer_id, 2_100, {first.invoice_id: 1_000, second.invoice_id: 1_000}
    )
    await office.reversed(
        "pay_1", customer.customer_id, 2_100, kind=payments_events.REVERSAL_KIND_CHARGEBACK, whole=True
    )
    await office.paid("pay_2", customer.customer_id, 400, {second.invoice_id: 400})
    await office.reinstated("pay_1", customer.customer_id, 2_100)
    assert await state(office, first.invoice_id) == (PAID, 1_000, 0)
    assert await state(office, second.invoice_id) == (PAID, 1_000, 0)
    assert await office.credit(customer.customer_id) == 500
    assert await office.invoice_events(first.invoice_id) == [
        "InvoiceFinalized", "InvoicePaid", "InvoiceReopened", "InvoicePaid",
    ]  # fmt: skip
    assert await office.balance("cash_clearing") == 2_500
    assert await office.wrongs() == []


async def test_a_forgiven_refund_that_failed_is_paid_after_all(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 1_000, {invoice.invoice_id: 1_000})
    await office.reversed("pay_1", customer.customer_id, 400, forgive=True)
    await office.reinstated("pay_1", customer.customer_id, 400)
    assert await state(office, invoice.invoice_id) == (PAID, 1_000, 0)
    assert await office.balance("sales_returns") == 0
    assert await office.invoice_events(invoice.invoice_id) == ["InvoiceFinalized", "InvoicePaid"]
    assert await office.wrongs() == []


async def test_credit_that_is_held_goes_back_and_its_payment_does_without(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 300, {})
    await office.reserve("pay_2", customer.customer_id, {invoice.invoice_id: 1_000}, credit=300)
    await office.reversed("pay_1", customer.customer_id, 200)
    assert await office.wrongs() == []
    await office.paid("pay_2", customer.customer_id, 700, {invoice.invoice_id: 1_000}, credit_used=usd(300))
    assert await state(office, invoice.invoice_id) == (PARTLY, 800, 0)
    assert (await office.events(events_pb2.PaymentApplied))[-1].credit_used.minor_units == 100
    assert await office.wrongs() == []


@pytest.mark.parametrize("reverse_first", [True, False])
async def test_the_lender_may_go_back_before_or_after_its_credit_is_used(
    office: Office, reverse_first: bool
) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 300, {})
    await office.reserve("pay_2", customer.customer_id, {invoice.invoice_id: 1_000}, credit=300)

    async def apply() -> None:
        await office.paid(
            "pay_2", customer.customer_id, 700, {invoice.invoice_id: 1_000}, credit_used=usd(300)
        )

    async def reverse() -> None:
        await office.reversed("pay_1", customer.customer_id, 300, whole=True)

    for step in (reverse, apply) if reverse_first else (apply, reverse):
        await step()
        assert await office.wrongs() == []
    assert await state(office, invoice.invoice_id) == (PARTLY, 700, 0)
    assert await office.credit(customer.customer_id) == 0


async def test_a_reversal_of_what_never_came_waits_for_it(office: Office) -> None:
    customer = await office.customer()
    with pytest.raises(ServiceError, match="PAYMENT_NOT_FOUND"):
        await office.reversed("pay_1", customer.customer_id, 100)
    await office.paid("pay_1", customer.customer_id, 100, {})
    with pytest.raises(ServiceError, match="REVERSAL_NOT_FOUND"):
        await office.reinstated("pay_1", customer.customer_id, 100)
    await office.reversed("pay_1", customer.customer_id, 100)
    assert await office.credit(customer.customer_id) == 0


async def test_money_that_went_back_though_it_was_not_here_is_seen(office: Office) -> None:
    customer = await office.customer()
    await office.paid("pay_1", customer.customer_id, 100, {})
    await office.reversed("pay_1", customer.customer_id, 130)
    assert await office.balance("suspense") == 30
    assert await office.balance("cash_clearing") == -30
    assert "I4 money went back that was not here: ref_pay_1" in await office.wrongs()
    await office.reinstated("pay_1", customer.customer_id, 130)
    assert await office.balance("suspense") == 0
    assert await office.wrongs() == []


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        (
            "UPDATE customer_credits SET remaining_minor_units = 150 WHERE payment_id = 'pay_4'",
            "received is not applied, unapplied",
        ),
        ("UPDATE payment_applications SET refunded_minor_units = 1", "refunded is not the sum of reversals"),
        ("UPDATE payment_reversals SET shortfall_minor_units = 1", "money went back that was not here"),
        ("UPDATE credit_holds SET amount_minor_units = 1", "held credit is not the sum of holds"),
        ("UPDATE reservations SET state = 'expired'", "credit is held by a payment that holds nothing"),
        ("DELETE FROM credit_allocations", "paid is not the sum of allocations"),
        (
            "UPDATE invoices SET status = 'open' WHERE status = 'partly_paid'",
            "status does not follow from the sums",
        ),
        (
            "UPDATE invoices SET credited_minor_units = 1 WHERE status = 'partly_paid'",
            "receivables ledger differs",
        ),
        ("UPDATE payment_applications SET surcharge_minor_units = 1", "cash clearing differs"),
    ],
)
async def test_broken_rows_are_found(office: Office, statement: str, complaint: str) -> None:
    """The checker of the books can go red."""
    from sqlalchemy import text

    customer = await office.customer()
    ids = await spread(office, customer.customer_id)
    await office.reversed("pay_2", customer.customer_id, 500)
    await office.paid("pay_4", customer.customer_id, 200, {})
    await office.reserve("pay_5", customer.customer_id, {ids["two"]: 300}, credit=100)
    assert await office.wrongs() == []

    async def work(tx: Any) -> None:
        word = "AND" if " WHERE " in statement else "WHERE"
        await tx.execute(text(f"{statement} {word} organization_id = :id"), {"id": office.organization_id})

    await office.db.run_write(office.organization_id, work)
    assert complaint in "\n".join(await office.wrongs())
