"""NATS of the dev stack: a service writes its own events only, and what was acknowledged is on disk."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import nats
import nats.js.errors
import pytest
import pytest_asyncio
from nats.aio.client import Client

from devstack.nats import Nats
from tests.support.servers import free_port
from tests.support.wait import until


@pytest_asyncio.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[Nats]:
    server = Nats(tmp_path / "nats", free_port())
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def connected(server: Nats, service: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """A client as `service`, and the complaints that the server sends it."""
    complaints: list[str] = []

    async def note(error: Exception) -> None:
        complaints.append(str(error))

    client = await nats.connect(server.url_for(service), error_cb=note, allow_reconnect=False)
    try:
        yield client, complaints
    finally:
        await client.close()


async def test_a_service_keeps_its_own_stream(own_server: Nats) -> None:
    async with connected(own_server, "payments") as (client, complaints):
        stream = client.jetstream()
        await stream.add_stream(name="EVT_PAYMENTS", subjects=["evt.payments.>"])
        assert (await stream.publish("evt.payments.org_1.payment.PaymentSucceeded", b"x")).seq == 1
        assert (await stream.get_msg("EVT_PAYMENTS", seq=1)).data == b"x"
    assert complaints == []


async def test_another_service_reads_it_through_a_consumer_of_its_own(own_server: Nats) -> None:
    async with connected(own_server, "payments") as (client, _):
        stream = client.jetstream()
        await stream.add_stream(name="EVT_PAYMENTS", subjects=["evt.payments.>"])
        await stream.publish("evt.payments.org_1.payment.PaymentSucceeded", b"x")
    async with connected(own_server, "invoicing") as (client, complaints):
        reader = await client.jetstream().pull_subscribe(
            "evt.payments.>", durable="invoicing", stream="EVT_PAYMENTS"
        )
        (message,) = await reader.fetch(1, timeout=5)
        await message.ack_sync()
    assert message.data == b"x"
    assert complaints == []


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(
            lambda c: c.publish("evt.payments.org_1.payment.PaymentSucceeded", b"forged"), id="publish"
        ),
        pytest.param(lambda c: c.request("$JS.API.STREAM.DELETE.EVT_PAYMENTS", timeout=0.2), id="delete"),
        pytest.param(lambda c: c.request("$JS.API.STREAM.PURGE.EVT_PAYMENTS", timeout=0.2), id="purge"),
        pytest.param(lambda c: c.request("$JS.API.STREAM.MSG.DELETE.EVT_PAYMENTS", timeout=0.2), id="erase"),
        pytest.param(lambda c: c.subscribe("evt.payments.>"), id="listen"),
    ],
)
async def test_another_service_may_not_touch_it(
    own_server: Nats, act: Callable[[Client], Awaitable[object]]
) -> None:
    async with connected(own_server, "invoicing") as (client, complaints):
        with suppress(nats.errors.Error):
            await act(client)
        await client.flush()
        await until(lambda: any("permissions violation" in text.lower() for text in complaints))


async def test_a_wrong_password_is_refused(own_server: Nats) -> None:
    url = own_server.url_for("payments").replace("payments:", "payments:x")
    client = Client()
    with pytest.raises(nats.errors.Error, match="Authorization Violation"):
        await client.connect(url, allow_reconnect=False)
    await client.close()


async def test_acknowledged_events_survive_a_killed_server(own_server: Nats) -> None:
    async with connected(own_server, "payments") as (client, _):
        stream = client.jetstream()
        await stream.add_stream(name="EVT_PAYMENTS", subjects=["evt.payments.>"])
        for _ in range(20):
            await stream.publish("evt.payments.org_1.payment.PaymentSucceeded", b"x")
    assert own_server.pid is not None
    os.kill(own_server.pid, signal.SIGKILL)
    await own_server.stop()
    await own_server.start()
    async with connected(own_server, "payments") as (client, _):
        assert (await client.jetstream().stream_info("EVT_PAYMENTS")).state.messages == 20


def test_every_acknowledged_event_is_flushed_to_disk_first(tmp_path: Path) -> None:
    server = Nats(tmp_path / "nats", free_port())
    server.prepare()
    configuration = tmp_path / "nats" / "nats.conf"
    assert '"sync_interval": "always"' in configuration.read_text()
    assert configuration.stat().st_mode & 0o077 == 0
