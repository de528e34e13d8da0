"""Bad luck: what cannot be known is said to be unknown, and a lookup or the same key brings the truth."""

import pytest

from services.payments.domain.outcome import Status
from services.payments.providers import ProviderSilentError, RefundState, SetupState
from tests.conformance.providers.world import Card, Fault, Shop, World, attempt_of

pytestmark = pytest.mark.needs("faults")
SHORT_SECONDS = 0.6
AFTER = [Fault.HANG_AFTER, Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.CUT_BODY]
BEFORE = [Fault.HANG_BEFORE, Fault.ERROR_BEFORE, Fault.RESET_BEFORE]


@pytest.mark.parametrize("fault", AFTER)
async def test_a_charge_whose_answer_is_lost_is_unknown_then_found(
    world: World, shop: Shop, fault: Fault
) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    await world.fault(fault, order.attempt_id)
    outcome = await world.provider.charge(order, timeout_seconds=SHORT_SECONDS)
    assert outcome.status is Status.UNKNOWN
    assert (await shop.lookup(order)).status is Status.SUCCEEDED
    assert (await shop.charge(order)).status is Status.SUCCEEDED
    assert list(await world.captured(order.attempt_id)) == [order.amount]


@pytest.mark.parametrize("fault", BEFORE)
async def test_a_charge_that_never_began_is_unknown_then_absent(
    world: World, shop: Shop, fault: Fault
) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    await world.fault(fault, order.attempt_id)
    outcome = await world.provider.charge(order, timeout_seconds=SHORT_SECONDS)
    assert outcome.status is Status.UNKNOWN
    assert await world.provider.lookup(attempt_of(order), timeout_seconds=5) is None
    assert (await shop.charge(order)).status is Status.SUCCEEDED
    assert list(await world.captured(order.attempt_id)) == [order.amount]


@pytest.mark.needs("pages")
@pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.CUT_BODY])
async def test_a_page_whose_address_is_lost_is_found(world: World, shop: Shop, fault: Fault) -> None:
    order = shop.order()
    await world.fault(fault, order.attempt_id)
    outcome = await world.provider.create_checkout(order, timeout_seconds=SHORT_SECONDS)
    assert outcome.status is Status.UNKNOWN
    again = await shop.open_page(order)
    assert (await shop.lookup(order, hosted=True)).redirect_url == again.redirect_url


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.HANG_AFTER, Fault.CUT_BODY, Fault.HANG_BEFORE])
async def test_a_refund_whose_answer_is_lost_is_given_once(world: World, shop: Shop, fault: Fault) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    paid = await shop.charge(order)
    refund = shop.refund_order(order, 4_000, reference=paid.provider_reference)
    await world.fault(fault, refund.refund_id)
    outcome = await world.provider.refund(refund, timeout_seconds=SHORT_SECONDS)
    assert outcome.state is RefundState.UNKNOWN
    found = await world.provider.lookup_refund(refund, timeout_seconds=5)
    assert (found is None) is (fault is Fault.HANG_BEFORE)
    again = await world.provider.refund(refund, timeout_seconds=5)
    assert (again.state, again.amount) == (RefundState.SUCCEEDED, refund.amount)
    rest = shop.refund_order(order, order.amount.minor_units - 4_000, reference=paid.provider_reference)
    assert (await world.provider.refund(rest, timeout_seconds=5)).state is RefundState.SUCCEEDED


@pytest.mark.needs("setup_pages")
async def test_a_setup_whose_answer_is_lost_is_found(world: World, shop: Shop) -> None:
    order = shop.setup_order()
    await world.fault(Fault.CUT_BODY, order.setup_id)
    outcome = await world.provider.start_setup(order, timeout_seconds=SHORT_SECONDS)
    assert outcome.state is SetupState.UNKNOWN
    found = await world.provider.lookup_setup(order.setup_id, timeout_seconds=5)
    assert found is not None
    assert found.state is SetupState.REQUIRES_ACTION


async def test_a_silent_provider_is_not_an_answer(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    await shop.charge(order)
    with pytest.raises(ProviderSilentError):
        await world.provider.lookup(attempt_of(order), timeout_seconds=0.0001)


@pytest.mark.parametrize("fault", [Fault.WRONG_AMOUNT, Fault.WRONG_CURRENCY])
async def test_another_sum_than_asked_for_is_reported_as_it_is(
    world: World, shop: Shop, fault: Fault
) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    await world.fault(fault, order.attempt_id)
    outcome = await shop.charge(order)
    assert outcome.amount is not None
    assert outcome.amount != order.amount
    assert outcome.checked(order.amount).status is Status.REVIEW
