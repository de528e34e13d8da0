"""Starts the payments service: `python -m services.payments serve|work|migrate`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from chassis import lifecycle, migrations, telemetry
from chassis.bus import Bus
from chassis.clock_port import clock_port
from chassis.event_log import event_log
from chassis.gaps import gap_fetcher
from chassis.inbox import Consumers, Recovery
from chassis.jobs import run_jobs
from chassis.lifecycle import HealthServer
from chassis.relay import Relay
from chassis.rpc.client import connect
from chassis.rpc.server import Server
from chassis.service_database import answers, open_database
from services.payments.consumers import AGGREGATE_TYPES, HANDLERS
from services.payments.desk import Desk
from services.payments.identity import Colleagues
from services.payments.invoicing import Reservations
from services.payments.jobs import jobs
from services.payments.operations.follow_test_clock import let_go_of_clock
from services.payments.providers import Provider
from services.payments.rpc import servicers
from services.payments.settings import Settings

SERVICE = "payments"


async def serve() -> None:
    """The gRPC server."""
    settings = Settings.load()
    if settings.environment == "production":
        settings.required("public_url")  # or payers could be sent anywhere after paying
    telemetry.setup(SERVICE, settings)
    async with _desk(settings) as desk:
        clocks = clock_port(
            settings,
            desk.db,
            HANDLERS,
            aggregate_types=AGGREGATE_TYPES,
            removed=partial(let_go_of_clock, desk),
        )
        server = Server(settings, [*servicers(desk), event_log(desk.db), *clocks])
        checks: dict[str, lifecycle.Check] = {
            "database": lambda: answers(desk.db),
            "server": lambda: server.serving,
        }
        await lifecycle.run(server.serve, HealthServer(settings.metrics_listen, checks).serve)


async def work() -> None:
    """The outbox relay, the consumers, and the reconciler."""
    settings = Settings.load()
    telemetry.setup(f"{SERVICE}-work", settings)
    bus = Bus(settings.required("nats_url"), SERVICE, num_replicas=settings.nats_replicas)
    async with _desk(settings) as desk:
        try:
            await bus.connect()
            health = HealthServer(settings.metrics_listen, {"database": lambda: answers(desk.db)})
            await lifecycle.run(
                Relay(desk.db, bus, SERVICE).run(),
                Consumers(
                    desk.db,
                    bus,
                    SERVICE,
                    HANDLERS,
                    desk.db.clock,
                    recovery=Recovery(fetch_gap=gap_fetcher(settings)),
                    aggregate_types=AGGREGATE_TYPES,
                ).run(),
                run_jobs(desk.db, jobs(desk)),
                health.serve,
            )
        finally:
            await bus.close()


async def migrate() -> None:
    """Brings the database to the newest version."""
    await migrations.run_migrations(Settings.load(), SERVICE)


@asynccontextmanager
async def _desk(settings: Settings) -> AsyncIterator[Desk]:
    db = await open_database(settings, SERVICE)
    provider, others, channel = _provider(settings), _others(settings), connect(settings, "invoicing")
    identity = connect(settings, "identity")
    try:
        desk = Desk(
            db,
            provider,
            Reservations(channel),
            settings,
            providers=others,
            find_colleagues=Colleagues(identity).find,
        )
        try:
            yield desk
        finally:
            await desk.finish()
    finally:
        await identity.close()
        await channel.close()
        for one in (provider, *others.values()):
            await one.close()
        await db.close()


def _provider(settings: Settings) -> Provider:
    if settings.provider == "instant":
        from services.payments.providers.instant import Instant

        return Instant()
    if settings.provider == "stripe":
        return _stripe(settings)
    from services.payments.providers.simulator import Simulator

    return Simulator(settings.simulator_url, settings.required("simulator_secret"), settings.webhook_secrets)


def _others(settings: Settings) -> dict[str, Provider]:
    """Providers that organizations' policies may name besides the usual one."""
    if not settings.stripe_secret_key or settings.provider == "stripe":
        return {}
    stripe = _stripe(settings)
    return {stripe.name: stripe}


def _stripe(settings: Settings) -> Provider:
    from services.payments.providers.stripe import Stripe

    return Stripe(
        settings.required("stripe_secret_key"),
        settings.stripe_webhook_secrets,
        api_url=settings.stripe_api_url,
    )


if __name__ == "__main__":
    lifecycle.main(SERVICE, serve=serve, work=work, migrate=migrate)
