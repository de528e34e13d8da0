"""From an HTTP request to the answer, and on to the paid invoice in invoicing's database."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psycopg

from bench import ledgers
from bench.http_client import Connections
from bench.load import Window, closed_loop
from bench.results import NothingPrintedError
from bench.seed import CURRENCY, Bill, Tokens
from bench.stack import BenchStack
from bench.waiting import until
from chassis.ids import new_uuid7
from devstack.ports import HOST

IN_FLIGHT = 64
_DRAIN_SECONDS = 60.0
_SUCCEEDED = re.compile(rb'"status":\s*"succeeded"')
CARD_TOKEN = "tok_visa"


@dataclass(frozen=True, slots=True)
class Applied:
    """A window of load, and when the last of its payments stood in invoicing's books."""

    window: Window
    applied_at: float

    @property
    def per_second(self) -> float:
        """Payments answered and applied, over the time from the first request to the last application."""
        return self.window.answers / (self.applied_at - self.window.began_at)

    @property
    def drain_seconds(self) -> float:
        """From the last answer to the last application."""
        return self.applied_at - self.window.ended_at


async def measure(stack: BenchStack, bills: Iterator[Bill], tokens: Tokens, *, seconds: float) -> Applied:
    """POST /v1/payments with a card token, 64 in flight. Raises NothingPrintedError if anything went wrong."""
    before = await ledgers.count_paid(stack)
    async with Connections(HOST, stack.environment.ports["gateway"], IN_FLIGHT) as connections:

        async def pay(lane: int, bill: Bill) -> str | None:
            try:
                request = connections.request("POST", "/v1/payments", _headers(tokens.of(bill)), _body(bill))
                status, body = await connections[lane].send(request)
            except (OSError, TimeoutError) as error:
                return f"{type(error).__name__}: {error}"
            if status == 200 and _succeeded(body):
                return None
            return f"{status}: {body[:300].decode(errors='replace')}"

        window = await closed_loop(bills, pay, in_flight=IN_FLIGHT, seconds=seconds)
    ledgers.refuse_errors("payments.end_to_end", window)
    return Applied(window, await until_applied(stack, before + window.answers))


async def until_applied(stack: BenchStack, count: int) -> float:
    """When so many invoices were paid, in time.perf_counter(). Raises TimeoutError."""
    async with await psycopg.AsyncConnection.connect(
        stack.database_url("invoicing"), autocommit=True
    ) as database:

        async def all_applied() -> bool:
            row = await (await database.execute(ledgers.PAID)).fetchone()
            return row is not None and row[0] >= count

        await until(all_applied, f"{count} invoices are paid", timeout_seconds=_DRAIN_SECONDS)
        return time.perf_counter()


async def pay_once(http: httpx.AsyncClient, bill: Bill, token: str) -> None:
    """One payment by an ordinary client. Raises NothingPrintedError unless it succeeds."""
    answer = await http.post("/v1/payments", content=_body(bill), headers=_headers(token))
    if answer.status_code != 200 or not _succeeded(answer.content):
        raise NothingPrintedError(f"the payment failed: {answer.status_code} {answer.text[:300]}")


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": new_uuid7(),
        "Content-Type": "application/json",
    }


def _body(bill: Bill) -> bytes:
    amount = {"minor_units": bill.amount_minor_units, "currency": CURRENCY}
    part = {"invoice_id": bill.invoice_id, "amount": amount}
    return json.dumps({"parts": [part], "card_token": {"token": CARD_TOKEN}}).encode()


def _succeeded(body: bytes) -> bool:
    return _SUCCEEDED.search(body) is not None
