"""A refund counter on a fresh database."""

from collections.abc import AsyncIterator

import pytest

from tests.service.payments.reversals.counter import Counter, open_counter
from tests.service.payments.till import ShiftedClock
from tests.support.database import Databases
from tests.support.mesh import Mesh


@pytest.fixture
async def counter(databases: Databases, mesh: Mesh) -> AsyncIterator[Counter]:
    clock = ShiftedClock()
    async with (
        databases.fresh("payments", clock=clock, pool_size=10) as (db, urls),
        open_counter(db, urls, clock, mesh) as counter,
    ):
        yield counter
