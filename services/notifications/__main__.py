"""Starts the notifications service: `python -m services.notifications serve|work|migrate`."""

from chassis import lifecycle, migrations, telemetry
from chassis.bus import Bus
from chassis.clock import SystemClock
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
from services.notifications.consumers import HANDLERS
from services.notifications.jobs import jobs
from services.notifications.rpc import servicers
from services.notifications.settings import NotificationsSettings

SERVICE = "notifications"


async def serve() -> None:
    """The gRPC server."""
    settings = NotificationsSettings.load()
    telemetry.setup(SERVICE, settings)
    db = await open_database(settings, SERVICE)
    try:
        server = Server(settings, [*servicers(db), event_log(db), *clock_port(settings, db, HANDLERS)])
        checks: dict[str, lifecycle.Check] = {
            "database": lambda: answers(db),
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
    db = await open_database(settings, SERVICE)
    bus = Bus(settings.required("nats_url"), SERVICE, num_replicas=settings.nats_replicas)
    invoicing, payments = connect(settings, "invoicing"), connect(settings, "payments")
    mailer = Mailer(
        db,
        GrpcDocuments(invoicing, payments),
        channel,
        public_url=settings.public_url,
        concurrency=settings.mail_concurrency,
    )
    health = HealthServer(settings.metrics_listen, {"database": lambda: answers(db)})
    try:
        await bus.connect()
        consumers = Consumers(
            db, bus, SERVICE, HANDLERS, clock, recovery=Recovery(fetch_gap=gap_fetcher(settings))
        )
        parts: list[lifecycle.Part] = [
            consumers.run(),
            mailer.serve,
            Relay(db, bus, SERVICE).run(),
            health.serve,
        ]
        if settings.test_clocks:
            parts.append(run_jobs(db, jobs(db, mailer)))
        await lifecycle.run(*parts)
    finally:
        await bus.close()
        await invoicing.close()
        await payments.close()
        await db.close()


async def migrate() -> None:
    """Brings the database to the newest version."""
    await migrations.run_migrations(NotificationsSettings.load(), SERVICE)


if __name__ == "__main__":
    lifecycle.main(SERVICE, serve=serve, work=work, migrate=migrate)
