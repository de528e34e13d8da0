"""Payouts: every line is somebody's, and the lines add up to what reached the bank."""

from datetime import date

import pytest

from services.payments.domain.outcome import Status
from services.payments.providers import PayoutLineView, PayoutView
from tests.conformance.providers.world import TIMEOUT_SECONDS, Card, Shop, World

pytestmark = pytest.mark.needs("payouts")


async def payouts(world: World, shop: Shop) -> list[PayoutView]:
    found = await world.provider.payouts(date(2020, 1, 1), timeout_seconds=TIMEOUT_SECONDS)
    mine = shop.organization_id
    return [payout for payout in found if mine in {line.organization_id for line in payout.lines}]


def lines(found: list[PayoutView], shop: Shop) -> list[PayoutLineView]:
    """The shop's own: some providers pay out for all organizations together."""
    every = (line for payout in found for line in payout.lines)
    return [line for line in every if line.organization_id == shop.organization_id]


async def test_the_lines_of_a_payout_add_up_to_its_net(world: World, shop: Shop) -> None:
    orders = [shop.order(units, card_token=world.card(Card.GOOD)) for units in (10_000, 33_333, 57)]
    orders.append(shop.order(5_000, "EUR", card_token=world.card(Card.GOOD)))
    references = [(await shop.charge(order)).provider_reference for order in orders]
    refund = shop.refund_order(orders[0], 4_000, reference=references[0])
    await world.provider.refund(refund, timeout_seconds=TIMEOUT_SECONDS)
    await world.pay_out(shop.organization_id)
    found = await payouts(world, shop)
    assert {payout.net.currency for payout in found} == {"USD", "EUR"}
    for payout in found:
        amounts = sum(line.amount.minor_units - line.fee.minor_units for line in payout.lines)
        assert payout.net.minor_units == amounts
        assert {line.amount.currency for line in payout.lines} == {payout.net.currency}
    charges = {line.attempt_id: line.amount for line in lines(found, shop) if line.kind == "charge"}
    assert charges == {order.attempt_id: order.amount for order in orders}
    (given_back,) = [line for line in lines(found, shop) if line.kind == "refund"]
    assert (given_back.attempt_id, given_back.amount.minor_units) == (orders[0].attempt_id, -4_000)


async def test_a_line_is_paid_out_once(world: World, shop: Shop) -> None:
    for _ in range(2):
        await shop.charge(shop.order(card_token=world.card(Card.GOOD)))
        await world.pay_out(shop.organization_id)
    await world.pay_out(shop.organization_id)
    references = [line.provider_reference for line in lines(await payouts(world, shop), shop)]
    assert len(references) == len(set(references)) == 2


async def test_a_payout_comes_by_itself_the_next_day(world: World, shop: Shop) -> None:
    await shop.charge(shop.order(card_token=world.card(Card.GOOD)))
    await world.advance(days=2)
    (payout,) = await payouts(world, shop)
    since = await world.provider.payouts(payout.arrives_on, timeout_seconds=TIMEOUT_SECONDS)
    assert payout.provider_reference in {other.provider_reference for other in since}


@pytest.mark.needs("disputes")
async def test_a_chargeback_and_its_fee_are_in_the_payout(world: World, shop: Shop) -> None:
    order = shop.order(50_000, card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    kept = shop.order(90_000, card_token=world.card(Card.GOOD))
    await shop.charge(kept)
    await world.open_dispute(order.attempt_id)
    found = await shop.lookup(order, reference=reference)
    assert found.status is Status.SUCCEEDED
    await world.pay_out(shop.organization_id)
    (line,) = [line for line in lines(await payouts(world, shop), shop) if line.kind == "chargeback"]
    assert line.attempt_id == order.attempt_id
    assert line.amount.minor_units == -order.amount.minor_units
    assert line.fee == found.disputes[0].fee
