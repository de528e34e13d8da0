"""A gateway with stand-ins behind it, anew for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.stage.theatre import Theatre, theatre


@pytest.fixture(scope="session")
def stage_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates and keys, made once."""
    return tmp_path_factory.mktemp("stage")


@pytest.fixture
async def house(stage_folder: Path) -> AsyncIterator[Theatre]:
    """Gateway, stand-ins and their stage."""
    async with theatre(stage_folder) as open_house:
        yield open_house
