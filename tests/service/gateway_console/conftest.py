"""A gateway with a small business behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.back_office.office import Office, office


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    """Fresh books for each test."""
    async with office(tmp_path) as opened:
        yield opened
