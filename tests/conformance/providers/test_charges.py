"""Charging a token: success, decline, the bank's question, and doing it once."""

import asyncio

import pytest

from chassis.money import Money
from services.payments.domain.outcome import Status
from tests.conformance.providers.world import TIMEOUT_SECONDS, Card, Shop, World, attempt_of


async def test_a_good_card_is_charged_what_was_asked(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    outcome = await shop.charge(order)
    assert outcome.status is Status.SUCCEEDED
    assert outcome.amount == order.amount
    assert outcome.provider_reference
    assert outcome.method_summary == "Visa 4242"
    assert list(await world.captured(order.attempt_id)) == [order.amount]


async def test_a_declined_card_is_not_charged(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.DECLINED))
    outcome = await shop.charge(order)
    assert (outcome.status, outcome.failure_code) == (Status.FAILED, "card_declined")
    assert list(await world.captured(order.attempt_id)) == []


@pytest.mark.needs("faults")
async def test_a_decline_says_why(world: World, shop: Shop) -> None:
    outcome = await shop.charge(shop.order(card_token=world.card(Card.NO_FUNDS)))
    assert (outcome.status, outcome.failure_code) == (Status.FAILED, "insufficient_funds")


async def test_the_same_attempt_is_charged_once(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    outcomes = await asyncio.gather(*(shop.charge(order) for _ in range(8)))
    assert {outcome.status for outcome in outcomes} <= {Status.SUCCEEDED, Status.UNKNOWN}
    assert (await shop.charge(order)).status is Status.SUCCEEDED
    assert list(await world.captured(order.attempt_id)) == [order.amount]


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY"])
async def test_amounts_keep_their_currency(world: World, shop: Shop, currency: str) -> None:
    order = shop.order(1_999, currency, card_token=world.card(Card.GOOD))
    outcome = await shop.charge(order)
    assert outcome.amount == Money(1_999, currency)
    assert (await shop.lookup(order, reference=outcome.provider_reference)).amount == Money(1_999, currency)


async def test_a_lookup_finds_an_attempt_by_its_own_id_and_by_the_providers(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    outcome = await shop.charge(order)
    assert (await shop.lookup(order)).status is Status.SUCCEEDED
    found = await shop.lookup(order, reference=outcome.provider_reference)
    assert (found.status, found.provider_reference) == (Status.SUCCEEDED, outcome.provider_reference)


@pytest.mark.parametrize("hosted", [False, True])
async def test_a_lookup_of_what_the_provider_never_saw_says_so(
    world: World, shop: Shop, hosted: bool
) -> None:
    attempt = attempt_of(shop.order(), hosted=hosted)
    assert await world.provider.lookup(attempt, timeout_seconds=TIMEOUT_SECONDS) is None


@pytest.mark.needs("challenges")
@pytest.mark.parametrize(("approve", "status"), [(True, Status.SUCCEEDED), (False, Status.FAILED)])
async def test_a_bank_that_asks_decides(world: World, shop: Shop, approve: bool, status: Status) -> None:
    order = shop.order(card_token=world.card(Card.ASKS))
    outcome = await shop.charge(order)
    assert outcome.status is Status.REQUIRES_ACTION
    assert outcome.redirect_url
    assert list(await world.captured(order.attempt_id)) == []
    await world.answer_challenge(outcome.redirect_url, approve=approve)
    found = await shop.lookup(order, reference=outcome.provider_reference)
    assert found.status is status
    assert found.failure_code == ("" if approve else "authentication_failed")
    assert len(await world.captured(order.attempt_id)) == (1 if approve else 0)


@pytest.mark.needs("challenges")
async def test_a_bank_that_asks_is_a_decline_when_nobody_is_there(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.ASKS), off_session=True)
    outcome = await shop.charge(order)
    assert (outcome.status, outcome.failure_code) == (Status.FAILED, "authentication_required")


@pytest.mark.needs("challenges")
async def test_a_charge_that_waits_for_the_bank_can_be_cancelled(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.ASKS))
    outcome = await shop.charge(order)
    attempt = attempt_of(order, reference=outcome.provider_reference)
    canceled = await world.provider.cancel(attempt, timeout_seconds=TIMEOUT_SECONDS)
    assert canceled.status is Status.CANCELED
    assert (await shop.lookup(order, reference=outcome.provider_reference)).status is Status.CANCELED


@pytest.mark.needs("wallets")
@pytest.mark.parametrize(("wallet", "named"), [("apple_pay", "Apple Pay"), ("google_pay", "Google Pay")])
async def test_a_wallets_token_is_charged(world: World, shop: Shop, wallet: str, named: str) -> None:
    order = shop.order(kind="wallet", wallet=wallet, card_token=world.wallet_token(wallet))
    outcome = await shop.charge(order)
    assert outcome.status is Status.SUCCEEDED
    assert outcome.method_summary.startswith(named)
