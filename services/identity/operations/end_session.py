"""Ends sessions: the caller's own, by signing out or from the list."""

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database
from chassis.errors import not_found
from services.identity.store import sessions


async def logout(db: Database, organization_id: str) -> None:
    """Harmless when the session has ended, and for API keys, which have none."""
    session_id = current_call().caller.session_id
    if session_id is None:
        return
    async with db.write(organization_id) as tx:
        if await sessions.end_session(tx, session_id, reason="signed out"):
            audit.record(tx, "session.ended", session_id, reason="signed out")


async def revoke_session(db: Database, organization_id: str, session_id: str) -> None:
    """Raises SESSION_NOT_FOUND for anybody else's session."""
    async with db.write(organization_id) as tx:
        session = await sessions.get_session(tx, session_id)
        if session is None or session.person_id != current_call().caller.subject_id:
            raise not_found("session")
        if await sessions.end_session(tx, session_id, reason="revoked"):
            audit.record(tx, "session.ended", session_id, reason="revoked")
