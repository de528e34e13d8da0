"""Customers who pay invoices in the midst of a storm, and whoever kills processes around them."""

import asyncio
import random
import time
import uuid
from collections.abc import Sequence

import httpx

from devstack.ports import SERVICES
from tests.support.armed_stack import ArmedStack
from tests.support.shop import Shop

VICTIMS = (
    *(f"{service}-{part}" for service in SERVICES for part in ("serve", "work")),
    *("gateway", "postgres", "simulator", "mailbox", "nats"),
)
_SECONDS_BETWEEN_DEATHS = (1.0, 3.0)


async def pay_through_the_storm(
    shop: Shop, invoice_ids: Sequence[str], chance: random.Random, over: asyncio.Event
) -> list[str]:
    """Pay one invoice after the other until the storm is over, and the last one still to its end.

    The key stays the same while it is not known what became of the payment, as with any careful client. Returns
    the invoices whose payment was acknowledged.
    """
    paid = []
    for invoice_id in invoice_ids:
        key = uuid.uuid4().hex
        while True:
            await asyncio.sleep(chance.uniform(0.05, 0.5))
            try:
                answer = await shop.request(invoice_id, key=key)
            except httpx.TransportError:
                continue
            outcome = answer.json()
            if answer.is_success and outcome["status"] == "succeeded":
                break
            if answer.status_code == 409 and outcome["code"] == "invoice_already_paid":
                break
            if answer.is_success and outcome["status"] == "failed":
                key = uuid.uuid4().hex  # surely nothing was charged
            elif answer.status_code in (400, 401, 403, 404, 422):
                raise AssertionError(f"{answer.status_code}: {answer.text}")
        paid.append(invoice_id)
        if over.is_set():
            break
    return paid


async def kill_at_random(mesh: ArmedStack, chance: random.Random, *, seconds: float) -> list[str]:
    """Kill a process every other second; returns the names in order."""
    ends_at, killed = time.monotonic() + seconds, []
    while time.monotonic() < ends_at:
        await asyncio.sleep(chance.uniform(*_SECONDS_BETWEEN_DEATHS))
        victim = chance.choice(VICTIMS)
        killed.append(victim)
        if victim == "nats":
            await mesh.kill_nats()
        else:
            mesh.kill(victim)
    return killed
