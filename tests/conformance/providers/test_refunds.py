"""Refunds: in full, in part, never more than was paid."""

import asyncio

import pytest

from chassis.money import Money
from services.payments.providers import RefundOrder, RefundOutcome, RefundState
from tests.conformance.providers.world import TIMEOUT_SECONDS, Act, Card, Shop, World


async def give(world: World, order: RefundOrder) -> RefundOutcome:
    return await world.provider.refund(order, timeout_seconds=TIMEOUT_SECONDS)


async def test_a_payment_is_given_back_in_parts_and_never_more(world: World, shop: Shop) -> None:
    order = shop.order(10_000, card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    for units in (2_500, 7_000):
        refund = shop.refund_order(order, units, reference=reference)
        outcome = await give(world, refund)
        assert (outcome.state, outcome.amount) == (RefundState.SUCCEEDED, Money(units, "USD"))
        found = await world.provider.lookup_refund(refund, timeout_seconds=TIMEOUT_SECONDS)
        assert found is not None
        assert (found.state, found.provider_reference) == (RefundState.SUCCEEDED, outcome.provider_reference)
    too_much = await give(world, shop.refund_order(order, 501, reference=reference))
    assert (too_much.state, too_much.failure_code) == (RefundState.FAILED, "refund_too_large")
    assert (
        await give(world, shop.refund_order(order, 500, reference=reference))
    ).state is RefundState.SUCCEEDED


async def test_the_same_refund_is_given_once(world: World, shop: Shop) -> None:
    order = shop.order(10_000, card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    refund = shop.refund_order(order, 6_000, reference=reference)
    outcomes = await asyncio.gather(*(give(world, refund) for _ in range(8)))
    assert {outcome.state for outcome in outcomes} <= {RefundState.SUCCEEDED, RefundState.UNKNOWN}
    rest = await give(world, shop.refund_order(order, 4_000, reference=reference))
    assert rest.state is RefundState.SUCCEEDED


async def test_refunds_at_once_never_give_more_than_was_paid(world: World, shop: Shop) -> None:
    order = shop.order(10_000, card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    refunds = [shop.refund_order(order, 3_000, reference=reference) for _ in range(8)]
    outcomes = await asyncio.gather(*(give(world, refund) for refund in refunds))
    assert sum(outcome.state is RefundState.SUCCEEDED for outcome in outcomes) == 3


async def test_a_refund_in_another_currency_is_refused(world: World, shop: Shop) -> None:
    order = shop.order(10_000, card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    outcome = await give(world, shop.refund_order(order, 100, currency="EUR", reference=reference))
    assert (outcome.state, outcome.failure_code) == (RefundState.FAILED, "currency_mismatch")


async def test_what_was_not_paid_is_not_given_back(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.DECLINED))
    reference = (await shop.charge(order)).provider_reference
    outcome = await give(world, shop.refund_order(order, 100, reference=reference))
    assert (outcome.state, outcome.failure_code) == (RefundState.FAILED, "charge_not_refundable")


async def test_a_lookup_of_a_refund_that_never_was_says_so(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    refund = shop.refund_order(order, 100, reference=reference)
    assert await world.provider.lookup_refund(refund, timeout_seconds=TIMEOUT_SECONDS) is None


async def test_a_page_that_was_paid_on_is_given_back(world: World, shop: Shop) -> None:
    order = shop.order()
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.PAYS)
    refund = shop.refund_order(
        order, order.amount.minor_units, hosted=True, reference=page.provider_reference
    )
    assert (await give(world, refund)).state is RefundState.SUCCEEDED


@pytest.mark.needs("faults")
async def test_a_refund_may_take_its_time(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.REFUND_WAITS))
    reference = (await shop.charge(order)).provider_reference
    refund = shop.refund_order(order, 100, reference=reference)
    assert (await give(world, refund)).state is RefundState.PROCESSING
    await world.advance(days=3)
    found = await world.provider.lookup_refund(refund, timeout_seconds=TIMEOUT_SECONDS)
    assert found is not None
    assert found.state is RefundState.SUCCEEDED


@pytest.mark.needs("faults")
async def test_a_refund_may_fail_after_it_succeeded(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.REFUND_FAILS))
    reference = (await shop.charge(order)).provider_reference
    refund = shop.refund_order(order, order.amount.minor_units, reference=reference)
    assert (await give(world, refund)).state in (RefundState.SUCCEEDED, RefundState.PROCESSING)
    await world.advance(days=3)
    found = await world.provider.lookup_refund(refund, timeout_seconds=TIMEOUT_SECONDS)
    assert found is not None
    assert found.state is RefundState.FAILED
    assert found.failure_code
