"""Cards and bank accounts are saved once, offered in the right order, and forgotten when asked."""

import json
import uuid

import pytest

from chassis.errors import ServiceError
from tallyport.payments.v1 import events_pb2
from tallyport.payments.v1 import payment_methods_pb2 as pb
from tests.service.payments.saved.house import VISA, House
from tests.service.payments.till import signed
from tests.support.wait import until


async def test_a_saved_card_offers_to_clear_exactly_what_is_due(house: House) -> None:
    house.till.invoices.add("inv_1", 5_000)
    house.till.invoices.add("inv_2", 2_500)
    house.till.invoices.add("inv_3", 9_900)
    house.till.invoices.by_id["inv_3"].due_date = "2099-01-01"
    house.till.invoices.credit["cus_1"] = 500
    setup = await house.save_card()
    assert setup.status == pb.PAYMENT_METHOD_SETUP_STATUS_SUCCEEDED
    assert setup.payment_method.is_default
    assert setup.payment_method.last_digits == "4242"
    assert setup.payment_method.state == pb.PAYMENT_METHOD_STATE_ACTIVE
    assert setup.due_now.minor_units == 5_000 + 2_500 - 500
    again = await house.complete(setup.setup_id)
    assert again.payment_method.payment_method_id == setup.payment_method.payment_method_id


async def test_the_same_card_is_kept_once_and_each_customer_sees_only_their_own(house: House) -> None:
    first = await house.save_card()
    second = await house.save_card()
    assert first.payment_method.payment_method_id == second.payment_method.payment_method_id
    await house.save_card(customer_id="cus_2")
    assert len((await house.shown()).payment_methods) == 1
    with pytest.raises(ServiceError, match="NOT_FOUND"):
        await house.complete(first.setup_id, customer_id="cus_2")
    request = pb.SetDefaultPaymentMethodRequest(payment_method_id=first.payment_method.payment_method_id)
    with pytest.raises(ServiceError, match="PAYMENT_METHOD_NOT_FOUND"):
        await house.methods.SetDefaultPaymentMethod(request, metadata=house.by(customer_id="cus_2"))


async def test_a_repeated_start_opens_one_page_and_waits_until_it_is_filled_in(house: House) -> None:
    key = uuid.uuid4().hex
    first, second = await house.start(key=key), await house.start(key=key)
    assert first == second
    assert first.redirect_url
    waiting = await house.complete(first.setup_id)
    assert waiting.status == pb.PAYMENT_METHOD_SETUP_STATUS_REQUIRES_ACTION


async def test_who_saves_cards_all_day_is_stopped(house: House) -> None:
    for _ in range(10):
        await house.start()
    with pytest.raises(ServiceError, match="TOO_MANY_TRIES") as refused:
        await house.start()
    assert refused.value.retry_after_seconds
    await house.start(customer_id="cus_2")


async def test_the_default_comes_first_and_the_one_used_last_is_suggested(house: House) -> None:
    visa = (await house.save_card()).payment_method.payment_method_id
    master = (await house.save_card("5555555555554444")).payment_method.payment_method_id
    shown = await house.shown()
    assert [one.payment_method_id for one in shown.payment_methods] == [visa, master]
    assert shown.suggested_payment_method_id == visa
    house.till.invoices.add("inv_1", 5_000)
    paid = await house.pay({"inv_1": 5_000}, method=master)
    assert paid.receipt_number
    assert (await house.shown()).suggested_payment_method_id == master
    request = pb.SetDefaultPaymentMethodRequest(payment_method_id=master)
    await house.methods.SetDefaultPaymentMethod(request, metadata=house.by())
    assert [one.is_default for one in (await house.shown()).payment_methods] == [True, False]


