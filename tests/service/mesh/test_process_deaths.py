"""kill -9 at each named step of a payment's way: one charge, one receipt, nothing stuck after a minute."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.support.armed_stack import ArmedStack
from tests.support.books import check_books
from tests.support.crash_points import MAILER, POINTS, die_while_paying
from tests.support.shop import Shop, open_shop

pytestmark = pytest.mark.xdist_group("mesh")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def shops_of_dead_mailers(mesh: ArmedStack, http: httpx.AsyncClient) -> AsyncIterator[list[Shop]]:
    """Shops whose mailer died over their receipt. They wait for its lease to end while other tests run."""
    shops = []
    for point in MAILER:
        shops.append(await open_shop(mesh.running, http))
        await die_while_paying(mesh, shops[-1], "notifications-work", point)
    yield shops


@pytest.mark.parametrize(
    ("process", "point"), [pytest.param(*pair, id="-".join(pair)) for pair in POINTS if pair[1] not in MAILER]
)
async def test_a_payment_survives_a_death(mesh: ArmedStack, shop: Shop, process: str, point: str) -> None:
    payment = await die_while_paying(mesh, shop, process, point)
    assert payment["status"] == "succeeded"


@pytest.mark.parametrize("process", ["gateway", "postgres", "simulator"])
async def test_a_payment_survives_the_death_of_what_it_stands_on(
    mesh: ArmedStack, shop: Shop, process: str
) -> None:
    before = mesh.process(process).restarts
    mesh.kill(process)
    assert (await shop.pay(shop.invoices[0]))["status"] == "succeeded"
    assert mesh.process(process).restarts > before


async def test_receipts_of_dead_mailers_came_after_all(
    mesh: ArmedStack, http: httpx.AsyncClient, shops_of_dead_mailers: list[Shop]
) -> None:
    for shop in shops_of_dead_mailers:
        await check_books(mesh.environment, http, shop.organization_id)
