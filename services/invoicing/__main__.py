"""Starts the invoicing service: `python -m services.invoicing serve|work|migrate`."""

from chassis import lifecycle, migrations, telemetry
from chassis.bus import Bus
from chassis.clock_port import clock_port
from chassis.gaps import gap_fetcher
from chassis.inbox import Consumers, Recovery
from chassis.jobs import run_jobs
from chassis.lifecycle import HealthServer
from chassis.relay import Relay
from chassis.rpc.client import connect
from chassis.rpc.server import Server
from chassis.service_database import answers, open_database
from services.invoicing.cash_books import RemoteCashBooks
from services.invoicing.consumers import HANDLERS
from services.invoicing.identity import Staff
from services.invoicing.jobs import jobs
from services.invoicing.payments import TransferSlips
from services.invoicing.rpc import servicers
from services.invoicing.settings import InvoicingSettings

SERVICE = "invoicing"


async def serve() -> None:
    """The gRPC server."""
    settings = InvoicingSettings.load()
    telemetry.setup(SERVICE, settings)
    key = settings.pay_link_key()
    db = await open_database(settings, SERVICE)
    payments, identity = connect(settings, "payments"), connect(settings, "identity")
    try:
        served = servicers(
            db,
            pay_link_key=key,
            find_slip=TransferSlips(payments).find,
            cash=RemoteCashBooks(payments),
            must_be_staff=Staff(identity).must_be_staff,
        )
        server = Server(settings, [*served, *clock_port(settings, db, HANDLERS)])
        checks: dict[str, lifecycle.Check] = {
            "database": lambda: answers(db),
            "server": lambda: server.serving,
        }
        await lifecycle.run(server.serve, HealthServer(settings.metrics_listen, checks).serve)
    finally:
        await identity.close()
        await payments.close()
        await db.close()


async def work() -> None:
    """The outbox relay, the consumers, and the jobs."""
    settings = InvoicingSettings.load()
    telemetry.setup(f"{SERVICE}-work", settings)
    db = await open_database(settings, SERVICE)
    bus = Bus(settings.required("nats_url"), SERVICE, num_replicas=settings.nats_replicas)
    try:
        await bus.connect()
        health = HealthServer(settings.metrics_listen, {"database": lambda: answers(db)})
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


if __name__ == "__main__":
    lifecycle.main(SERVICE, serve=serve, work=work, migrate=migrate)
