"""Saved methods: saved on a page or while paying, charged later with nobody there, and forgotten."""

import pytest

from services.payments.domain.outcome import MethodView, Outcome, Status
from services.payments.providers import Order, SetupState
from tests.conformance.providers.world import TIMEOUT_SECONDS, Act, Card, Shop, World


async def saved(world: World, shop: Shop, kind: str = "card", act: Act = Act.PAYS) -> MethodView:
    order = shop.setup_order(kind)
    setup = await world.provider.start_setup(order, timeout_seconds=TIMEOUT_SECONDS)
    assert setup.state is SetupState.REQUIRES_ACTION
    await world.pay_on_page(setup.redirect_url, act)
    found = await world.provider.lookup_setup(order.setup_id, timeout_seconds=TIMEOUT_SECONDS)
    assert found is not None
    assert found.state is SetupState.SUCCEEDED
    assert found.method is not None
    return found.method


async def charge_later(shop: Shop, method: MethodView) -> tuple[Order, Outcome]:
    order = shop.order(
        kind=method.kind,
        method_token=method.method_token,
        customer_token=method.customer_token,
        off_session=True,
    )
    return order, await shop.charge(order)


async def test_a_card_saved_on_a_page_is_charged_with_nobody_there(world: World, shop: Shop) -> None:
    method = await saved(world, shop)
    assert (method.kind, method.brand, method.last_digits) == ("card", "Visa", "4242")
    assert method.customer_token
    assert 1 <= method.expiry_month <= 12
    order, outcome = await charge_later(shop, method)
    assert (outcome.status, outcome.amount) == (Status.SUCCEEDED, order.amount)
    assert list(await world.captured(order.attempt_id)) == [order.amount]


async def test_a_setup_the_provider_never_saw_is_none(world: World) -> None:
    assert await world.provider.lookup_setup("set_never", timeout_seconds=TIMEOUT_SECONDS) is None


async def test_a_method_is_found_until_it_is_detached(world: World, shop: Shop) -> None:
    method = await saved(world, shop)
    found = await world.provider.lookup_method(method.method_token, timeout_seconds=TIMEOUT_SECONDS)
    assert found == method
    await world.provider.detach(method.method_token, timeout_seconds=TIMEOUT_SECONDS)
    assert await world.provider.lookup_method(method.method_token, timeout_seconds=TIMEOUT_SECONDS) is None
    await world.provider.detach(method.method_token, timeout_seconds=TIMEOUT_SECONDS)
    _, outcome = await charge_later(shop, method)
    assert (outcome.status, outcome.failure_code) == (Status.FAILED, "payment_method_gone")


@pytest.mark.needs("setup_pages")
async def test_the_same_setup_opens_one_page(world: World, shop: Shop) -> None:
    order = shop.setup_order()
    first = await world.provider.start_setup(order, timeout_seconds=TIMEOUT_SECONDS)
    second = await world.provider.start_setup(order, timeout_seconds=TIMEOUT_SECONDS)
    assert first == second


@pytest.mark.needs("setup_pages")
async def test_leaving_the_page_saves_nothing(world: World, shop: Shop) -> None:
    order = shop.setup_order()
    setup = await world.provider.start_setup(order, timeout_seconds=TIMEOUT_SECONDS)
    await world.pay_on_page(setup.redirect_url, Act.LEAVES)
    found = await world.provider.lookup_setup(order.setup_id, timeout_seconds=TIMEOUT_SECONDS)
    assert found is not None
    left = SetupState.FAILED if "left_pages" in world.can else SetupState.REQUIRES_ACTION
    assert (found.state, found.method) == (left, None)


@pytest.mark.needs("setup_pages", "challenges")
async def test_a_card_whose_bank_always_asks_cannot_be_charged_with_nobody_there(
    world: World, shop: Shop
) -> None:
    method = await saved(world, shop, act=Act.CONFIRMS)
    _, outcome = await charge_later(shop, method)
    assert (outcome.status, outcome.failure_code) == (Status.FAILED, "authentication_required")


@pytest.mark.needs("setup_pages")
async def test_a_card_is_saved_while_paying(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD), save_method=True)
    outcome = await shop.charge(order)
    assert outcome.saved_method is not None
    _, later = await charge_later(shop, outcome.saved_method)
    assert later.status is Status.SUCCEEDED


@pytest.mark.needs("setup_pages")
async def test_a_card_may_be_saved_and_declined_later(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.SAVED_THEN_DECLINED), save_method=True)
    outcome = await shop.charge(order)
    assert (outcome.status, outcome.saved_method) == (Status.FAILED, None)


