"""Every crash point that a payment passes, by process, and a payment during which processes die there."""

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

from tests.support.armed_stack import ArmedStack
from tests.support.shop import Shop, Unanswered
from tests.support.wait import until

RELAY = ("relay.after_read", "relay.after_puback")
CONSUMER = ("consumer.before_tx", "consumer.after_commit", "consumer.before_ack")
MAILER = ("mail.before_send", "mail.after_send")
RECONCILER = "reconcile.after_fetch"
SAGA = (
    "pay.after_claim",
    "pay.after_reserve",
    "pay.before_provider_call",
    "pay.after_provider_call",
    "pay.after_result_commit",
    "pay.before_reply",
)
POINTS: Mapping[str, tuple[str, ...]] = {
    "payments-serve": SAGA,
    "payments-work": (*RELAY, RECONCILER),
    "invoicing-work": (*CONSUMER, *RELAY),
    "notifications-work": (*CONSUMER, *RELAY),
}
"""Payments consumes nothing of a payment's own way. A mailer that dies keeps its receipt back until its lease ends,
so its two points have tests of their own."""


async def die_while_paying(
    mesh: ArmedStack, shop: Shop, deaths: Mapping[str, str], *, invoice_id: str = "", patient: bool = False
) -> tuple[str, str]:
    """Pay an invoice while each of these processes dies at its point; returns the key and the payment's id.

    A patient customer repeats the request until it is answered; others never come back, and the payment must
    come to its end by itself.
    """
    if RECONCILER in deaths.values():
        await shop.fault("no_webhooks")
        await shop.fault("error_500_after_charging")
    invoice_id, key = invoice_id or shop.invoices[0], uuid.uuid4().hex
    restarts = {process: mesh.process(process).restarts for process in deaths}
    for process, point in deaths.items():
        mesh.arm(process, point)
    paying = asyncio.create_task(shop.pay(invoice_id, key=key))
    try:
        if patient:
            await paying
        await until(lambda: not any(map(mesh.is_armed, deaths)), timeout_seconds=60)
        await until(
            lambda: all(mesh.process(p).restarts > n for p, n in restarts.items()), timeout_seconds=60
        )
        if not patient:
            paying.cancel()
        payment = await until(lambda: _succeeded(shop, invoice_id), timeout_seconds=60)
    finally:
        paying.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await paying
    return key, payment["payment_id"]


async def _succeeded(shop: Shop, invoice_id: str) -> dict[str, Any] | None:
    """The succeeded payment of an invoice, once there is one and somebody is there to tell."""
    with contextlib.suppress(httpx.TransportError, Unanswered):
        for payment in await shop.payments():
            if payment["status"] == "succeeded" and payment["parts"][0]["invoice_id"] == invoice_id:
                return payment
    return None
