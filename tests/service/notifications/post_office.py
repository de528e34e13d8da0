"""A mail server that keeps what it takes and refuses when told to."""

import asyncio
from collections import deque
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as parsing
from typing import Any

from aiosmtpd.smtp import SMTP


class PostOffice:
    """`answers` are given to the next recipients, before they are taken again; "hang up" ends the connection.

    While `hold` is cleared, a mail that arrived is not acknowledged.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: deque[str] = deque()
        self.hold = asyncio.Event()
        self.hold.set()
        self.holding = False
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connections: list[Any] = []

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def protocol() -> Any:
            connection = SMTP(self, hostname="post.localhost", enable_SMTPUTF8=True, loop=loop)
            self._connections.append(connection)
            return connection

        self._server = await loop.create_server(protocol, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.answers:
            answer = self.answers.popleft()
            if answer == "hang up":
                server.transport.abort()
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.holding = True
        await self.hold.wait()
        mail = message_from_bytes(envelope.original_content, policy=parsing)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def to(self, recipient: str) -> list[EmailMessage]:
        """The mails to that address."""
        return [mail for mail in self.mails if recipient in str(mail["To"])]
