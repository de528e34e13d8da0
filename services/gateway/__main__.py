"""`python -m services.gateway serve`: pages and API on one address, health and figures on another."""

import asyncio
from contextlib import AbstractContextManager, nullcontext

import structlog
import uvicorn

from chassis import lifecycle, telemetry
from chassis.bus import Bus
from chassis.lifecycle import HealthServer
from chassis.rpc.client import connect
from chassis.settings import split_address
from services.gateway.app import build
from services.gateway.clients import SERVICES
from services.gateway.revocations import Revocations
from services.gateway.settings import GatewaySettings

_NAME = "gateway"
_DRAIN_SECONDS = 4
_log = structlog.get_logger(__name__)


class _Uvicorn(uvicorn.Server):
    """uvicorn without signal handlers of its own: chassis.lifecycle has them."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


async def serve() -> None:
    """Runs until told to stop; requests in progress get a few seconds to end."""
    settings = GatewaySettings.load()
    telemetry.setup(_NAME, settings)
    channels = {name: connect(settings, name) for name in SERVICES}
    revocations = Revocations()
    bus = _bus(settings, revocations)
    host, port = split_address(settings.http_listen)
    server = _Uvicorn(
        uvicorn.Config(
            build(settings, channels, revocations=revocations),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            h11_max_incomplete_event_size=32_768,
        )
    )

    async def pages(stop: asyncio.Event) -> None:
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stopping.cancel()
        await serving

    health = HealthServer(settings.metrics_listen)
    try:
        if bus is not None:
            await bus.connect()  # within 2 s, with or without an answer
        await lifecycle.run(pages, health.serve)
    finally:
        if bus is not None:
            await bus.close()
        for channel in channels.values():
            await channel.close()


def _bus(settings: GatewaySettings, revocations: Revocations) -> Bus | None:
    if settings.nats_url is None:
        _log.warning("revocations.not_heard", why="NATS_URL is not set: revoked tokens work until they end")
        return None
    bus = Bus(settings.nats_url, _NAME)
    revocations.listen(bus)
    return bus


if __name__ == "__main__":
    lifecycle.main(_NAME, serve=serve)
