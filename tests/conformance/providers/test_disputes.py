"""Chargebacks: opened, answered, won and lost, and no refund beside them."""

import pytest

from services.payments.domain.outcome import DisputeState, DisputeView, Status
from services.payments.providers import Order, RefundState
from tests.conformance.providers.world import TIMEOUT_SECONDS, Card, Shop, World

pytestmark = pytest.mark.needs("disputes")


async def disputed(world: World, shop: Shop) -> tuple[Order, str, DisputeView]:
    order = shop.order(card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    assert reference is not None
    await world.open_dispute(order.attempt_id)
    return order, reference, await dispute(shop, order, reference)


async def dispute(shop: Shop, order: Order, reference: str) -> DisputeView:
    found = await shop.lookup(order, reference=reference)
    assert found.status is Status.SUCCEEDED, "the charge happened all the same"
    (only,) = found.disputes
    return only


async def test_an_open_dispute_says_what_it_is_about(world: World, shop: Shop) -> None:
    order, _, opened = await disputed(world, shop)
    assert opened.state is DisputeState.OPEN
    assert opened.amount == order.amount
    assert opened.fee.currency == order.amount.currency
    assert opened.reason == "fraudulent"
    assert opened.evidence_due_at is not None
    assert opened.evidence_due_at > opened.opened_at


async def test_disputed_money_is_not_given_back_as_well(world: World, shop: Shop) -> None:
    order, reference, _ = await disputed(world, shop)
    refund = shop.refund_order(order, 100, reference=reference)
    outcome = await world.provider.refund(refund, timeout_seconds=TIMEOUT_SECONDS)
    assert (outcome.state, outcome.failure_code) == (RefundState.FAILED, "charge_disputed")


@pytest.mark.parametrize(("winning", "state"), [(True, DisputeState.WON), (False, DisputeState.LOST)])
async def test_evidence_decides(world: World, shop: Shop, winning: bool, state: DisputeState) -> None:
    order, reference, opened = await disputed(world, shop)
    answered = await world.provider.submit_evidence(
        opened.provider_reference, world.evidence(winning=winning), timeout_seconds=TIMEOUT_SECONDS
    )
    assert answered.provider_reference == opened.provider_reference
    assert answered.state in (DisputeState.UNDER_REVIEW, state)
    await world.decide_dispute(opened.provider_reference)
    assert (await dispute(shop, order, reference)).state is state


async def test_giving_in_loses(world: World, shop: Shop) -> None:
    order, reference, opened = await disputed(world, shop)
    lost = await world.provider.accept_dispute(opened.provider_reference, timeout_seconds=TIMEOUT_SECONDS)
    assert lost.state is DisputeState.LOST
    again = await world.provider.accept_dispute(opened.provider_reference, timeout_seconds=TIMEOUT_SECONDS)
    assert again.state is DisputeState.LOST
    assert (await dispute(shop, order, reference)).state is DisputeState.LOST


async def test_a_card_may_dispute_by_itself(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.DISPUTED))
    reference = (await shop.charge(order)).provider_reference
    assert reference is not None
    await world.advance(days=1)
    assert (await dispute(shop, order, reference)).reason == "fraudulent"
