"""The client of the benchmarks against a real listener."""

import asyncio

import pytest

from bench.http_client import Connections


async def _serve(answers: list[bytes]) -> tuple[asyncio.Server, int, list[bytes]]:
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            head = await reader.readuntil(b"\r\n\r\n")
            seen.append(head)
            writer.write(answer)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1], seen


async def test_one_connection_is_asked_again_and_again() -> None:
    parts = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    server, port, seen = await _serve([b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", parts])
    async with server, Connections("127.0.0.1", port, 1) as connections:
        request = connections.request("GET", "/a", {"X-One": "1"})
        assert await connections[0].send(request) == (404, b"no")
        assert await connections[0].send(request) == (200, b"abc")
    assert seen[0] == f"GET /a HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-One: 1\r\n\r\n".encode()


async def test_a_connection_that_ends_is_an_error_not_an_answer() -> None:
    server, port, _ = await _serve([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
    async with server, Connections("127.0.0.1", port, 1) as connections:
        with pytest.raises(OSError, match="closed"):
            await connections[0].send(connections.request("GET", "/", {}))
        with pytest.raises(OSError, match="closed"):
            await connections[0].send(connections.request("GET", "/", {}))
