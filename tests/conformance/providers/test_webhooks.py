"""Webhooks: believed only when the provider has just signed these very bytes; and then only as a hint."""

from datetime import UTC, datetime, timedelta

import pytest

from services.payments.domain.outcome import Status
from services.payments.providers import RefundState, WebhookEvent, WebhookRefusedError
from tests.conformance.providers.world import TIMEOUT_SECONDS, Act, Card, Fault, Hook, Shop, World

pytestmark = pytest.mark.needs("webhooks")


def verified(world: World, hook: Hook, *, later: timedelta = timedelta()) -> WebhookEvent:
    return world.provider.verify_webhook(hook.headers, hook.body, now=datetime.now(UTC) + later)


async def charged(world: World, shop: Shop) -> tuple[str, Hook]:
    order = shop.order(card_token=world.card(Card.GOOD))
    await shop.charge(order)
    return order.attempt_id, (await world.next_webhooks(order.attempt_id))[0]


async def test_a_webhook_names_what_it_is_about(world: World, shop: Shop) -> None:
    attempt_id, hook = await charged(world, shop)
    event = verified(world, hook)
    assert (event.organization_id, event.attempt_id) == (shop.organization_id, attempt_id)
    assert event.event_id
    assert event.type


async def test_a_changed_body_is_refused(world: World, shop: Shop) -> None:
    _, hook = await charged(world, shop)
    forged = Hook(hook.headers, hook.body.replace(shop.organization_id.encode(), b"org_somebodyelse"))
    with pytest.raises(WebhookRefusedError) as refused:
        verified(world, forged)
    assert refused.value.reason == "WEBHOOK_SIGNATURE_INVALID"


async def test_a_webhook_without_a_signature_is_refused(world: World, shop: Shop) -> None:
    _, hook = await charged(world, shop)
    bare = {name: value for name, value in hook.headers.items() if "signature" not in name}
    with pytest.raises(WebhookRefusedError) as refused:
        verified(world, Hook(bare, hook.body))
    assert refused.value.reason == "WEBHOOK_SIGNATURE_INVALID"


async def test_an_old_webhook_is_refused(world: World, shop: Shop) -> None:
    _, hook = await charged(world, shop)
    assert verified(world, hook, later=timedelta(minutes=4))
    with pytest.raises(WebhookRefusedError) as refused:
        verified(world, hook, later=timedelta(minutes=6))
    assert refused.value.reason == "WEBHOOK_TOO_OLD"


@pytest.mark.needs("faults")
async def test_a_webhook_told_twice_has_one_id(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    await world.fault(Fault.TWICE_TOLD, order.attempt_id)
    await shop.charge(order)
    hooks = await world.next_webhooks(order.attempt_id, at_least=2)
    assert len({verified(world, hook).event_id for hook in hooks}) == 1


@pytest.mark.needs("pages")
async def test_what_a_page_brings_is_told(world: World, shop: Shop) -> None:
    order = shop.order()
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, Act.PAYS)
    hooks = await world.next_webhooks(order.attempt_id)
    assert {verified(world, hook).attempt_id for hook in hooks} == {order.attempt_id}


async def test_a_refund_is_told_with_both_ids(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    refund = shop.refund_order(order, 100, reference=reference)
    outcome = await world.provider.refund(refund, timeout_seconds=TIMEOUT_SECONDS)
    assert outcome.state is RefundState.SUCCEEDED
    events = [verified(world, hook) for hook in await world.next_webhooks(refund.refund_id)]
    assert {(event.attempt_id, event.refund_id) for event in events} == {(order.attempt_id, refund.refund_id)}


@pytest.mark.needs("setup_pages")
async def test_a_setup_is_told(world: World, shop: Shop) -> None:
    order = shop.setup_order()
    setup = await world.provider.start_setup(order, timeout_seconds=TIMEOUT_SECONDS)
    await world.pay_on_page(setup.redirect_url, Act.PAYS)
    events = [verified(world, hook) for hook in await world.next_webhooks(order.setup_id)]
    assert {event.setup_id for event in events} == {order.setup_id}


@pytest.mark.needs("disputes")
async def test_a_dispute_is_told(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    before = len(await world.next_webhooks(order.attempt_id))
    await world.open_dispute(order.attempt_id)
    hooks = await world.next_webhooks(order.attempt_id, at_least=before + 1)
    told = verified(world, hooks[-1])
    assert order.attempt_id == told.attempt_id or reference == told.provider_reference


@pytest.mark.needs("faults", "disputes")
async def test_the_order_of_news_does_not_matter(world: World, shop: Shop) -> None:
    order = shop.order(card_token=world.card(Card.GOOD))
    await world.fault(Fault.TOLD_BACKWARDS, order.attempt_id)
    reference = (await shop.charge(order)).provider_reference
    await world.open_dispute(order.attempt_id)
    hooks = await world.next_webhooks(order.attempt_id, at_least=2)
    for hook in hooks:
        told = verified(world, hook)
        assert order.attempt_id == told.attempt_id or reference == told.provider_reference
        found = await shop.lookup(order, reference=reference)
        assert (found.status, len(found.disputes)) == (Status.SUCCEEDED, 1), "whatever came first"
