"""With its walls torn down the mesh counts a payment twice, and the checker sees it."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.support.armed_stack import ArmedStack, armed_stack, database_url
from tests.support.books import check_books, wrongs
from tests.support.shop import Shop, open_shop
from tests.support.wait import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600), pytest.mark.xdist_group("chaos-control")]

FIRST_WALL = (
    "DELETE FROM inbox WHERE organization_id = %(org)s",
    "UPDATE inbox_positions SET last_version = 0 WHERE organization_id = %(org)s",
)
"""What keeps an event that comes twice from being applied twice."""
SECOND_WALL = (
    "DELETE FROM allocations WHERE organization_id = %(org)s",
    "DELETE FROM payment_applications WHERE organization_id = %(org)s",
)
"""What keeps a payment that is applied twice from counting twice."""
THIRD_WALL = ("DELETE FROM outbox WHERE organization_id = %(org)s AND type LIKE '%%.PaymentApplied'",)
"""What keeps a service from telling of the same thing twice: its transaction fails."""


async def test_an_event_applied_twice_is_found(tmp_path: Path) -> None:
    async with armed_stack(tmp_path / "home") as mesh:
        async with httpx.AsyncClient(base_url=mesh.url, timeout=20, trust_env=False) as http:
            shop = await open_shop(mesh.running, http)
            await shop.pay(shop.invoices[0])
            await check_books(mesh.environment, http, shop.organization_id)

            async def complaints() -> str:
                return "\n".join(await wrongs(mesh.environment, http, [shop.organization_id]))

            async def refused() -> bool:
                return "invoicing: dead letter" in await complaints()

            await _redeliver(mesh, shop, FIRST_WALL)
            await until(lambda: _is_applied(mesh, shop), timeout_seconds=60)
            await check_books(mesh.environment, http, shop.organization_id)  # the second wall held

            await _redeliver(mesh, shop, (*FIRST_WALL, *SECOND_WALL))
            await until(refused, timeout_seconds=60)  # the third wall held

            await _redeliver(mesh, shop, (*FIRST_WALL, *SECOND_WALL, *THIRD_WALL))
            await until(lambda: _is_applied(mesh, shop), timeout_seconds=60)
            found = await complaints()
    assert "paid is not the sum of allocations" in found
    assert "credit ledger differs from the credits" in found
    assert "notifications has not applied" in found


async def _redeliver(mesh: ArmedStack, shop: Shop, walls: Sequence[str]) -> None:
    """Tear down walls in invoicing and let NATS, which has forgotten everything, get the payment's event again."""
    await mesh.wipe_nats()
    _execute(database_url(mesh.environment, "invoicing"), walls, {"org": shop.organization_id})
    await mesh.nats.start()


def _execute(url: str, statements: Sequence[str], values: dict[str, str]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.execute(statement.encode(), values)


def _is_applied(mesh: ArmedStack, shop: Shop) -> bool:
    """Whether invoicing has applied the payment's event anew."""
    query = (
        b"SELECT count(*) FROM inbox_positions WHERE organization_id = %s"
        b" AND source = 'payments' AND last_version > 0"
    )
    with contextlib.closing(psycopg.connect(database_url(mesh.environment, "invoicing"))) as connection:
        row = connection.execute(query, [shop.organization_id]).fetchone()
    return row is not None and row[0] > 0
