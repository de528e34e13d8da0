"""Ends sessions: the caller's own, by signing out or from the list, and those that another operation ends."""

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import not_found
from services.identity.operations.announce import announce_session_ended
from services.identity.store import sessions


async def logout(db: Database, organization_id: str) -> None:
    """Harmless when the session has ended, and for API keys, which have none."""
    caller = current_call().caller
    if caller.session_id is None or caller.subject_id is None:
        return
    async with db.write(organization_id) as tx:
        await end_session(tx, caller.session_id, caller.subject_id, reason="signed out")


async def revoke_session(db: Database, organization_id: str, session_id: str) -> None:
    """Raises SESSION_NOT_FOUND for anybody else's session."""
    async with db.write(organization_id) as tx:
        session = await sessions.get_session(tx, session_id)
        if session is None or session.person_id != current_call().caller.subject_id:
            raise not_found("session")
        await end_session(tx, session_id, session.person_id, reason="revoked")


async def end_session(tx: WriteTx, session_id: str, person_id: str, *, reason: str) -> None:
    """Ends one session, with audit entry and event; nothing when it had ended before."""
    if await sessions.end_session(tx, session_id, reason=reason):
        audit.record(tx, "session.ended", session_id, reason=reason)
        announce_session_ended(tx, session_id, person_id)


async def end_sessions_of(tx: WriteTx, person_id: str, *, reason: str, except_id: str | None = None) -> None:
    """Ends a person's open sessions, all or all but one, as part of what the caller logs."""
    for session_id in await sessions.end_sessions_of(tx, person_id, reason=reason, except_id=except_id):
        announce_session_ended(tx, session_id, person_id)
