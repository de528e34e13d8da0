"""Every way to pay: with credit, in advance, by wallet, with a saved method, by staff for a caller."""

import asyncio
import uuid
from typing import Any

import pytest

from chassis.caller import Audience, Call, Caller, call_scope
from chassis.errors import Kind, ServiceError
from services.payments.domain.payment import Method
from services.payments.domain.wish import Wish
from services.payments.operations.prepare_payment import draft_payment, make_payment
from services.payments.store import cases
from tallyport.payments.v1 import events_pb2, payments_pb2
from tests.service.payments.paying.counter import (
    BANK_DEBIT,
    CREDIT,
    REQUIRES_ACTION,
    SUCCEEDED,
    create,
    preview,
    rule,
    saved_card,
    set_policy,
    usd,
)
from tests.service.payments.till import RETURN_URL, Till

CREDIT_ONLY = payments_pb2.CreditOnly()


async def told(till: Till) -> events_pb2.PaymentSucceeded:
    """The only news that a payment succeeded."""
    rows = await till.rows(
        "SELECT payload FROM outbox WHERE organization_id = :o AND type LIKE '%PaymentSucceeded'",
        o=till.organization_id,
    )
    assert len(rows) == 1
    return events_pb2.PaymentSucceeded.FromString(bytes(rows[0].payload))


async def test_credit_alone_pays_without_a_provider(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.credit["cus_1"] = 5_000
    shown = await preview(till)
    assert [(one.method, one.amount.minor_units) for one in shown.methods] == [(CREDIT, 0)]
    paid = await create(
        till, {"inv_1": 2_000}, token="", credit_only=CREDIT_ONLY, expected_amount=shown.amount
    )
    assert (paid.status, paid.method, paid.receipt_number) == (SUCCEEDED, CREDIT, "R-000001")
    assert (paid.amount.minor_units, paid.credit_used.minor_units) == (0, 2_000)
    news = await told(till)
    assert (news.amount.minor_units, news.credit_used.minor_units, news.parts[0].amount.minor_units) == (
        0,
        2_000,
        2_000,
    )
    assert await till.rows("SELECT 1 FROM ledger_entries") == []
    assert await till.bank.charges(paid.payment_id) == []
    await till.check_books()


async def test_credit_that_is_not_enough_is_not_spent(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.credit["cus_1"] = 1_999
    with pytest.raises(ServiceError) as refused:
        await create(till, {"inv_1": 2_000}, token="", credit_only=CREDIT_ONLY)
    assert refused.value.reason == "PREVIEW_CHANGED"
    assert till.invoices.credit["cus_1"] == 1_999
    await till.check_books()


async def test_a_payment_with_credit_alone_that_was_interrupted_goes_on(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.credit["cus_1"] = 2_000
    key = till.as_customer(key="k1")
    till.invoices.away = True
    with pytest.raises(ServiceError):
        await create(till, {"inv_1": 2_000}, key, token="", credit_only=CREDIT_ONLY)
    till.invoices.away = False
    draft = draft_payment(
        till.desk,
        Wish(parts=till.parts({"inv_1": 2_000}), method=Method.CREDIT),
        as_payer(till),
        now=till.db.clock.now(),
    )
    with call_scope(draft.call):
        async with till.db.write(till.organization_id) as tx:
            await cases.begin(tx, *await make_payment(tx, till.desk, draft, None))
    await till.reconcile()
    assert (await till.get(draft.payment_id)).status == SUCCEEDED
    await till.check_books()


def as_payer(till: Till) -> Call:
    """The customer's own call."""
    caller = Caller(
        audience=Audience.CUSTOMER,
        peer="gateway",
        organization_id=till.organization_id,
        subject_id="per_1",
        subject_name="Ada",
        customer_id="cus_1",
    )
    return Call(caller=caller, method="test", request_id="test")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"credit": usd(2_001)}, "credit"),
        ({"credit": usd(2_000)}, "credit_only"),
        ({"prepayment": usd(-1)}, "prepayment"),
        ({"scheduled_for": "2099-01-01"}, "scheduled_for"),
    ],
)
async def test_what_does_not_add_up_is_refused_by_its_field(
    till: Till, more: dict[str, Any], field: str
) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.credit["cus_1"] = 9_000
    with pytest.raises(ServiceError) as refused:
        await create(till, {"inv_1": 2_000}, **more)
    assert [one.field for one in refused.value.fields] == [field]
    assert await till.page() == []


async def test_money_can_be_paid_in_advance_for_no_invoice(till: Till) -> None:
    paid = await create(till, {}, prepayment=usd(7_500))
    assert (paid.status, paid.amount.minor_units, paid.prepayment.minor_units) == (SUCCEEDED, 7_500, 7_500)
    assert list(paid.parts) == []
    hosted = payments_pb2.HostedPage(return_url=RETURN_URL)
    waiting = await create(till, {}, token="", hosted_page=hosted, prepayment=usd(100))
    assert waiting.status == REQUIRES_ACTION
    with pytest.raises(ServiceError) as nothing:
        await create(till, {})
    assert nothing.value.fields[0].field == "parts"
    await till.check_books()


