"""Starts the identity service: `python -m services.identity serve|work|migrate`."""

from contextlib import AsyncExitStack

from chassis import lifecycle, migrations, telemetry
from chassis.bus import Bus
from chassis.clock import SystemClock
from chassis.clock_port import clock_port
from chassis.contract import SERVICES
from chassis.event_log import event_log
from chassis.jobs import run_jobs
from chassis.lifecycle import HealthServer
from chassis.relay import Relay
from chassis.rpc.client import connect
from chassis.rpc.server import Server
from chassis.rpc.tokens import TokenSigner
from chassis.service_database import answers, open_database
from services.identity.clock_mover import ClockMover
from services.identity.clock_walk import Ports
from services.identity.hashing import Hasher
from services.identity.jobs import jobs
from services.identity.rpc import servicers
from services.identity.settings import IdentitySettings
from services.identity.tokens import TokenIssuer
from tallyport.common.v1 import clock_port_pb2_grpc

SERVICE = "identity"


async def serve() -> None:
    """The gRPC server."""
    settings = IdentitySettings.load()
    telemetry.setup(SERVICE, settings)
    clock = SystemClock()
    signer = TokenSigner(settings.required("token_signing_key_file").read_bytes())
    db, hasher = await open_database(settings, SERVICE), Hasher(settings.hash_threads)
    try:
        services = servicers(db, hasher, TokenIssuer(signer, clock))
        server = Server(settings, [*services, event_log(db), *clock_port(settings, db)])
        checks: dict[str, lifecycle.Check] = {
            "database": lambda: answers(db),
            "server": lambda: server.serving,
        }
        await lifecycle.run(server.serve, HealthServer(settings.metrics_listen, checks).serve)
    finally:
        hasher.close()
        await db.close()


async def work() -> None:
    """The outbox relay and the clean-up jobs."""
    settings = IdentitySettings.load()
    telemetry.setup(f"{SERVICE}-work", settings)
    db = await open_database(settings, SERVICE)
    bus = Bus(settings.required("nats_url"), SERVICE, num_replicas=settings.nats_replicas)
    try:
        await bus.connect()
        health = HealthServer(settings.metrics_listen, {"database": lambda: answers(db)})
        async with AsyncExitStack() as stack:
            parts: list[lifecycle.Part] = [
                Relay(db, bus, SERVICE).run(),
                run_jobs(db, jobs(db)),
                health.serve,
            ]
            if settings.test_clocks:
                parts.append(ClockMover(db, await _clock_ports(settings, stack)).run())
            await lifecycle.run(*parts)
    finally:
        await bus.close()
        await db.close()


async def _clock_ports(settings: IdentitySettings, stack: AsyncExitStack) -> Ports:
    """Of every service, this one included."""
    ports = {}
    for service in SERVICES:
        channel = await stack.enter_async_context(connect(settings, service))
        ports[service] = clock_port_pb2_grpc.ClockPortStub(channel)
    return ports


async def migrate() -> None:
    """Brings the database to the newest version."""
    await migrations.run_migrations(IdentitySettings.load(), SERVICE)


if __name__ == "__main__":
    lifecycle.main(SERVICE, serve=serve, work=work, migrate=migrate)
