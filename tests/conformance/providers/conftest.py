"""The subjects of the suite."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conformance.providers.instant_world import instant_world
from tests.conformance.providers.simulator_world import SIMULATOR_CAN, simulator_world
from tests.conformance.providers.stripe_world import STRIPE_CAN, stripe_world
from tests.conformance.providers.world import CAPABILITIES, Shop, World


@dataclass(frozen=True)
class Subject:
    """How a world is made, and what it can do."""

    make: Callable[[Path], AbstractAsyncContextManager[World]]
    can: frozenset[str]


WORLDS = {
    "instant": Subject(instant_world, frozenset()),
    "simulator": Subject(simulator_world, SIMULATOR_CAN),
    "stripe": Subject(stripe_world, STRIPE_CAN),
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*capabilities): for subjects that can do this")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test runs for every subject that can do what it needs."""
    if "world" not in metafunc.fixturenames:
        return
    needed = {word for mark in metafunc.definition.iter_markers("needs") for word in mark.args}
    assert needed <= CAPABILITIES, needed - CAPABILITIES
    names = [name for name, subject in WORLDS.items() if needed <= subject.can]
    metafunc.parametrize("world", names, indirect=True, scope="session")


@pytest_asyncio.fixture(scope="session")
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """One subject, with everything around it."""
    subject = WORLDS[request.param]
    async with subject.make(tmp_path_factory.mktemp(request.param)) as world:
        assert world.can == subject.can
        yield world


@pytest.fixture
def shop(world: World) -> Shop:
    """An organization of the test's own."""
    return Shop(world.provider)
