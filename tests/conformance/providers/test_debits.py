"""Bank debits: on their way for days, settled, and back."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from services.payments.domain.outcome import Outcome, Status
from tests.conformance.providers.world import Act, Shop, World

pytestmark = pytest.mark.needs("debits")
LONG_ENOUGH_DAYS = 8


Look = Callable[[], Awaitable[Outcome]]


async def debited(world: World, shop: Shop, act: Act, currency: str) -> Look:
    """Starts a debit; what is returned asks how it stands."""
    order = shop.order(currency=currency, kind="bank_debit")
    page = await shop.open_page(order)
    await world.pay_on_page(page.redirect_url, act)
    return partial(shop.lookup, order, reference=page.provider_reference, hosted=True)


@pytest.mark.parametrize("currency", ["USD", "EUR"])
async def test_a_debit_is_on_its_way_until_it_settles(world: World, shop: Shop, currency: str) -> None:
    look = await debited(world, shop, Act.PAYS, currency)
    begun = await look()
    assert begun.status is Status.PROCESSING
    assert begun.expected_on is not None
    await world.advance(days=LONG_ENOUGH_DAYS)
    settled = await look()
    assert (settled.status, settled.return_code) == (Status.SUCCEEDED, "")


@pytest.mark.parametrize("currency", ["USD", "EUR"])
async def test_a_debit_that_comes_back_before_it_settles_fails(
    world: World, shop: Shop, currency: str
) -> None:
    look = await debited(world, shop, Act.BOUNCES, currency)
    assert (await look()).status is Status.PROCESSING
    await world.advance(days=LONG_ENOUGH_DAYS)
    failed = await look()
    assert (failed.status, failed.failure_code) == (Status.FAILED, "insufficient_funds")
    assert failed.return_code == ""


@pytest.mark.parametrize("currency", ["USD", "EUR"])
@pytest.mark.parametrize(
    ("act", "days"),
    [(Act.BOUNCES_2_DAYS_LATER, 2), (Act.BOUNCES_6_DAYS_LATER, 6), (Act.BOUNCES_40_DAYS_LATER, 40)],
)
async def test_a_debit_comes_back_after_it_settled(
    world: World, shop: Shop, act: Act, days: int, currency: str
) -> None:
    look = await debited(world, shop, act, currency)
    seen = [await look()]
    for _ in range(LONG_ENOUGH_DAYS + days):
        await world.advance(days=1)
        seen.append(await look())
    settled = [outcome for outcome in seen if outcome.status is Status.SUCCEEDED]
    returned = [outcome for outcome in settled if outcome.return_code]
    assert len(settled) - len(returned) == days, "settled for so many days before it came back"
    assert returned[-1].returned_at is not None
    assert returned[-1].amount == seen[0].amount
