"""Questions to a process that answers, or not, whether it is ready."""

import asyncio

from devstack.supervisor import Probe

_PATIENCE_SECONDS = 2.0


async def first_answer(host: str, port: int, question: bytes = b"") -> bytes:
    """What a listener says first, after `question` if there is one; nothing when nobody answers in time."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                return await reader.read(4096)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""


def http_ok(address: str, path: str) -> Probe:
    """Whether GET `path` at host:port answers 2xx or 3xx now."""
    host, _, port = address.rpartition(":")
    request = f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode()

    async def probe() -> bool:
        fields = (await first_answer(host, int(port), request)).split(maxsplit=2)
        return len(fields) > 1 and fields[1][:1] in (b"2", b"3")

    return probe
