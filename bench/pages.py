"""Pages a second: by wrk where it is installed, else by our own client. One run uses one of them for everything."""

import asyncio
import itertools
import re
import shutil
from collections.abc import Mapping
from urllib.parse import urlsplit

from bench import ledgers
from bench.http_client import Connections
from bench.load import closed_loop
from bench.results import NothingPrintedError
from devstack.ports import HOST

CONNECTIONS = 16
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_WRONG = re.compile(r"Non-2xx or 3xx responses: \d+|Socket errors: .*")


def method() -> str:
    """How it is measured here, as a command."""
    if shutil.which("wrk"):
        return f"wrk -t1 -c{CONNECTIONS}"
    return f"bench.http_client, {CONNECTIONS} connections"


async def per_second(url: str, headers: Mapping[str, str], *, seconds: float) -> float:
    """Answers a second with all connections always busy. Raises NothingPrintedError if one is not 200."""
    wrk = shutil.which("wrk")
    return await (_by_wrk(wrk, url, headers, seconds) if wrk else _by_own(url, headers, seconds))


async def _by_wrk(wrk: str, url: str, headers: Mapping[str, str], seconds: float) -> float:
    arguments = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--timeout", "15s"]
    for name, value in headers.items():
        arguments += ["-H", f"{name}: {value}"]
    process = await asyncio.create_subprocess_exec(
        wrk, *arguments, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), seconds + 30)
    text = output.decode()
    rate, wrong = _RATE.search(text), _WRONG.search(text)
    if wrong or rate is None:
        raise NothingPrintedError(f"wrk at {url}: {wrong[0] if wrong else text}")
    return float(rate[1])


async def _by_own(url: str, headers: Mapping[str, str], seconds: float) -> float:
    parts = urlsplit(url)
    async with Connections(HOST, parts.port or 80, CONNECTIONS) as connections:
        request = connections.request("GET", f"{parts.path}?{parts.query}".rstrip("?"), headers)

        async def get(lane: int, _: int) -> str | None:
            try:
                status, body = await connections[lane].send(request)
            except (OSError, TimeoutError) as error:
                return f"{type(error).__name__}: {error}"
            return None if status == 200 else f"{status}: {body[:200]!r}"

        window = await closed_loop(itertools.count(), get, in_flight=CONNECTIONS, seconds=seconds)
    ledgers.refuse_errors(url, window)
    return window.answers / window.seconds
