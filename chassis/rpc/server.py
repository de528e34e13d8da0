"""The gRPC server of a service: mTLS only, every method behind the boundary, drained before it stops."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import grpc
import structlog
from google.protobuf import descriptor_pool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis.rpc.boundary import Boundary, Handler
from chassis.rpc.tokens import TokenVerifier
from chassis.rpc.transport import CHANNEL_OPTIONS, CertificateFiles
from chassis.settings import BaseServiceSettings

MAX_CONCURRENT_CALLS: Final = 1000
DRAIN_SECONDS: Final = 4.0
"""Running calls get this long after a stop; together with the rest of the process it stays below 5 s."""

AddServicer = Callable[[Any, Any], None]

_OPTIONS: Final = (
    *CHANNEL_OPTIONS,
    ("grpc.max_concurrent_streams", 500),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.so_reuseport", 0),
)
_log = structlog.get_logger("rpc.server")


class _Registrar:
    """Stands in for the server while generated code registers a servicer, to put the boundary around it."""

    def __init__(self, boundary: Boundary) -> None:
        self._boundary = boundary
        self.services: dict[str, dict[str, Handler]] = {}

    def add_generic_rpc_handlers(self, handlers: Sequence[object]) -> None:
        """The same handlers come by their names in the next call."""

    def add_registered_method_handlers(self, service_name: str, handlers: Mapping[str, Handler]) -> None:
        service = descriptor_pool.Default().FindServiceByName(service_name)
        self.services[service_name] = self._boundary.guard(service, handlers)


class Server:
    """Serves `servicers`, pairs of the generated `add_..._to_server` and the servicer.

    Raises ContractError at once for a method without an access option.
    """

    def __init__(
        self,
        settings: BaseServiceSettings,
        servicers: Sequence[tuple[AddServicer, object]],
        *,
        verifier: TokenVerifier | None = None,
    ) -> None:
        self._settings = settings
        self._verifier = verifier or TokenVerifier.from_file(settings.required("token_jwks_file"))
        self._certificates = CertificateFiles.of(settings)
        registrar = _Registrar(Boundary(self._verifier))
        for add, servicer in servicers:
            add(servicer, registrar)
        self._services = registrar.services
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self.port = 0
        """The bound port, once started."""

    async def start(self) -> int:
        """Binds and answers. Returns the port. Raises OSError when the address is taken."""
        server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS)
        for name, handlers in self._services.items():
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
            server.add_registered_method_handlers(name, handlers)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if self._settings.environment == "development":
            _add_reflection(server, self._services)
        address = self._settings.grpc_listen
        try:
            self.port = server.add_secure_port(address, self._certificates.server_credentials())
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: {error}") from None
        await server.start()
        self._server = server
        for name in ("", *self._services):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        _log.info("listening", port=self.port, services=sorted(self._services))
        return self.port

    async def stop(self, grace_seconds: float = DRAIN_SECONDS) -> None:
        """Takes no new calls and lets the running ones finish."""
        if self._server is None:
            return
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_seconds)
        self._server = None

    async def serve(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set, then drains."""
        await self.start()
        try:
            await stop.wait()
        finally:
            await self.stop()

    @property
    def serving(self) -> bool:
        """True between start and stop: a readiness check."""
        return self._server is not None


def _add_reflection(server: grpc.aio.Server, services: Mapping[str, object]) -> None:
    from grpc_reflection.v1alpha import reflection

    reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
