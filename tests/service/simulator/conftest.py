"""A simulator process, and a receiver of its webhooks."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.programs import Program, free_address, running
from tests.support.wait import until

SECRET = "sk_test_simulator"
WEBHOOK_KEY = b"0123456789abcdef0123456789abcdef"


@dataclass
class Receiver:
    """Takes webhooks over HTTP; answers `statuses` in turn, then 204."""

    address: str
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.received]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]

    async def got(self, count: int) -> None:
        """Wait until that many webhooks came."""
        await until(lambda: len(self.received) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                headers = dict(line.split(": ", 1) for line in head.strip().splitlines()[1:])
                body = await reader.readexactly(int(headers["content-length"]))
                self.received.append((headers, body))
                status = self.statuses.pop(0) if self.statuses else 204
                writer.write(f"HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        writer.close()


def verify(headers: dict[str, str], body: bytes) -> bool:
    """Check a signature the way Standard Webhooks describes it."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(WEBHOOK_KEY, signed, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{expected}"


@dataclass
class Provider:
    """A running simulator with the few requests the tests repeat."""

    program: Program
    data_file: Path

    @property
    def http(self) -> httpx.AsyncClient:
        return self.program.http

    async def post(self, path: str, body: dict[str, Any], key: str = "") -> httpx.Response:
        """POST with the API key and an idempotency key."""
        headers = {"authorization": f"Bearer {SECRET}", "idempotency-key": key} if key else _AUTHORIZED
        return await self.http.post(path, json=body, headers=headers)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """GET a document with the API key."""
        answer = await self.http.get(path, params=query, headers=_AUTHORIZED)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def checkout(self, key: str = "k1", **changes: Any) -> dict[str, Any]:
        """Create a checkout."""
        answer = await self.post("/v1/checkouts", checkout_order(**changes), key)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def type_card(self, checkout: dict[str, Any], number: str, tries: int = 0) -> httpx.Response:
        """Send the card form of a checkout."""
        fields = {
            "number": number,
            "expiry": "04/39",
            "cvc": "123",
            "name": "Ann Lee",
            "tries": str(tries),
        }
        return await self.http.post(f"/checkout/{checkout['id']}", data=fields)

    async def fault(self, fault: str, **settings: Any) -> None:
        """Arm a fault."""
        answer = await self.http.post("/faults", json={"fault": fault, **settings})
        assert answer.status_code == 201, answer.text


_AUTHORIZED = {"authorization": f"Bearer {SECRET}"}


def checkout_order(**changes: Any) -> dict[str, Any]:
    """The body of a checkout request."""
    return {
        "amount_minor_units": 125_050,
        "currency": "USD",
        "reference": "pay_1",
        "description": "2 invoices",
        "return_url": "http://merchant.example/result?payment=pay_1",
        "merchant_name": "Harbor Freight Services",
        "customer_name": "Ann Lee",
        "line_items": [{"description": "Invoice HF-00017", "amount_minor_units": 125_050}],
        "metadata": {"organization_id": "org_1", "payment_id": "pay_1", "attempt_id": "att_1"},
    } | changes


def charge_order(token: str = "tok_visa", **changes: Any) -> dict[str, Any]:
    """The body of a charge request."""
    return {
        "amount_minor_units": 5_000,
        "currency": "USD",
        "card_token": token,
        "reference": "pay_2",
        "metadata": {"payment_id": "pay_2", "attempt_id": "att_2"},
    } | changes


Start = Callable[[], AbstractAsyncContextManager[Provider]]


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    """A receiver that listens; the simulator of the test delivers to it."""
    host, port = (address := free_address()).split(":")
    receiver = Receiver(address)
    server = await asyncio.start_server(receiver.serve, host, int(port))
    yield receiver
    server.close()


@pytest.fixture
def start(receiver: Receiver, tmp_path: Path) -> Start:
    """Starts the simulator; twice in a test means a restart with the same data."""
    data_file = tmp_path / "simulator.sqlite"

    @contextlib.asynccontextmanager
    async def starting() -> AsyncGenerator[Provider]:
        address = free_address()
        environment = {
            "SIMULATOR_LISTEN": address,
            "SIMULATOR_SECRET": SECRET,
            "SIMULATOR_DATA_FILE": str(data_file),
            "SIMULATOR_WEBHOOK_URL": f"http://{receiver.address}/webhooks/simulator",
            "SIMULATOR_WEBHOOK_SECRET": "whsec_" + base64.b64encode(WEBHOOK_KEY).decode(),
        }
        async with running(
            "devstack.simulator", environment, http_address=address, folder=tmp_path
        ) as program:
            yield Provider(program, data_file)

    return starting


@pytest.fixture
async def provider(start: Start) -> AsyncGenerator[Provider]:
    """A running simulator with an empty ledger."""
    async with start() as provider:
        yield provider
