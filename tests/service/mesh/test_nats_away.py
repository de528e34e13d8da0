"""NATS stops, hangs, or loses everything: payments go on, and what was missed arrives afterwards, once."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import pytest
from nats.js.errors import NotFoundError

from devstack.ports import SERVICES
from tests.support.armed_stack import ArmedStack
from tests.support.books import open_books
from tests.support.shop import AMOUNT, Shop
from tests.support.wait import until

pytestmark = pytest.mark.xdist_group("mesh")


@asynccontextmanager
async def stopped(mesh: ArmedStack) -> AsyncIterator[None]:
    """NATS is not there."""
    await mesh.nats.stop()
    try:
        yield
    finally:
        await mesh.nats.start()


@asynccontextmanager
async def frozen(mesh: ArmedStack) -> AsyncIterator[None]:
    """NATS takes connections and answers nothing."""
    assert mesh.nats.pid is not None
    os.kill(mesh.nats.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(mesh.nats.pid, signal.SIGCONT)


@asynccontextmanager
async def wiped(mesh: ArmedStack) -> AsyncIterator[None]:
    """NATS is not there, and comes back without its streams and consumers."""
    await mesh.wipe_nats()
    try:
        yield
    finally:
        await mesh.nats.start()


async def until_paid(shop: Shop, *invoice_ids: str) -> None:
    """Wait until invoicing has heard of it."""

    async def paid() -> bool:
        return all([(await shop.invoice(one))["status"] == "paid" for one in invoice_ids])

    await until(paid, timeout_seconds=60)


@pytest.mark.parametrize("without_nats", [stopped, frozen])
async def test_payments_succeed_without_nats_and_invoices_are_paid_once_it_is_back(
    mesh: ArmedStack, shop: Shop, without_nats: type
) -> None:
    async with without_nats(mesh):
        payments = [await shop.pay(invoice_id) for invoice_id in shop.invoices[:3]]
        assert [payment["status"] for payment in payments] == ["succeeded"] * 3
        assert {payment["receipt_number"] for payment in payments} == {"R-000001", "R-000002", "R-000003"}
        waiting = await shop.invoice(shop.invoices[0])
        assert waiting["status"] == "open"
        assert waiting["amount_processing"]["minor_units"] == AMOUNT
    await until_paid(shop, *shop.invoices[:3])


async def test_streams_that_were_wiped_are_filled_again_from_the_outboxes(
    mesh: ArmedStack, shop: Shop
) -> None:
    await shop.pay(shop.invoices[0])
    await until_paid(shop, shop.invoices[0])
    async with wiped(mesh):
        assert (await shop.pay(shop.invoices[1]))["status"] == "succeeded"
    assert (await shop.pay(shop.invoices[2]))["status"] == "succeeded"
    await until_paid(shop, *shop.invoices[:3])
    await until(lambda: _streams_hold_the_outboxes(mesh), timeout_seconds=60)


async def _streams_hold_the_outboxes(mesh: ArmedStack) -> bool:
    """Each stream has every event that its service has ever told."""
    client = await nats.connect(mesh.nats.admin_url)
    try:
        for service in SERVICES:
            async with open_books(mesh.environment) as books:
                row = await (await books[service].execute("SELECT count(*) AS n FROM outbox")).fetchone()
            assert row is not None
            try:
                info = await client.jetstream().stream_info(f"EVT_{service.upper()}")
            except NotFoundError:
                return False
            if info.state.messages < row["n"]:
                return False
    finally:
        await client.close()
    return True
