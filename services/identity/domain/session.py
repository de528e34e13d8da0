"""Sessions: how long they live, and what a refresh token may still do."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from chassis.caller import Audience

ACCESS_TOKEN_LIFETIME: Final = timedelta(minutes=5)
PAY_LINK_TOKEN_LIFETIME: Final = timedelta(minutes=15)
REPEAT_WINDOW: Final = timedelta(seconds=10)
"""A browser refreshes in two tabs at once: for so long the token just used gives the same successor again."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """`idle`: since the last refresh; `absolute`: since signing in."""

    idle: timedelta
    absolute: timedelta


LIFETIMES: Final = {
    Audience.CUSTOMER: Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12)),
    Audience.STAFF: Lifetime(idle=timedelta(minutes=15), absolute=timedelta(hours=8)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person's stay from signing in to signing out."""

    organization_id: str
    session_id: str
    person_id: str
    audience: Audience
    device: str
    network_address: str
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.idle_expires_at and now < self.expires_at

    def seen(self, now: datetime) -> "Session":
        """After a refresh: the idle time starts anew, the end stays."""
        idle_expires_at = min(now + LIFETIMES[self.audience].idle, self.expires_at)
        return replace(self, last_seen_at=now, idle_expires_at=idle_expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One of a session's refresh tokens as it is kept: never the token itself.

    `sealed_successor` is the token that replaced it, readable only with this token's own secret.
    """

    token_hash: bytes
    session_id: str
    replaced_at: datetime | None = None
    sealed_successor: bytes | None = None
    successor_used: bool = False


class Use(Enum):
    """What presenting a refresh token means."""

    ROTATE = "rotate"
    REPEAT = "repeat"
    REUSE = "reuse"


def use_of(token: RefreshToken, now: datetime) -> Use:
    """ROTATE the newest; REPEAT one just replaced; REUSE of an older one means that somebody copied it."""
    if token.replaced_at is None:
        return Use.ROTATE
    if now - token.replaced_at <= REPEAT_WINDOW and not token.successor_used:
        return Use.REPEAT
    return Use.REUSE


def new_session(
    *, organization_id: str, session_id: str, person_id: str, audience: Audience, now: datetime
) -> Session:
    """A session that begins now; the sign-in adds device and network address."""
    lifetime = LIFETIMES[audience]
    return Session(
        organization_id=organization_id,
        session_id=session_id,
        person_id=person_id,
        audience=audience,
        device="",
        network_address="",
        created_at=now,
        last_seen_at=now,
        idle_expires_at=now + lifetime.idle,
        expires_at=now + lifetime.absolute,
    )
