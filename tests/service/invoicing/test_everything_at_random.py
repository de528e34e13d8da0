"""Whatever happens, in whatever order: the books are right after every step."""

import random
from collections import Counter

import pytest

from tests.service.invoicing.ledger_clerk import Clerk
from tests.service.invoicing.office import Office

STEPS = 80


@pytest.mark.parametrize("seed", range(8))
async def test_received_is_applied_unapplied_and_refunded_after_every_step(office: Office, seed: int) -> None:
    customer = await office.customer()
    clerk = Clerk(office, customer.customer_id, random.Random(seed))
    done: Counter[str] = Counter()
    for _ in range(3):
        await clerk.issue()
    for step in range(STEPS):
        done[await clerk.act()] += 1
        wrongs = await office.wrongs()
        assert wrongs == [], (step, done)
        await clerk.agreed()
    assert done["plan_and_pay"] > 0