async def test_a_removed_method_is_gone_here_and_at_the_provider(house: House) -> None:
    card = (await house.save_card()).payment_method.payment_method_id
    token = (await house.till.rows("SELECT method_token FROM payment_methods"))[0].method_token
    await remove(house, card)
    assert not (await house.shown()).payment_methods
    provider = house.till.desk.provider
    assert await provider.lookup_method(token, timeout_seconds=2) is None
    house.till.invoices.add("inv_1", 5_000)
    with pytest.raises(ServiceError, match="PAYMENT_METHOD_NOT_FOUND"):
        await house.pay({"inv_1": 5_000}, method=card)


async def test_what_autopay_uses_is_removed_only_with_another_one_in_its_place(house: House) -> None:
    visa = (await house.save_card()).payment_method.payment_method_id
    master = (await house.save_card("5555555555554444")).payment_method.payment_method_id
    await house.set_autopay(visa)
    with pytest.raises(ServiceError, match="PAYMENT_METHOD_IN_USE"):
        await remove(house, visa)
    await remove(house, visa, replacement=master)
    (left,) = (await house.shown()).payment_methods
    assert left.payment_method_id == master
    assert left.used_by_autopay
    assert left.is_default
    versions = await house.till.rows(
        "SELECT version, payment_method_id FROM autopay_settings ORDER BY version"
    )
    assert [(row.version, row.payment_method_id) for row in versions] == [(1, visa), (2, master)]


async def test_a_bank_account_comes_with_its_mandate_and_cools_off(house: House) -> None:
    saved = (await house.save_account()).payment_method
    assert saved.state == pb.PAYMENT_METHOD_STATE_COOLING_OFF
    assert saved.mandate.reference
    assert saved.mandate.accepted_by == "per_1"
    house.till.clock.advance(hours=25)
    (after,) = (await house.shown()).payment_methods
    assert after.state == pb.PAYMENT_METHOD_STATE_ACTIVE


async def test_a_saved_card_is_there_though_the_payer_never_came_back(house: House) -> None:
    """The provider's webhook settles the setup; a second one, and one about nobody's setup, change nothing."""
    setup = await house.start()
    form = {"number": VISA, "expiry": "04/39", "cvc": "123", "name": "Ann Lee"}
    assert (await house.till.bank.http.post(setup.redirect_url, data=form)).status_code < 400

    async def is_there() -> bool:
        return len((await house.shown()).payment_methods) == 1

    await until(is_there)
    till = house.till
    body = next(body for _, body in till.gate.seen if json.loads(body)["type"] == "setup.succeeded")
    for event_id, setup_id in (("evt_again", setup.setup_id), ("evt_other", "pms_of_nobody")):
        document = json.loads(body)
        document["data"]["metadata"]["setup_id"] = setup_id
        assert not (await till.hook(*signed(document, event_id=event_id))).duplicate
        assert (await till.hook(*signed(document, event_id=event_id))).duplicate
    assert len((await house.shown()).payment_methods) == 1

    async def both_are_kept() -> bool:
        kept = await till.rows(
            "SELECT type, processed_at FROM provider_events WHERE type = 'setup.succeeded'"
        )
        assert len(kept) <= 2
        return len(kept) == 2 and all(row.processed_at for row in kept)

    await until(both_are_kept)  # the provider's own may still be on its way


async def test_the_payer_hears_once_of_a_card_that_expires_unless_the_bank_renewed_it(house: House) -> None:
    day = house.today()
    soon = f"{day.month:02d}/{day.year % 100:02d}"
    await house.save_card(expiry=soon)
    for _ in range(3):
        await house.tick()
    (told,) = await house.told(events_pb2.PaymentMethodExpiring)
    assert (told.expiry_month, told.expiry_year) == (day.month, day.year)
    assert told.summary.endswith("4242")
    (shown,) = (await house.shown()).payment_methods
    assert shown.expires_soon


async def remove(house: House, payment_method_id: str, *, replacement: str = "") -> None:
    request = pb.RemovePaymentMethodRequest(
        payment_method_id=payment_method_id, replacement_payment_method_id=replacement
    )
    await house.methods.RemovePaymentMethod(request, metadata=house.by())
