"""Fixtures of a package that hurts the mesh: one armed stack, and an organization of its own for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from tests.support.armed_stack import ArmedStack, armed_stack
from tests.support.books import check_books
from tests.support.shop import Shop, open_shop

OpenShop = Callable[..., Awaitable[Shop]]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ArmedStack]:
    """A running stack that may be hurt."""
    async with armed_stack(tmp_path_factory.mktemp("mesh") / "home") as stack:
        yield stack


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def http(mesh: ArmedStack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway that waits as long as a browser would."""
    limits = httpx.Limits(max_connections=60)
    async with httpx.AsyncClient(base_url=mesh.url, timeout=20, limits=limits, trust_env=False) as client:
        yield client


@pytest_asyncio.fixture
async def open_a_shop(mesh: ArmedStack, http: httpx.AsyncClient) -> AsyncIterator[OpenShop]:
    """Opens shops; at the end of the test the books of each must be right within a minute, by themselves."""
    opened: list[Shop] = []

    async def opening(*, invoices: int = 5) -> Shop:
        opened.append(await open_shop(mesh.running, http, invoices=invoices))
        return opened[-1]

    yield opening
    mesh.disarm()
    await check_books(mesh.environment, http, *(shop.organization_id for shop in opened))


@pytest_asyncio.fixture
async def shop(open_a_shop: OpenShop) -> Shop:
    """A shop with five open invoices."""
    return await open_a_shop()