async def test_a_wallet_pays_at_once(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    wallet = payments_pb2.WalletToken(token="tok_apple_pay", wallet="apple_pay")
    paid = await create(till, {"inv_1": 2_000}, token="", wallet_token=wallet)
    assert (paid.status, paid.method) == (SUCCEEDED, payments_pb2.PAYMENT_METHOD_TYPE_WALLET)
    await till.check_charged_once(paid.payment_id)


async def test_a_card_kept_on_the_page_pays_the_next_invoice_by_itself(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.add("inv_2", 3_000)
    hosted = payments_pb2.HostedPage(return_url=RETURN_URL, save=True)
    first = await create(till, {"inv_1": 2_000}, token="", hosted_page=hosted)
    await till.bank.type_card(first.redirect_url)
    first = await till.refresh(first.payment_id)
    assert first.status == SUCCEEDED
    assert first.saved_payment_method_id
    saved = payments_pb2.SavedMethod(payment_method_id=first.saved_payment_method_id)
    second = await create(till, {"inv_2": 3_000}, token="", saved_method=saved)
    assert (second.status, second.method_summary) == (SUCCEEDED, "Visa 4242")
    assert second.payment_method_id == first.saved_payment_method_id
    with pytest.raises(ServiceError) as foreign:
        await create(till, {"inv_2": 1}, till.as_customer("cus_2", key="k9"), token="", saved_method=saved)
    assert foreign.value.reason == "PAYMENT_METHOD_NOT_FOUND"
    await till.check_books()


async def test_staff_pay_for_a_caller_with_both_names_in_the_log(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    for missing, more in (
        ("customer_id", {"on_behalf_of": "Ann Lee"}),
        ("on_behalf_of", {"customer_id": "cus_1", "on_behalf_of": "  "}),
    ):
        with pytest.raises(ServiceError) as refused:
            await create(till, {"inv_1": 2_000}, till.as_staff(key=uuid.uuid4().hex), **more)
        assert refused.value.fields[0].field == missing
    paid = await create(
        till, {"inv_1": 2_000}, till.as_staff(key="k1"), customer_id="cus_1", on_behalf_of="Ann Lee"
    )
    assert (paid.status, paid.customer_id, paid.on_behalf_of) == (SUCCEEDED, "cus_1", "Ann Lee")
    rows = await till.rows("SELECT actor, record FROM audit_log WHERE action = 'payment.started'")
    assert [row.actor for row in rows] == ["person:per_1"]
    assert f"{paid.initiated_by} on behalf of Ann Lee".encode() in bytes(rows[0].record)
    await till.check_books()


async def test_only_staff_pay_on_behalf_of_somebody(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    with pytest.raises(ServiceError) as refused:
        await create(till, {"inv_1": 2_000}, on_behalf_of="The Boss")
    assert [(one.field, one.code) for one in refused.value.fields] == [("on_behalf_of", "staff_only")]
    assert not await till.rows("SELECT 1 FROM payments")


async def test_a_pay_link_opens_neither_credit_nor_saved_methods(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.credit["cus_1"] = 9_000
    method_id = await saved_card(till)
    for more, refused_field in (
        ({"token": "", "credit_only": CREDIT_ONLY}, "credit"),
        ({"credit": usd(1)}, "credit"),
        (
            {"token": "", "hosted_page": payments_pb2.HostedPage(return_url=RETURN_URL, save=True)},
            "hosted_page.save",
        ),
        ({"token": "", "saved_method": payments_pb2.SavedMethod(payment_method_id=method_id)}, ""),
    ):
        link = till.by(Audience.PAY_LINK, key=uuid.uuid4().hex, invoice_id="inv_1", customer_id="cus_1")
        with pytest.raises(ServiceError) as refused:
            await create(till, {"inv_1": 1_000}, link, **more)
        if refused_field:
            assert refused.value.fields[0].field == refused_field
        else:
            assert refused.value.kind is Kind.NOT_FOUND


async def test_methods_that_the_policy_leaves_out_are_refused(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.credit["cus_1"] = 9_000
    await set_policy(till, rule())
    for more in (
        {"token": "", "credit_only": CREDIT_ONLY},
        {"credit": usd(1)},
        {"token": "", "wallet_token": payments_pb2.WalletToken(token="tok_apple_pay", wallet="apple_pay")},
        {"token": "", "hosted_page": payments_pb2.HostedPage(return_url=RETURN_URL, method=BANK_DEBIT)},
    ):
        with pytest.raises(ServiceError) as refused:
            await create(till, {"inv_1": 2_000}, **more)
        assert refused.value.reason == "PAYMENT_METHOD_NOT_ALLOWED"
    shown = await preview(till)
    assert shown.credit_used.minor_units == 0
    assert (await create(till, {"inv_1": 2_000})).status == SUCCEEDED


async def test_twenty_confirms_of_one_preview_pay_once(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.credit["cus_1"] = 500
    shown = await preview(till)
    answers = await asyncio.gather(
        *(
            create(till, {"inv_1": 2_000}, credit=shown.credit_used, expected_amount=shown.amount)
            for _ in range(20)
        ),
        return_exceptions=True,
    )
    paid = [one for one in answers if isinstance(one, payments_pb2.Payment)]
    assert len(paid) == 1
    assert all(isinstance(one, (payments_pb2.Payment, ServiceError)) for one in answers)
    await till.check_books()
