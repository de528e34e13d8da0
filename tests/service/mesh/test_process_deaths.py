"""kill -9 at each named step of a payment's way: one charge, one receipt, nothing stuck after a minute."""

import uuid
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
import pytest_asyncio

from tests.support.armed_stack import ArmedStack
from tests.support.books import check_books
from tests.support.crash_points import MAILER, POINTS, die_while_paying
from tests.support.shop import Shop, open_shop

pytestmark = pytest.mark.xdist_group("mesh")

ROUNDS = [
    {process: points[number % len(points)] for process, points in POINTS.items()}
    for number in range(max(map(len, POINTS.values())))
]
"""In each round four processes die over the same payment; together the rounds have every point."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def shops_of_dead_mailers(mesh: ArmedStack, http: httpx.AsyncClient) -> AsyncIterator[list[Shop]]:
    """Shops whose mailer died over their receipt. They wait for its lease to end while other tests run."""
    shops = []
    for point in MAILER:
        shops.append(await open_shop(mesh.running, http))
        await die_while_paying(mesh, shops[-1], {"notifications-work": point})
    yield shops


@pytest.fixture(scope="module")
def interrupted() -> list[tuple[Shop, str, str, str]]:
    """(shop, invoice, key, payment) of customers who were never answered."""
    return []


@pytest.mark.parametrize("deaths", ROUNDS, ids=[deaths["payments-serve"] for deaths in ROUNDS])
async def test_a_payment_survives_deaths_on_its_way(
    mesh: ArmedStack,
    shop: Shop,
    interrupted: list[tuple[Shop, str, str, str]],
    deaths: Mapping[str, str],
) -> None:
    key, payment_id = await die_while_paying(mesh, shop, deaths)
    interrupted.append((shop, shop.invoices[0], key, payment_id))


@pytest.mark.parametrize("process", ["gateway", "postgres", "invoicing-serve"])
async def test_a_payment_survives_the_death_of_what_it_stands_on(
    mesh: ArmedStack, shop: Shop, process: str
) -> None:
    before = mesh.process(process).restarts
    mesh.kill(process)
    answer = await shop.pay(shop.invoices[0])
    if answer["failure_code"] == "service_unavailable":  # nothing was charged, and the customer was told so
        answer = await shop.pay(shop.invoices[0])
    assert answer["status"] == "succeeded"
    assert mesh.process(process).restarts > before


async def test_while_the_provider_is_away_nothing_is_charged_and_everybody_is_told(
    mesh: ArmedStack, shop: Shop
) -> None:
    mesh.kill("simulator")
    answer = await shop.pay(shop.invoices[0])
    assert (answer["status"], answer["failure_code"]) == ("failed", "provider_unavailable")
    await mesh.all_ready()
    assert (await shop.pay(shop.invoices[0]))["status"] == "succeeded"


async def test_who_comes_back_with_the_key_is_given_the_payment_that_was_made(
    interrupted: list[tuple[Shop, str, str, str]],
) -> None:
    for shop, invoice_id, key, payment_id in interrupted:
        answer = await shop.pay(invoice_id, key=key)
        assert (answer["payment_id"], answer["status"]) == (payment_id, "succeeded")
        another = await shop.request(invoice_id, key=uuid.uuid4().hex)
        assert another.json()["code"] == "invoice_already_paid"


async def test_receipts_of_dead_mailers_came_after_all(
    mesh: ArmedStack, http: httpx.AsyncClient, shops_of_dead_mailers: list[Shop]
) -> None:
    for shop in shops_of_dead_mailers:
        await check_books(mesh.environment, http, shop.organization_id)