@pytest.mark.needs("setup_pages", "pages")
async def test_a_card_is_saved_on_the_page_it_pays_on(world: World, shop: Shop) -> None:
    order = shop.order(save_method=True)
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.CONFIRMS)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    assert found.status is Status.SUCCEEDED
    assert found.saved_method is not None
    assert found.saved_method.customer_token


@pytest.mark.needs("setup_pages", "challenges")
async def test_a_card_that_asks_unless_saved_asks_when_it_is_not(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.ASKS_UNLESS_SAVED), save_method=True)
    outcome = await shop.charge(order)
    assert outcome.status is Status.REQUIRES_ACTION
    await world.answer_challenge(outcome.redirect_url, approve=True)
    found = await shop.lookup(order, reference=outcome.provider_reference)
    assert found.saved_method is not None
    _, later = await charge_later(shop, found.saved_method)
    assert later.status is Status.SUCCEEDED


@pytest.mark.needs("setup_pages", "debits")
async def test_an_account_is_saved_with_its_mandate_and_debited_later(world: World, shop: Shop) -> None:
    method = await saved(world, shop, "bank_debit")
    assert (method.kind, method.last_digits) == ("bank_debit", "6789")
    assert method.mandate_reference
    assert ("Harbor Freight Services" in method.mandate_text) is ("mandate_texts" in world.can)
    assert method.mandate_accepted_at is not None
    order, outcome = await charge_later(shop, method)
    assert outcome.status is Status.PROCESSING
    await world.advance(days=8)
    assert (await shop.lookup(order, reference=outcome.provider_reference)).status is Status.SUCCEEDED


@pytest.mark.needs("wallets", "pages")
async def test_a_wallet_is_saved_on_the_page_it_pays_on(world: World, shop: Shop) -> None:
    """As the card inside it, or as a wallet: the provider says which."""
    order = shop.order(kind="wallet", save_method=True)
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.PAYS)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    method = found.saved_method
    assert method is not None
    assert (method.kind in ("wallet", "card"), method.last_digits) == (True, "4242")
    assert await world.provider.lookup_method(method.method_token, timeout_seconds=TIMEOUT_SECONDS) == method
    _, later = await charge_later(shop, method)
    assert later.status is Status.SUCCEEDED


@pytest.mark.needs("redirects", "pages")
async def test_a_redirect_is_saved_only_where_the_provider_says_so(world: World, shop: Shop) -> None:
    order = shop.order(kind="redirect", save_method=True)
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.PAYS)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    assert found.status is Status.SUCCEEDED
    assert (found.saved_method is not None) is ("kept_redirects" in world.can)
    if found.saved_method is not None:
        assert found.saved_method.kind == "redirect"
        _, later = await charge_later(shop, found.saved_method)
        assert later.status is Status.SUCCEEDED


@pytest.mark.needs("pages", "debits")
async def test_an_account_saved_while_paying_has_its_mandate(world: World, shop: Shop) -> None:
    order = shop.order(kind="bank_debit", save_method=True)
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.PAYS)
    found = await shop.lookup(order, reference=page.provider_reference, hosted=True)
    assert found.saved_method is not None
    token = found.saved_method.method_token
    known = await world.provider.lookup_method(token, timeout_seconds=TIMEOUT_SECONDS)
    assert known is not None
    assert known.mandate_reference
    assert known.mandate_accepted_at is not None
    assert not known.is_revoked
    await world.revoke_mandate(token)
    known = await world.provider.lookup_method(token, timeout_seconds=TIMEOUT_SECONDS)
    assert known is not None
    assert known.is_revoked


@pytest.mark.needs("setup_pages", "debits")
async def test_a_revoked_mandate_stops_debits(world: World, shop: Shop) -> None:
    method = await saved(world, shop, "bank_debit")
    await world.revoke_mandate(method.method_token)
    found = await world.provider.lookup_method(method.method_token, timeout_seconds=TIMEOUT_SECONDS)
    assert found is not None
    assert found.is_revoked
    _, outcome = await charge_later(shop, method)
    assert (outcome.status, outcome.failure_code) == (Status.FAILED, "mandate_revoked")


@pytest.mark.needs("setup_pages", "debits")
async def test_an_account_holder_revokes_after_the_first_debit(world: World, shop: Shop) -> None:
    method = await saved(world, shop, "bank_debit", Act.REVOKES_MANDATE)
    await charge_later(shop, method)
    await world.advance(days=10)
    found = await world.provider.lookup_method(method.method_token, timeout_seconds=TIMEOUT_SECONDS)
    assert found is not None
    assert found.is_revoked
