"""Deletes what no longer matters: sessions long over, and counters of failed sign-ins that were forgotten."""

from datetime import timedelta
from typing import Final

from chassis.database import Database
from services.identity.domain.throttle import FORGET_AFTER
from services.identity.store import sessions, throttles

KEEP_SESSIONS: Final = timedelta(days=30)
"""Ended sessions stay this long, to answer who was signed in when."""
BATCH: Final = 500
ORGANIZATIONS_PER_RUN: Final = 50


async def delete_old_sessions(db: Database) -> int:
    """How many sessions went."""
    older_than = db.clock.now() - KEEP_SESSIONS
    async with db.sweep() as tx:
        found = await sessions.organizations_with_old_sessions(
            tx, older_than=older_than, limit=ORGANIZATIONS_PER_RUN
        )
    deleted = 0
    for organization_id in found:
        async with db.write(organization_id) as tx:
            deleted += await sessions.delete_old_sessions(tx, older_than=older_than, limit=BATCH)
    return deleted


async def delete_old_throttles(db: Database) -> int:
    """How many counters went."""
    older_than = db.clock.now() - FORGET_AFTER
    async with db.sweep() as tx:
        found = await throttles.organizations_with_old_throttles(
            tx, older_than=older_than, limit=ORGANIZATIONS_PER_RUN
        )
    deleted = 0
    for organization_id in found:
        async with db.write(organization_id) as tx:
            deleted += await throttles.delete_old_throttles(tx, older_than=older_than)
    return deleted
