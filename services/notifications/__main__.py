"""Starts the notifications service: `python -m services.notifications serve|work|migrate`."""

from sqlalchemy import text

from chassis import lifecycle, migrations, telemetry
from chassis.bus import Bus
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.event_log import event_log
from chassis.gaps import gap_fetcher
from chassis.inbox import Consumers, Recovery
from chassis.lifecycle import HealthServer
from chassis.relay import Relay
from chassis.rpc.client import connect
from chassis.rpc.server import Server
from services.notifications.consumers import HANDLERS
from services.notifications.rpc import servicers
from services.notifications.settings import NotificationsSettings

SERVICE = "notifications"


async def serve() -> None:
    """The gRPC server."""
    settings = NotificationsSettings.load()
    telemetry.setup(SERVICE, settings)
    db = await _database(settings)
    try:
        server = Server(settings, [*servicers(db), event_log(db)])
        checks: dict[str, lifecycle.Check] = {
            "database": lambda: _answers(db),
            "server": lambda: server.serving,
        }
        await lifecycle.run(server.serve, HealthServer(settings.metrics_listen, checks).serve)
    finally:
        await db.close()


async def work() -> None:
    """Consumers, the mailer and the outbox relay."""
    from services.notifications.channels.smtp import SmtpChannel
    from services.notifications.documents import GrpcDocuments
    from services.notifications.mailer import Mailer

    settings = NotificationsSettings.load()
    telemetry.setup(f"{SERVICE}-work", settings)
    clock = SystemClock()
    channel = SmtpChannel(settings.required("smtp_url"), settings.mail_from, clock)
    db = await _database(settings)
    bus = Bus(settings.required("nats_url"), SERVICE, num_replicas=settings.nats_replicas)
    invoicing, payments = connect(settings, "invoicing"), connect(settings, "payments")
    mailer = Mailer(
        db,
        GrpcDocuments(invoicing, payments),
        channel,
        public_url=settings.public_url,
        concurrency=settings.mail_concurrency,
    )
    health = HealthServer(settings.metrics_listen, {"database": lambda: _answers(db)})
    try:
        await bus.connect()
        consumers = Consumers(
            db, bus, SERVICE, HANDLERS, clock, recovery=Recovery(fetch_gap=gap_fetcher(settings))
        )
        await lifecycle.run(consumers.run(), mailer.serve, Relay(db, bus, SERVICE).run(), health.serve)
    finally:
        await bus.close()
        await invoicing.close()
        await payments.close()
        await db.close()


async def migrate() -> None:
    """Brings the database to the newest version."""
    await migrations.run_migrations(NotificationsSettings.load(), SERVICE)


async def _database(settings: NotificationsSettings) -> Database:
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
