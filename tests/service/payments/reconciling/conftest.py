"""The reconciling desk of a till."""

import pytest

from tests.service.payments.reconciling.ledger_room import LedgerRoom
from tests.service.payments.till import Till


@pytest.fixture
async def room(till: Till) -> LedgerRoom:
    room = LedgerRoom.of(till)
    await room.open()
    return room
