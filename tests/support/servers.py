"""A real PostgreSQL and a real NATS for the tests of one pytest session (one of each per xdist worker)."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from devstack.nats import Nats
from devstack.postgres import Postgres

FIRST_PORT, LAST_PORT = 20_000, 32_000


def free_port() -> int:
    """A free loopback port below the ephemeral range, which outgoing connections might take meanwhile."""
    import random

    for _ in range(200):
        port = random.randrange(FIRST_PORT, LAST_PORT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


@pytest_asyncio.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    """PostgreSQL with durable settings, as services demand them; only initdb's flush is left out."""
    server = Postgres(_folder(tmp_path_factory, "postgres"), free_port(), throwaway=True)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest_asyncio.fixture(scope="session")
async def nats_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Nats]:
    """NATS with JetStream and a user for each service."""
    server = Nats(_folder(tmp_path_factory, "nats"), free_port())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _folder(factory: pytest.TempPathFactory, name: str) -> Path:
    return factory.mktemp(name)
