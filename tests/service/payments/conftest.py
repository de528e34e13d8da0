"""A payments service on a fresh database, with one provider simulator for all tests."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.service.payments.till import SECRET, WEBHOOK_SECRET, Bank, Gate, ShiftedClock, Till, serving
from tests.support.database import Databases
from tests.support.mesh import Mesh
from tests.support.programs import free_address, running


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    return Mesh(tmp_path_factory.mktemp("mesh"))


@pytest_asyncio.fixture(scope="session")
async def gate() -> AsyncIterator[Gate]:
    address = free_address()
    gate = Gate(address)
    host, port = address.split(":")
    server = await asyncio.start_server(gate.serve, host, int(port))
    yield gate
    server.close()
    await gate.close()


@pytest_asyncio.fixture(scope="session")
async def bank(tmp_path_factory: pytest.TempPathFactory, gate: Gate) -> AsyncIterator[Bank]:
    folder, address = tmp_path_factory.mktemp("simulator"), free_address()
    environment = {
        "SIMULATOR_LISTEN": address,
        "SIMULATOR_SECRET": SECRET,
        "SIMULATOR_DATA_FILE": str(folder / "simulator.sqlite"),
        "SIMULATOR_WEBHOOK_URL": f"http://{gate.address}/webhooks/simulator",
        "SIMULATOR_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    async with running("devstack.simulator", environment, http_address=address, folder=folder) as program:
        yield Bank(f"http://{address}", program.http)


@pytest.fixture
async def till(mesh: Mesh, databases: Databases, bank: Bank, gate: Gate) -> AsyncIterator[Till]:
    clock = ShiftedClock()
    async with databases.fresh("payments", clock=clock) as (db, urls):
        async with serving(mesh, db, urls, clock, bank, gate) as till:
            yield till
