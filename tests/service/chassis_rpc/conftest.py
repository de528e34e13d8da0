"""A served echo service with real certificates and tokens."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.rpc.client import Channel, connect
from chassis.rpc.server import Server
from chassis.settings import BaseServiceSettings
from tests.support.echo import EchoServicer, EchoStub, add_echo_to_server
from tests.support.mesh import Mesh


class EchoMesh:
    """invoicing serves the echo contract; anybody of the mesh may connect to it."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.servicer = EchoServicer()
        self.settings = BaseServiceSettings(**mesh.settings("invoicing"), grpc_listen="127.0.0.1:0")
        self.server = Server(self.settings, [(add_echo_to_server, self.servicer)])
        self._channels: list[Channel] = []

    def client_settings(self, service: str) -> BaseServiceSettings:
        return BaseServiceSettings(
            **self.mesh.settings(service), invoicing_address=f"127.0.0.1:{self.server.port}"
        )

    def stub(self, service: str = "gateway") -> EchoStub:
        channel = connect(self.client_settings(service), "invoicing")
        self._channels.append(channel)
        return EchoStub(channel)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()
        await self.server.stop(0)


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    folder: Path = tmp_path_factory.mktemp("mesh")
    return Mesh(folder)


@pytest.fixture
async def echo(mesh: Mesh) -> AsyncIterator[EchoMesh]:
    served: Any = EchoMesh(mesh)
    await served.server.start()
    try:
        yield served
    finally:
        await served.close()
