"""The baseline of pages: the same bytes from the barest ASGI application, by the same server as the gateway's."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from bench.stack import free_ports
from bench.waiting import until
from devstack.ports import HOST


@asynccontextmanager
async def serving(page: bytes, folder: Path) -> AsyncIterator[str]:
    """A process that answers every request with these bytes; yields its address."""
    file = folder / "bare-page.html"
    file.write_bytes(page)
    port = free_ports().public
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.bare_page", str(port), str(file)
    )
    url = f"http://{HOST}:{port}/"
    try:
        async with httpx.AsyncClient() as http:

            async def answers() -> bool:
                try:
                    return (await http.get(url)).content == page
                except httpx.TransportError:
                    return False

            await until(answers, "the bare page is served", timeout_seconds=10)
        yield url
    finally:
        process.terminate()
        await process.wait()


def main(port: str, file: str) -> None:
    """As services/gateway starts it, without anything in it."""
    page = Path(file).read_bytes()
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(page)).encode()),
        ],
    }
    body = {"type": "http.response.body", "body": page}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start)
        await send(body)

    uvicorn.run(
        app, host=HOST, port=int(port), log_config=None, access_log=False, server_header=False,
        proxy_headers=False, lifespan="off",
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
