"""`events.commit_to_receipt_ms`: from the answer of a payment to its receipt in the payer's mailbox."""

import time
from collections.abc import Iterator
from itertools import islice

import httpx

from bench.payments_end_to_end import pay_once
from bench.results import Figure, NothingPrintedError, median, percentile
from bench.seed import Bill, Tokens
from bench.stack import BenchStack

PAYMENTS = 40
_WARM_UP = 3
_WAIT_SECONDS = 30


async def measure(stack: BenchStack, bills: Iterator[Bill], tokens: Tokens) -> Figure:
    """One payment after the other; the mail has the receipt as a PDF. Raises NothingPrintedError."""
    async with httpx.AsyncClient(base_url=stack.url, timeout=60) as http:
        mailbox = f"{stack.tool('mailbox')}/api/messages"
        waits = [
            await _one(http, mailbox, bill, tokens.of(bill)) for bill in islice(bills, _WARM_UP + PAYMENTS)
        ][_WARM_UP:]
    milliseconds = [wait * 1000 for wait in waits]
    return Figure(
        name="events.commit_to_receipt_ms",
        value=round(median(milliseconds), 1),
        unit="ms",
        command=(
            f"POST /v1/payments, then wait for the mail; median of {PAYMENTS} one after the other,"
            f" p95 {percentile(milliseconds, 95):.0f} ms"
        ),
    )


async def _one(http: httpx.AsyncClient, mailbox: str, bill: Bill, token: str) -> float:
    newest = (await http.get(mailbox, params={"limit": 1})).raise_for_status().json()["messages"]
    after_id = newest[0]["id"] if newest else 0
    await pay_once(http, bill, token)
    answered_at = time.perf_counter()
    wanted = {"after_id": after_id, "wait_seconds": _WAIT_SECONDS, "limit": 1}
    found = (await http.get(mailbox, params=wanted)).raise_for_status().json()["messages"]
    waited_seconds = time.perf_counter() - answered_at
    if not found:
        raise NothingPrintedError(f"no receipt within {_WAIT_SECONDS} s")
    if found[0]["attachment_count"] != 1:
        raise NothingPrintedError(f"the mail is no receipt: {found[0]}")
    return waited_seconds
