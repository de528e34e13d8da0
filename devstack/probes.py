"""Questions to a process that answers, or not, whether it is ready."""

import asyncio

from devstack.supervisor import Probe


def http_ok(address: str, path: str) -> Probe:
    """Whether GET `path` at host:port answers 2xx or 3xx now."""
    host, _, port = address.rpartition(":")
    request = f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode()

    async def probe() -> bool:
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(host, int(port))
                try:
                    writer.write(request)
                    status_line = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError, ValueError):
            return False
        fields = status_line.split()
        return len(fields) > 1 and fields[1][:1] in (b"2", b"3")

    return probe
