"""A service's own database, as its processes open and watch it."""

from sqlalchemy import text

from chassis import telemetry
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.settings import BaseServiceSettings


async def open_database(settings: BaseServiceSettings, service: str) -> Database:
    """The database that the settings name, open and traced. Whoever opens it closes it."""
    url = settings.required("database_url")
    db = Database(
        url,
        pool_size=settings.database_pool_size,
        name=service,
        clock=SystemClock(),
        test_clocks=settings.test_clocks,
    )
    await db.open()
    telemetry.instrument_engine(db.engine)
    return db


async def answers(db: Database) -> bool:
    """Whether the database answers, for health checks. Raises what went wrong."""
    async with db.transport() as tx:
        await tx.execute(text("SELECT 1"))
    return True
