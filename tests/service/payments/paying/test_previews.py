"""What is shown is what is paid, to the cent; what has changed meanwhile is shown anew and charges nothing."""

from decimal import Decimal

import pytest

from chassis.caller import Audience
from chassis.errors import Kind, ServiceError
from services.payments.domain.surcharge import Charge, ChargeKind
from tallyport.payments.v1 import payments_pb2, policies_pb2
from tests.service.payments.paying.counter import (
    BANK_DEBIT,
    CANCELED,
    CARD,
    CREDIT,
    FAILED,
    REQUIRES_ACTION,
    SUCCEEDED,
    confirm,
    create,
    preview,
    rule,
    set_policy,
    shown_anew,
    usd,
)
from tests.service.payments.till import Till


async def test_a_preview_is_paid_as_it_was_shown(till: Till) -> None:
    for number in (1, 2, 3):
        till.invoices.add(f"inv_{number}", 1_000 * number)
    till.invoices.by_id["inv_2"].disputed = True
    till.invoices.credit["cus_1"] = 700
    await set_policy(
        till,
        rule(charge=policies_pb2.CHARGE_KIND_GROSS_UP, percent="2.9", fixed_minor_units=30),
        rule(CREDIT),
        rule(BANK_DEBIT, charge=policies_pb2.CHARGE_KIND_DISCOUNT, percent="1"),
    )
    shown = await preview(till, amount=usd(4_500))
    assert [(part.invoice_id, part.amount.minor_units) for part in shown.parts] == [
        ("inv_1", 1_000),
        ("inv_3", 3_000),
    ]
    assert [(one.invoice_id, one.reason) for one in shown.skipped] == [("inv_2", "disputed")]
    assert (shown.credit_used.minor_units, shown.prepayment.minor_units) == (700, 500)
    net = 4_000 - 700 + 500
    card = Charge(kind=ChargeKind.GROSS_UP, percent=Decimal("2.9"), fixed_minor_units=30)
    assert shown.amount.minor_units - card.fee_of(shown.amount.minor_units) == net
    assert [(one.method, one.amount.minor_units) for one in shown.methods] == [
        (CARD, shown.amount.minor_units),
        (BANK_DEBIT, net - 38),
    ]
    paid = await confirm(till, shown)
    assert paid.status == SUCCEEDED
    assert (paid.amount, paid.surcharge, paid.credit_used) == (
        shown.amount,
        shown.surcharge,
        shown.credit_used,
    )
    charged = await till.bank.charges(paid.payment_id)
    assert [one["amount_minor_units"] for one in charged] == [shown.amount.minor_units]
    lines = {
        (row.account, row.side): row.amount_minor_units
        for row in await till.rows("SELECT account, side, amount_minor_units FROM ledger_lines")
    }
    assert lines == {
        ("provider_clearing", "D"): shown.amount.minor_units,
        ("customer_funds", "C"): net,
        ("surcharge_income", "C"): shown.surcharge.minor_units,
    }
    await till.check_books()


