"""Starts the invoicing service: `python -m services.invoicing serve|work|migrate`."""

from sqlalchemy import text

from chassis import lifecycle, migrations, telemetry
from chassis.bus import Bus
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.gaps import gap_fetcher
from chassis.inbox import Consumers, Recovery
from chassis.jobs import run_jobs
from chassis.lifecycle import HealthServer
from chassis.relay import Relay
from chassis.rpc.server import Server
from services.invoicing.consumers import HANDLERS
from services.invoicing.jobs import jobs
from services.invoicing.rpc import servicers
from services.invoicing.settings import InvoicingSettings

SERVICE = "invoicing"


async def serve() -> None:
    """The gRPC server."""
    settings = InvoicingSettings.load()
    telemetry.setup(SERVICE, settings)
    key = settings.pay_link_key()
    db = await _database(settings)
    try:
        server = Server(settings, servicers(db, pay_link_key=key))
        checks: dict[str, lifecycle.Check] = {
            "database": lambda: _answers(db),
            "server": lambda: server.serving,
        }
        await lifecycle.run(server.serve, HealthServer(settings.metrics_listen, checks).serve)
    finally:
        await db.close()


async def work() -> None:
    """The outbox relay, the consumers, and the jobs."""
    settings = InvoicingSettings.load()
    telemetry.setup(f"{SERVICE}-work", settings)
    db = await _database(settings)
    bus = Bus(settings.required("nats_url"), SERVICE, num_replicas=settings.nats_replicas)
    try:
        await bus.connect()
        health = HealthServer(settings.metrics_listen, {"database": lambda: _answers(db)})
        await lifecycle.run(
            Relay(db, bus, SERVICE).run(),
            Consumers(
                db, bus, SERVICE, HANDLERS, db.clock, recovery=Recovery(fetch_gap=gap_fetcher(settings))
            ).run(),
            run_jobs(db, jobs(db)),
            health.serve,
        )
    finally:
        await bus.close()
        await db.close()


async def migrate() -> None:
    """Brings the database to the newest version."""
    await migrations.run_migrations(InvoicingSettings.load(), SERVICE)


async def _database(settings: InvoicingSettings) -> Database:
    url = settings.required("database_url")
    db = Database(url, pool_size=settings.database_pool_size, name=SERVICE, clock=SystemClock())
    await db.open()
    telemetry.instrument_engine(db.engine)
    return db


async def _answers(db: Database) -> bool:
    async with db.transport() as tx:
        await tx.execute(text("SELECT 1"))
    return True


if __name__ == "__main__":
    lifecycle.main(SERVICE, serve=serve, work=work, migrate=migrate)
