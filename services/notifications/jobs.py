"""What notifications does when a test clock moves; the mailer does it otherwise."""

from collections.abc import Sequence

from chassis.database import Database
from chassis.jobs import Job, earliest
from services.notifications.mailer import SWEEP_BATCH, Mailer


def jobs(db: Database, mailer: Mailer) -> Sequence[Job]:
    """Mails that are due are sent, and one that could not be is tried again at its time."""

    async def send() -> int:
        return len(await mailer.send_due())

    next_due = earliest(
        db,
        "SELECT min(greatest(due_at, leased_until)) FROM messages WHERE organization_id = :organization_id"
        " AND state = 'queued' AND greatest(due_at, leased_until) > :now",
    )
    return (Job("send mails", None, send, batch_limit=SWEEP_BATCH, next_due=next_due),)
