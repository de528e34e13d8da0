"""Access tokens live for minutes; a session renews its own shortly before the end.

A refresh token works once, and a browser asks for several things at a time: requests that carry the same old
cookie share one renewal, and for two minutes late ones get its result.
"""

import asyncio
import hashlib
import time
from dataclasses import replace

from services.gateway.clients import Sender, Services
from services.gateway.web.session import Area, Session
from tallyport.identity.v1.sessions_pb2 import (
    MintPayLinkTokenRequest,
    RefreshSessionRequest,
    SessionTokens,
)
from tallyport.invoicing.v1.pay_links_pb2 import ResolvePayLinkRequest

RENEW_BEFORE_SECONDS = 45.0
_KEPT_SECONDS = 120.0
PAY_LINK_SESSION_SECONDS = 4 * 3600


class Renewal:
    """Renews sessions, each at most once at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._running: dict[bytes, tuple[float, asyncio.Task[Session]]] = {}

    async def renewed(self, area: Area, session: Session, sender: Sender) -> Session | None:
        """The session with new tokens; None while the old ones are good. Raises ServiceError."""
        if session.access_expires_at - time.time() > RENEW_BEFORE_SECONDS:
            return None
        self._drop_old()
        key = hashlib.sha256(session.refresh_token.encode()).digest()
        kept = self._running.get(key)
        if kept is None:
            renew = self._of_link if area is Area.PAY_LINK else self._of_person
            task = asyncio.create_task(renew(session, sender))
            task.add_done_callback(lambda done: self._forget_failed(key, done))
            self._running[key] = kept = (time.monotonic() + _KEPT_SECONDS, task)
        fresh = await asyncio.shield(kept[1])
        return replace(fresh, csrf=session.csrf, flashes=list(session.flashes))

    async def _of_person(self, session: Session, sender: Sender) -> Session:
        tokens = await sender.call(
            self._services.sessions.RefreshSession,
            RefreshSessionRequest(refresh_token=session.refresh_token),
        )
        return session_of(tokens, session.slug)

    async def _of_link(self, session: Session, sender: Sender) -> Session:
        return await link_session(self._services, session.refresh_token, sender)

    def _forget_failed(self, key: bytes, done: "asyncio.Task[Session]") -> None:
        if done.cancelled() or done.exception() is not None:
            self._running.pop(key, None)

    def _drop_old(self) -> None:
        now = time.monotonic()
        for key in [key for key, (until, task) in self._running.items() if until < now and task.done()]:
            del self._running[key]


def session_of(tokens: SessionTokens, slug: str) -> Session:
    """The web session of a person who signed in or was renewed."""
    me = tokens.me
    return Session(
        access_token=tokens.access.token,
        access_expires_at=float(tokens.access.expires_at.ToSeconds()),
        refresh_token=tokens.refresh_token,
        expires_at=float(min(tokens.idle_expires_at.ToSeconds(), tokens.expires_at.ToSeconds())),
        slug=slug,
        organization_id=me.organization_id,
        subject_id=me.subject_id,
        customer_id=me.customer_id,
        name=me.name,
        email=me.email,
        locale=me.locale,
        permissions=list(me.permissions),
    )


async def link_session(services: Services, token: str, sender: Sender) -> Session:
    """The web session of a pay link's holder. Looking at the link changes nothing. NOT_FOUND for a dead one."""
    link = await sender.call(services.pay_links.ResolvePayLink, ResolvePayLinkRequest(token=token))
    access = await sender.call(
        services.sessions.MintPayLinkToken,
        MintPayLinkTokenRequest(
            organization_id=link.organization_id,
            customer_id=link.customer_id,
            invoice_id=link.invoice_id,
            pay_link_id=link.pay_link_id,
        ),
    )
    ends = time.time() + PAY_LINK_SESSION_SECONDS
    if link.HasField("expires_at"):
        ends = min(ends, float(link.expires_at.ToSeconds()))
    return Session(
        access_token=access.token,
        access_expires_at=float(access.expires_at.ToSeconds()),
        refresh_token=token,
        expires_at=ends,
        organization_id=link.organization_id,
        subject_id=link.pay_link_id,
        customer_id=link.customer_id,
        invoice_id=link.invoice_id,
    )
