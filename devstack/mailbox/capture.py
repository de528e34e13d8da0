"""The SMTP side: any sender, any recipient, nothing leaves this machine."""

import asyncio
import contextlib
import socket
import weakref
from collections.abc import AsyncGenerator
from typing import Any

from aiosmtpd.smtp import SMTP

from devstack.mailbox.store import Store

SIZE_LIMIT_BYTES = 25 * 1024 * 1024


class _Handler:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        await self._store.keep(envelope.original_content, envelope.mail_from or "", list(envelope.rcpt_tos))
        return "250 Message kept"


@contextlib.asynccontextmanager
async def smtp_server(store: Store, listener: socket.socket) -> AsyncGenerator[None]:
    """Take mails while the block runs; a mail is stored before the sender hears 250."""
    loop = asyncio.get_running_loop()
    handler = _Handler(store)
    connections: weakref.WeakSet[Any] = weakref.WeakSet()

    def protocol() -> Any:
        # Given a hostname, aiosmtpd does not ask DNS for ours, which can take seconds.
        smtp = SMTP(
            handler,
            hostname="mailbox.localhost",
            ident="Tallyport mailbox",
            enable_SMTPUTF8=True,
            data_size_limit=SIZE_LIMIT_BYTES,
            loop=loop,
        )
        connections.add(smtp)
        return smtp

    server = await loop.create_server(protocol, sock=listener)
    try:
        yield
    finally:
        server.close()
        for smtp in connections:
            if smtp.transport is not None:
                smtp.transport.abort()
