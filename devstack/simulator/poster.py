"""Posts small bodies to one URL over kept connections, in less memory than an HTTP library."""

import asyncio
from urllib.parse import urlsplit

import httptools

TIMEOUT_SECONDS = 15.0


class _Reader:
    """Collects what the parser says about one answer."""

    def __init__(self) -> None:
        self.complete = False

    def on_message_complete(self) -> None:
        self.complete = True


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.keep = True

    async def exchange(self, request: bytes) -> int:
        """Send one request and read its whole answer; ConnectionError when it breaks off."""
        self.keep = False
        self.writer.write(request)
        await self.writer.drain()
        answer = _Reader()
        parser = httptools.HttpResponseParser(answer)
        while not answer.complete:
            data = await self.reader.read(65536)
            if not data:
                raise ConnectionResetError("the receiver closed the connection before it answered")
            try:
                parser.feed_data(data)
            except httptools.HttpParserError as error:
                raise ConnectionResetError("the receiver does not speak HTTP") from error
        self.keep = parser.should_keep_alive()
        return int(parser.get_status_code())


class Poster:
    """A client for one address; redirects are answers like any other and are not followed."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is not an http address")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if self._secure else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._authority = parts.netloc.rpartition("@")[2]
        self._idle: list[_Connection] = []

    def close(self) -> None:
        """Drop the kept connections."""
        while self._idle:
            self._idle.pop().writer.close()

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer. OSError or TimeoutError when there is none."""
        lines = [
            f"POST {self._target} HTTP/1.1",
            f"host: {self._authority}",
            f"content-length: {len(body)}",
            "user-agent: tallyport-simulator",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while self._idle:
                try:
                    return await self._use(self._idle.pop(), request)
                except ConnectionError:
                    continue  # A kept connection may have been closed meanwhile; the receiver knows the id.
            reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._secure or None)
            return await self._use(_Connection(reader, writer), request)

    async def _use(self, connection: _Connection, request: bytes) -> int:
        try:
            return await connection.exchange(request)
        finally:
            if connection.keep:
                self._idle.append(connection)
            else:
                connection.writer.close()
