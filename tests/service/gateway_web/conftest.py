"""A gateway with stand-ins behind it, started once; each test finds the stage as at the beginning."""

from collections.abc import AsyncIterator

import pytest

from tests.support.stage.theatre import Theatre, theatre


@pytest.fixture(scope="session")
async def open_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    """Gateway and stand-ins."""
    async with theatre(tmp_path_factory.mktemp("stage")) as house:
        yield house


@pytest.fixture
def house(open_house: Theatre) -> Theatre:
    """The same with a fresh stage."""
    open_house.stage.reset()
    return open_house
