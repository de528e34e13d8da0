"""Hosted pages: what the payer does there is what a lookup tells."""

import pytest

from chassis.money import Money
from services.payments.domain.outcome import Status
from tests.conformance.providers.world import TIMEOUT_SECONDS, Act, Shop, World, attempt_of


async def test_a_page_that_was_paid_on_is_a_success(world: World, shop: Shop) -> None:
    order = shop.order()
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.PAYS)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    assert (found.status, found.amount) == (Status.SUCCEEDED, order.amount)
    assert (await shop.lookup(order, hosted=True)).status is Status.SUCCEEDED


@pytest.mark.needs("pages")
async def test_the_same_attempt_opens_one_page(world: World, shop: Shop) -> None:
    order = shop.order()
    first, second = await shop.open_page(order), await shop.open_page(order)
    assert first.provider_reference == second.provider_reference
    assert first.redirect_url == second.redirect_url


@pytest.mark.needs("pages")
@pytest.mark.parametrize(
    ("act", "status"),
    [
        (Act.CONFIRMS, Status.SUCCEEDED),
        (Act.REFUSES, Status.REQUIRES_ACTION),
        (Act.IS_DECLINED, Status.REQUIRES_ACTION),
    ],
)
async def test_a_bad_card_leaves_the_page_open(world: World, shop: Shop, act: Act, status: Status) -> None:
    order = shop.order()
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, act)
    assert (await shop.lookup(order, reference=page.provider_reference, hosted=True)).status is status


@pytest.mark.needs("pages")
async def test_a_page_that_was_closed_takes_no_money(world: World, shop: Shop) -> None:
    order = shop.order()
    page = await shop.open_page(order)
    attempt = attempt_of(order, reference=page.provider_reference, hosted=True)
    canceled = await world.provider.cancel(attempt, timeout_seconds=TIMEOUT_SECONDS)
    assert canceled.status is Status.CANCELED
    await world.pay_on_page(page.redirect_url, Act.LEAVES)
    assert list(await world.captured(order.attempt_id)) == []
    again = await world.provider.cancel(attempt, timeout_seconds=TIMEOUT_SECONDS)
    assert again.status is Status.CANCELED


@pytest.mark.needs("pages")
async def test_closing_a_page_that_was_paid_on_tells_of_the_payment(world: World, shop: Shop) -> None:
    order = shop.order()
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.PAYS)
    attempt = attempt_of(order, reference=page.provider_reference, hosted=True)
    outcome = await world.provider.cancel(attempt, timeout_seconds=TIMEOUT_SECONDS)
    assert outcome.status is Status.SUCCEEDED


@pytest.mark.needs("pages")
async def test_a_page_nobody_pays_on_expires(world: World, shop: Shop) -> None:
    order = shop.order()
    page = await shop.open_page(order)
    await world.advance(days=2)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    assert found.status in (Status.CANCELED, Status.FAILED)


@pytest.mark.needs("redirects")
@pytest.mark.parametrize(
    ("act", "status"),
    [
        (Act.PAYS, Status.SUCCEEDED),
        (Act.NEVER_RETURNS, Status.SUCCEEDED),
    ],
)
async def test_a_redirect_needs_no_return(world: World, shop: Shop, act: Act, status: Status) -> None:
    order = shop.order(kind="redirect")
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, act)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    assert found.status is status


@pytest.mark.needs("redirects", "left_pages")
async def test_leaving_a_redirect_cancels_it(world: World, shop: Shop) -> None:
    order = shop.order(kind="redirect")
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.LEAVES)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    assert found.status is Status.CANCELED


@pytest.mark.needs("wallets", "pages")
async def test_a_wallet_pays_on_its_page(world: World, shop: Shop) -> None:
    order = shop.order(kind="wallet")
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.PAYS)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    assert found.status is Status.SUCCEEDED


@pytest.mark.needs("stablecoins")
@pytest.mark.parametrize(
    ("act", "came"), [(Act.PAYS, 12_500), (Act.SENDS_LESS, 6_250), (Act.SENDS_MORE, 25_000)]
)
async def test_coins_count_as_they_came(world: World, shop: Shop, act: Act, came: int) -> None:
    order = shop.order(kind="stablecoin")
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, act)
    await world.advance(days=1)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    assert (found.status, found.amount) == (Status.SUCCEEDED, Money(came, "USD"))
    assert (found.checked(order.amount).status is Status.REVIEW) is (act is not Act.PAYS)
