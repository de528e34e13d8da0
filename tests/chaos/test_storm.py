"""Random deaths under load: whatever the order, everybody pays once and the books are right."""

import asyncio
import os
import random
import secrets

import httpx
import pytest

from tests.support.armed_stack import ArmedStack
from tests.support.books import check_books
from tests.support.load import kill_at_random, pay_through_the_storm
from tests.support.shop import open_shop

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800), pytest.mark.xdist_group("chaos")]

STORM_SECONDS = float(os.environ.get("STORM_SECONDS", "180"))
SHOPS, CUSTOMERS_EACH, INVOICES_EACH = 2, 3, 60
MAIL_SECONDS = 300.0
"""A mail that found everybody dead again and again is tried later and later."""


async def test_a_storm_of_deaths_loses_and_doubles_nothing(mesh: ArmedStack, http: httpx.AsyncClient) -> None:
    seed = int(os.environ.get("STORM_SEED", secrets.randbits(32)))
    print(f"STORM_SEED={seed}", flush=True)
    chance = random.Random(seed)
    invoices = CUSTOMERS_EACH * INVOICES_EACH
    shops = [await open_shop(mesh.running, http, invoices=invoices) for _ in range(SHOPS)]
    async with asyncio.TaskGroup() as group:
        for shop in shops:
            for start in range(0, invoices, INVOICES_EACH):
                own = shop.invoices[start : start + INVOICES_EACH]
                group.create_task(pay_through_the_storm(shop, own, random.Random(chance.random())))
        deaths = group.create_task(kill_at_random(mesh, chance, seconds=STORM_SECONDS))
    print(f"{len(deaths.result())} deaths: {' '.join(deaths.result())}")
    await mesh.all_ready()
    ids = [shop.organization_id for shop in shops]
    await check_books(mesh.environment, http, *ids, within_seconds=MAIL_SECONDS)
    for shop in shops:
        for invoice_id in shop.invoices:
            assert (await shop.invoice(invoice_id))["status"] == "paid"
