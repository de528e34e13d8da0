"""Who was signed out, barred or revoked in the last minutes: what tokens they hold is refused at the edge.

Services check a token's signature and end without asking anybody, so by itself it works for its 5 minutes. Identity
announces each revocation, and this process remembers what it hears for as long as a token can live. That is quick,
not the wall: what was revoked while NATS was away, or before this process started, works until its token ends.
"""

import base64
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from chassis.bus import Bus
from chassis.errors import Kind, ServiceError
from chassis.rpc.tokens import MAX_LIFETIME_SECONDS
from tallyport.identity.v1 import events_pb2

SUBJECTS: Final = tuple(f"evt.identity.*.{aggregate}.*" for aggregate in ("session", "person", "api_key"))
ENTRIES_MAX: Final = 100_000
"""About 15 MB; beyond it the oldest are forgotten, whose tokens are nearest to their end."""

_log = structlog.get_logger(__name__)


class Revocations:
    """Ids of sessions, people and API keys with the time of their revocation. `now` gives Unix seconds."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._revoked_at: dict[str, float] = {}

    def listen(self, bus: Bus) -> None:
        """Hear identity's events on `bus`, which is connected afterwards."""
        for subject in SUBJECTS:
            bus.listen(subject, self.hear)

    async def hear(self, message: Msg) -> None:
        """Take in one event. Old ones, as when a stream is made anew, matter no more."""
        try:
            happened_at = datetime.fromisoformat((message.headers or {})["tallyport-occurred-at"]).timestamp()
            self._take_in(message.subject.rpartition(".")[2], message.data, happened_at)
        except (KeyError, ValueError, DecodeError) as error:
            _log.warning("revocations.unreadable", subject=message.subject, error=str(error))

    def includes(self, token: str) -> bool:
        """Whether the session, person or API key of an access token was revoked.

        Reads its claims unverified: a forged token is refused by the service that it is sent to.
        """
        if not self._revoked_at:
            return False
        try:
            payload = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            ids = (claims.get("sid"), claims.get("sub"))
        except (AttributeError, IndexError, RecursionError, ValueError):
            return False
        return any(isinstance(one, str) and self._is_revoked(one) for one in ids)

    def _is_revoked(self, subject_id: str) -> bool:
        revoked_at = self._revoked_at.get(subject_id)
        return revoked_at is not None and self._matters(revoked_at)

    def _take_in(self, event: str, payload: bytes, happened_at: float) -> None:
        if not self._matters(happened_at):
            return
        if event == "SessionEnded":
            self._add(events_pb2.SessionEnded.FromString(payload).session_id, happened_at)
        elif event == "ApiKeyRevoked":
            self._add(events_pb2.ApiKeyRevoked.FromString(payload).api_key_id, happened_at)
        elif event == "PersonChanged":
            person = events_pb2.PersonChanged.FromString(payload)
            if not person.active:
                self._add(person.person_id, happened_at)
            elif self._revoked_at.get(person.person_id, happened_at) < happened_at:
                del self._revoked_at[person.person_id]

    def _add(self, subject_id: str, happened_at: float) -> None:
        self._revoked_at.pop(subject_id, None)
        while self._revoked_at:
            oldest = next(iter(self._revoked_at))
            if len(self._revoked_at) < ENTRIES_MAX and self._matters(self._revoked_at[oldest]):
                break
            del self._revoked_at[oldest]
        self._revoked_at[subject_id] = happened_at

    def _matters(self, revoked_at: float) -> bool:
        return self._now() - revoked_at <= MAX_LIFETIME_SECONDS


def session_ended() -> ServiceError:
    """The answer to a revoked token, as identity gives it to a refresh token."""
    return ServiceError(
        Kind.UNAUTHENTICATED, "SESSION_ENDED", "Your session has ended. Please sign in again."
    )
