"""Each crash point twenty times, in random company: every round kills several processes over one payment."""

import os
import random
import secrets

import httpx
import pytest

from tests.support.armed_stack import ArmedStack
from tests.support.books import check_books
from tests.support.crash_points import MAILER, POINTS, die_while_paying
from tests.support.shop import open_shop

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(5400), pytest.mark.xdist_group("chaos")]

TIMES = int(os.environ.get("CRASHES", "20"))


async def test_each_point_twenty_times(mesh: ArmedStack, http: httpx.AsyncClient) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    fates = {process: _drawn(points, chance) for process, points in POINTS.items()}
    rounds = max(map(len, fates.values()))
    shop = await open_shop(mesh.running, http, invoices=rounds)
    for number in range(rounds):
        deaths = {process: fate[number] for process, fate in fates.items() if number < len(fate)}
        patient = chance.random() < 0.5
        invoice_id = shop.invoices[number]
        print(f"round {number}: {deaths} {'patient' if patient else 'gone'}", flush=True)
        await die_while_paying(mesh, shop, deaths, invoice_id=invoice_id, patient=patient)
        await check_books(mesh.environment, http, shop.organization_id)


async def test_each_point_of_the_mailer_twenty_times(mesh: ArmedStack, http: httpx.AsyncClient) -> None:
    shop = await open_shop(mesh.running, http, invoices=TIMES * len(MAILER))
    for number, invoice_id in enumerate(shop.invoices):
        deaths = {"notifications-work": MAILER[number % len(MAILER)]}
        await die_while_paying(mesh, shop, deaths, invoice_id=invoice_id)
    await check_books(mesh.environment, http, shop.organization_id)


def _drawn(points: tuple[str, ...], chance: random.Random) -> list[str]:
    """Each point TIMES times, in random order."""
    fate = list(points) * TIMES
    chance.shuffle(fate)
    return fate
