"""Whoever tries card numbers out reaches the provider a handful of times; whoever has bad luck still pays."""

import asyncio
import ipaddress
from collections import Counter
from typing import Any

import pytest

from chassis.errors import ServiceError
from services.payments.operations.guard_payments import forget_old_tries
from tallyport.payments.v1 import payments_pb2
from tests.service.payments.paying.counter import create
from tests.service.payments.saved.house import House

DECLINED = "tok_declined"
NUMBERS = 1_000


def address(number: int) -> str:
    return str(ipaddress.ip_address("198.18.0.0") + number)


async def tries(house: House) -> int:
    """How many tries reached the provider."""
    rows = await house.till.rows("SELECT count(*) AS n FROM payment_attempts")
    return int(rows[0].n)


async def test_a_thousand_numbers_over_rotating_addresses_reach_the_provider_a_handful_of_times(
    house: House,
) -> None:
    house.till.invoices.add("inv_1", 5_000)
    house.till.invoices.add("inv_2", 7_000, customer_id="cus_2")
    reasons = Counter(
        [
            await reason_of(house, {"inv_1": 100}, link="inv_1", address=address(number))
            for number in range(NUMBERS)
        ]
    )
    assert reasons == {"card_declined": 5, "TOO_MANY_TRIES": NUMBERS - 5}
    assert await tries(house) <= 5
    await three_declines_and_a_success(house, "inv_2", 7_000, customer_id="cus_2", link="inv_2")
    await three_declines_and_a_success(house, "inv_1", 5_000, person="per_1")


async def test_one_address_that_goes_through_many_links_is_stopped(house: House) -> None:
    for number in range(12):
        house.till.invoices.add(f"inv_{number}", 5_000, customer_id=f"cus_{number}")
    reasons = [
        await reason_of(
            house,
            {f"inv_{number}": 100},
            customer_id=f"cus_{number}",
            link=f"inv_{number}",
            address="203.0.113.7",
        )
        for number in range(12)
    ]
    assert reasons == ["card_declined"] * 5 + ["TOO_MANY_TRIES"] * 7
    assert await tries(house) == 5


async def test_in_a_surge_unknown_payers_have_fewer_tries_but_three_declines_are_still_nothing(
    house: House,
) -> None:
    for number in range(30):
        house.till.invoices.add(f"inv_{number}", 5_000, customer_id=f"cus_{number}")
    for number in range(20):
        by: dict[str, Any] = {"customer_id": f"cus_{number}", "link": f"inv_{number}"}
        await house.pay({f"inv_{number}": 100}, token=DECLINED, address=address(number), **by)
    unknown: dict[str, Any] = {"customer_id": "cus_25", "link": "inv_25", "address": address(25)}
    for _ in range(4):
        await house.pay({"inv_25": 100}, token=DECLINED, **unknown)
    with pytest.raises(ServiceError, match="TOO_MANY_TRIES"):
        await house.pay({"inv_25": 5_000}, **unknown)
    await three_declines_and_a_success(
        house, "inv_26", 5_000, customer_id="cus_26", link="inv_26", address=address(26)
    )


async def test_numbers_tried_on_pages_of_one_link_count_one_by_one(house: House) -> None:
    house.till.invoices.add("inv_1", 5_000)
    declined = 0
    for number in range(5):
        by: dict[str, Any] = {"link": "inv_1", "address": address(number)}
        try:
            page = await house.pay({"inv_1": 5_000}, token=None, **by)
        except ServiceError as error:
            assert error.reason == "TOO_MANY_TRIES"  # noqa: PT017
            continue
        for tries_before in range(4):
            await house.till.bank.type_card(page.redirect_url, "4000000000000002", tries_before)
            declined += 1
    assert 4 <= declined <= 10


async def test_three_declines_on_abandoned_pages_are_nothing(house: House) -> None:
    house.till.invoices.add("inv_1", 5_000)
    for _ in range(3):
        page = await house.pay({"inv_1": 5_000}, token=None, link="inv_1")
        await house.till.bank.type_card(page.redirect_url, "4000000000000002")
    last = await house.pay({"inv_1": 5_000}, token=None, link="inv_1")
    await house.till.bank.type_card(last.redirect_url)
    assert (await house.till.refresh(last.payment_id)).status == payments_pb2.PAYMENT_STATUS_SUCCEEDED


async def test_strangers_at_an_address_stop_nobody_who_has_signed_in_there(house: House) -> None:
    shared = "203.0.113.7"
    for number in range(6):
        house.till.invoices.add(f"inv_{number}", 5_000, customer_id=f"cus_{number}")
        await reason_of(
            house, {f"inv_{number}": 100}, customer_id=f"cus_{number}", link=f"inv_{number}", address=shared
        )
    await three_declines_and_a_success(house, "inv_1", 5_000, customer_id="cus_1", address=shared)
    await three_declines_and_a_success(house, "inv_2", 5_000, customer_id="cus_2", address=shared)


