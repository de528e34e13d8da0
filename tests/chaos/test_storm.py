"""Random deaths under load: whatever the order, everybody pays once and the books are right."""

import asyncio
import os
import random
import secrets

import httpx
import pytest

from tests.support.armed_stack import ArmedStack
from tests.support.books import check_books, open_books
from tests.support.load import kill_at_random, pay_through_the_storm
from tests.support.shop import open_shop

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800), pytest.mark.xdist_group("chaos")]

STORM_SECONDS = float(os.environ.get("STORM_SECONDS", "180"))
SHOPS, CUSTOMERS_EACH, INVOICES_EACH = 2, 3, 400
MAIL_SECONDS = 420.0
"""A mail server that was away twice is left alone for five minutes."""


async def test_a_storm_of_deaths_loses_and_doubles_nothing(mesh: ArmedStack, http: httpx.AsyncClient) -> None:
    seed = int(os.environ.get("STORM_SEED", secrets.randbits(32)))
    print(f"STORM_SEED={seed}", flush=True)
    chance = random.Random(seed)
    invoices = CUSTOMERS_EACH * INVOICES_EACH
    shops = [await open_shop(mesh.running, http, invoices=invoices) for _ in range(SHOPS)]
    over, customers = asyncio.Event(), []
    async with asyncio.TaskGroup() as group:
        for shop in shops:
            for start in range(0, invoices, INVOICES_EACH):
                own = shop.invoices[start : start + INVOICES_EACH]
                paying = pay_through_the_storm(shop, own, random.Random(chance.random()), over)
                customers.append(group.create_task(paying))
        deaths = await kill_at_random(mesh, chance, seconds=STORM_SECONDS)
        over.set()
    acknowledged = {invoice_id for customer in customers for invoice_id in customer.result()}
    print(f"{len(deaths)} deaths, {len(acknowledged)} payments: {' '.join(deaths)}", flush=True)
    await mesh.all_ready()
    ids = [shop.organization_id for shop in shops]
    await check_books(mesh.environment, http, *ids, mails=False)
    assert acknowledged <= await _paid(mesh)
    await check_books(mesh.environment, http, *ids, within_seconds=MAIL_SECONDS)


async def _paid(mesh: ArmedStack) -> set[str]:
    async with open_books(mesh.environment) as books:
        cursor = await books["invoicing"].execute("SELECT invoice_id FROM invoices WHERE status = 'paid'")
        return {row["invoice_id"] for row in await cursor.fetchall()}