async def test_a_discount_is_booked_beside_the_money(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    await set_policy(till, rule(charge=policies_pb2.CHARGE_KIND_DISCOUNT, percent="3"))
    shown = await preview(till)
    assert (shown.surcharge.minor_units, shown.amount.minor_units) == (-300, 9_700)
    await confirm(till, shown)
    rows = await till.rows(
        "SELECT account, side, amount_minor_units AS units FROM ledger_lines ORDER BY line_no"
    )
    assert [(row.account, row.side, row.units) for row in rows] == [
        ("provider_clearing", "D", 9_700),
        ("discounts_given", "D", 300),
        ("customer_funds", "C", 10_000),
    ]
    await till.check_books()


async def test_a_changed_charge_is_shown_anew_and_nothing_is_written(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    shown = await preview(till)
    await set_policy(till, rule(charge=policies_pb2.CHARGE_KIND_ADD, percent="1"))
    with pytest.raises(ServiceError) as refused:
        await confirm(till, shown)
    assert refused.value.kind is Kind.ABORTED
    anew = shown_anew(refused)
    assert anew.amount.minor_units == 10_100
    assert await till.page() == []
    assert (await confirm(till, anew)).amount.minor_units == 10_100


async def test_a_changed_invoice_is_shown_anew_and_nothing_is_charged(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    shown = await preview(till)
    invoice = till.invoices.by_id["inv_1"]
    invoice.paid, invoice.version = 4_000, invoice.version + 1
    with pytest.raises(ServiceError) as refused:
        await confirm(till, shown)
    anew = shown_anew(refused)
    assert [(part.amount.minor_units, part.invoice_version) for part in anew.parts] == [(6_000, 2)]
    assert anew.prepayment.minor_units == 0
    (ended,) = await till.page()
    assert (ended.status, ended.failure_code) == (FAILED, "preview_changed")
    assert await till.bank.charges(ended.payment_id) == []
    assert (await confirm(till, anew)).status == SUCCEEDED
    await till.check_books()


async def test_credit_that_was_spent_meanwhile_is_shown_anew(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    till.invoices.credit["cus_1"] = 2_000
    shown = await preview(till)
    till.invoices.credit["cus_1"] = 500
    with pytest.raises(ServiceError) as refused:
        await confirm(till, shown)
    anew = shown_anew(refused)
    assert (anew.credit_used.minor_units, anew.amount.minor_units) == (500, 9_500)
    assert (await confirm(till, anew)).status == SUCCEEDED
    await till.check_books()


async def test_ones_own_waiting_page_does_not_stand_in_the_way(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    till.invoices.credit["cus_1"] = 1_000
    shown = await preview(till)
    request = payments_pb2.HostedPage(return_url="https://portal.example/back")
    waiting = await confirm(till, shown, hosted_page=request)
    assert waiting.status == REQUIRES_ACTION
    again = await preview(till)
    assert again == shown
    paid = await confirm(till, shown)  # from the page that was open all the time
    assert paid.status == SUCCEEDED
    assert (await till.get(waiting.payment_id)).status == payments_pb2.PAYMENT_STATUS_CANCELED
    await till.check_books()


async def test_part_payments_that_were_begun_are_replaced_by_one_for_all_that_is_due(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    begun = [await till.pay({"inv_1": units}, token=None) for units in (5_000, 2_000)]
    shown = await preview(till)
    assert shown.amount.minor_units == 10_000
    assert (await confirm(till, shown)).status == SUCCEEDED
    for one in begun:
        assert (await till.get(one.payment_id)).status == payments_pb2.PAYMENT_STATUS_CANCELED
    await till.check_books()


async def test_a_pay_link_sees_its_invoice_and_nobodys_credit(till: Till) -> None:
    till.invoices.add("inv_1", 1_000)
    till.invoices.add("inv_2", 1_000)
    till.invoices.credit["cus_1"] = 300
    link = till.by(Audience.PAY_LINK, invoice_id="inv_1", customer_id="cus_1")
    shown = await preview(till, link)
    assert [part.invoice_id for part in shown.parts] == ["inv_1"]
    assert shown.amount.minor_units == 1_000
    with pytest.raises(ServiceError) as foreign:
        await preview(till, link, invoice_ids=["inv_2"])
    assert foreign.value.kind is Kind.NOT_FOUND
    with pytest.raises(ServiceError) as others:
        await preview(till, customer_id="cus_2")
    assert others.value.kind is Kind.NOT_FOUND


async def test_a_long_preview_is_left_out_and_can_be_asked_for(till: Till) -> None:
    parts = {till.invoices.add(f"inv_{number:03d}", 100): 100 for number in range(100)}
    with pytest.raises(ServiceError) as refused:
        await create(till, parts, expected_amount=usd(1))
    assert refused.value.reason == "PREVIEW_CHANGED"
    assert "preview" not in refused.value.metadata
    assert (await preview(till)).amount.minor_units == 10_000


async def test_a_new_payment_replaces_a_page_also_where_there_is_room_for_both(till: Till) -> None:
    till.invoices.add("inv_1", 30_000)
    page = await create(till, {"inv_1": 6_000}, token=None)
    other = await create(till, {"inv_1": 10_000}, token=None)
    paid = await create(till, {"inv_1": 10_000})
    assert paid.status == SUCCEEDED
    for one in (page, other):
        assert (await till.get(one.payment_id)).status == CANCELED
        await till.bank.type_card(one.redirect_url)
        assert await till.bank.charges(one.payment_id) == []
    assert till.invoices.holders("inv_1") == [paid.payment_id]
    await till.check_books()


async def test_credit_that_a_page_holds_is_free_for_the_payment_that_replaces_it(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    till.invoices.credit["cus_1"] = 3_000
    await set_policy(till, rule(CARD), rule(CREDIT))
    page = await create(till, {"inv_1": 6_000}, token=None, credit=usd(3_000))
    assert page.status == REQUIRES_ACTION
    shown = await preview(till, amount=usd(4_000))
    assert shown.credit_used.minor_units == 3_000
    paid = await confirm(till, shown)
    assert (paid.status, paid.credit_used.minor_units) == (SUCCEEDED, 3_000)
    assert (await till.get(page.payment_id)).status == CANCELED


async def test_a_page_that_turns_out_to_be_paid_wins_also_where_there_is_room_for_both(till: Till) -> None:
    till.invoices.add("inv_1", 30_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    page = await create(till, {"inv_1": 6_000}, token=None)
    await till.bank.type_card(page.redirect_url)
    with pytest.raises(ServiceError) as refused:
        await create(till, {"inv_1": 10_000})
    assert shown_anew(refused).amount.minor_units == 10_000
    assert refused.value.metadata["payment_id"] == page.payment_id
    assert till.invoices.holders("inv_1") == [page.payment_id]
    await till.check_charged_once(page.payment_id)
    (failed,) = await till.page(status=FAILED)
    assert await till.bank.charges(failed.payment_id) == []


async def test_a_page_that_cannot_be_closed_keeps_its_place(till: Till) -> None:
    till.invoices.add("inv_1", 30_000)
    page = await create(till, {"inv_1": 6_000}, token=None)
    await till.bank.fault("error_500", till.organization_id)
    with pytest.raises(ServiceError) as refused:
        await create(till, {"inv_1": 10_000})
    assert refused.value.reason == "INVOICE_BEING_PAID"
    assert (await till.get(page.payment_id)).status == REQUIRES_ACTION


async def test_pages_for_other_invoices_and_of_other_payers_stay_open(till: Till) -> None:
    for number in (1, 2):
        till.invoices.add(f"inv_{number}", 30_000)
    till.invoices.add("inv_3", 30_000, customer_id="cus_2")
    other = await create(till, {"inv_2": 6_000}, token=None)
    stranger = await till.pay({"inv_3": 6_000}, token=None, customer_id="cus_2")
    assert (await create(till, {"inv_1": 10_000})).status == SUCCEEDED
    assert (await till.get(other.payment_id)).status == REQUIRES_ACTION
    assert till.invoices.holders("inv_3") == [stranger.payment_id]


async def test_a_repetition_does_not_close_its_own_page(till: Till) -> None:
    till.invoices.add("inv_1", 30_000)
    first = await till.pay({"inv_1": 6_000}, key="k", token=None)
    again = await till.pay({"inv_1": 6_000}, key="k", token=None)
    assert (again.payment_id, again.status) == (first.payment_id, REQUIRES_ACTION)
    assert (again.redirect_url, till.invoices.holders("inv_1")) == (first.redirect_url, [first.payment_id])