async def test_credit_reaches_no_bank_and_is_not_guarded(house: House) -> None:
    house.till.invoices.add("inv_1", 5_000)
    house.till.invoices.credit["cus_1"] = 4_000
    for _ in range(10):
        await reason_of(house, {"inv_1": 100})
    with pytest.raises(ServiceError, match="TOO_MANY_TRIES"):
        await house.pay({"inv_1": 100})
    paid = await create(
        house.till, {"inv_1": 4_000}, house.by(), token="", credit_only=payments_pb2.CreditOnly()
    )
    assert paid.status == payments_pb2.PAYMENT_STATUS_SUCCEEDED


@pytest.mark.parametrize("number", ["4242424242424242", "4242 4242 4242 4242", "378282246310005"])
async def test_a_card_number_is_refused_before_anything_is_kept(house: House, number: str) -> None:
    house.till.invoices.add("inv_1", 5_000)
    with pytest.raises(ServiceError) as refused:
        await house.pay({"inv_1": 5_000}, token=number)
    assert [(one.field, one.code) for one in refused.value.fields] == [("card_token.token", "card_number")]
    assert number not in str(refused.value)
    assert not await house.till.rows("SELECT 1 FROM payments")
    assert not await house.till.rows("SELECT 1 FROM idempotency_keys")


async def test_after_an_hour_everybody_may_try_again(house: House) -> None:
    house.till.invoices.add("inv_1", 5_000)
    for _ in range(5):
        await house.pay({"inv_1": 100}, token=DECLINED, link="inv_1")
    with pytest.raises(ServiceError, match="TOO_MANY_TRIES"):
        await house.pay({"inv_1": 5_000}, link="inv_1")
    house.till.clock.advance(minutes=61)
    assert (await house.pay({"inv_1": 5_000}, link="inv_1")).receipt_number


async def test_outages_are_nobodys_try(house: House) -> None:
    house.till.invoices.add("inv_1", 5_000)
    for _ in range(7):
        await house.till.bank.fault("error_500", house.till.organization_id, times=9)
        house.till.invoices.away = True
        with pytest.raises(ServiceError, match="SERVICE_UNAVAILABLE"):
            await house.pay({"inv_1": 5_000}, link="inv_1")
    house.till.invoices.away = False
    assert not await house.till.rows("SELECT 1 FROM guard_failures")


async def test_what_no_rule_looks_at_any_more_is_forgotten(house: House) -> None:
    house.till.invoices.add("inv_1", 5_000)
    await house.pay({"inv_1": 100}, token=DECLINED, link="inv_1", address="203.0.113.7")
    kept = await house.till.rows("SELECT subject FROM guard_failures ORDER BY subject")
    assert len(kept) == 3
    assert not any("203.0.113.7" in row.subject for row in kept)
    house.till.clock.advance(days=3)
    assert await forget_old_tries(house.till.desk) == 1
    assert not await house.till.rows("SELECT 1 FROM guard_failures")
    assert not await house.till.rows("SELECT 1 FROM guarded_payments")


async def test_a_hundred_numbers_at_once_reach_the_provider_a_handful_of_times_too(house: House) -> None:
    house.till.invoices.add("inv_1", 5_000)
    reasons = Counter(
        await asyncio.gather(
            *(
                reason_of(house, {"inv_1": 100}, link="inv_1", address=address(number))
                for number in range(100)
            )
        )
    )
    assert 1 <= reasons["card_declined"] <= 10
    assert reasons["card_declined"] + reasons["TOO_MANY_TRIES"] + reasons["INVOICE_BEING_PAID"] == 100


async def reason_of(house: House, parts: dict[str, int], **by: Any) -> str:
    """Why a declined card was not charged: the bank's word, or ours when it never got there."""
    try:
        return str((await house.pay(parts, token=DECLINED, **by)).failure_code)
    except ServiceError as error:
        assert error.reason != "TOO_MANY_TRIES" or error.retry_after_seconds  # noqa: PT017
        return error.reason


async def three_declines_and_a_success(house: House, invoice_id: str, units: int, **by: Any) -> None:
    for _ in range(3):
        declined = await house.pay({invoice_id: units}, token=DECLINED, **by)
        assert declined.status == payments_pb2.PAYMENT_STATUS_FAILED
    paid = await house.pay({invoice_id: units}, **by)
    assert paid.status == payments_pb2.PAYMENT_STATUS_SUCCEEDED
