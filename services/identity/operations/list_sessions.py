"""Lists the caller's own open sessions."""

from chassis.caller import current_call
from chassis.database import Database
from services.identity.domain.session import Session
from services.identity.store import sessions


async def list_sessions(db: Database, organization_id: str) -> list[Session]:
    """The newest first; none for API keys."""
    async with db.read(organization_id) as tx:
        return await sessions.list_open_sessions(tx, current_call().caller.subject_id or "")
