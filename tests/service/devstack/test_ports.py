"""A taken port is a clear error: which port, for what, who has it."""

import asyncio
import os

import pytest

from devstack.ports import Ports, PortsTakenError, check_free
from tests.support.servers import free_port


async def test_a_taken_port_is_named_with_its_purpose_and_its_owner() -> None:
    port = free_port()
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    async with server:
        with pytest.raises(PortsTakenError) as caught:
            check_free({"gateway": port})
    assert f"port {port} (gateway) is taken by pid {os.getpid()}" in str(caught.value)


async def test_every_taken_port_is_listed_at_once() -> None:
    first, second = free_port(), free_port()
    async with (
        await asyncio.start_server(lambda *_: None, "127.0.0.1", first),
        await asyncio.start_server(lambda *_: None, "127.0.0.1", second),
    ):
        with pytest.raises(PortsTakenError) as caught:
            check_free({"postgres": first, "nats": second})
    assert len(str(caught.value).splitlines()) == 2


def test_free_ports_are_accepted() -> None:
    check_free({"gateway": free_port()})


def test_overlapping_ranges_are_refused() -> None:
    port = free_port()
    with pytest.raises(PortsTakenError, match="overlap"):
        check_free(Ports(public=port, base=port + 2).table())


def test_no_two_purposes_share_a_port() -> None:
    table = Ports().table()
    assert len(set(table.values())) == len(table)
    assert table["gateway"] == 8080
