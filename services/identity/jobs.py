"""What identity does by the clock."""

from collections.abc import Sequence

from chassis.database import Database
from chassis.jobs import Job
from services.identity.operations import delete_old_sessions

HOUR_SECONDS = 3600.0


def jobs(db: Database) -> Sequence[Job]:
    """Cleaning up, once an hour."""
    return (
        Job(
            name="delete old sessions",
            period_seconds=HOUR_SECONDS,
            run=lambda: delete_old_sessions.delete_old_sessions(db),
            batch_limit=delete_old_sessions.BATCH,
        ),
        Job(
            name="delete old throttles",
            period_seconds=HOUR_SECONDS,
            run=lambda: delete_old_sessions.delete_old_throttles(db),
            batch_limit=1_000_000,
        ),
    )
