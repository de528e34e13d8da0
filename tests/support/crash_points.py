"""Every crash point of the processes that a payment passes, and a payment during which one of them dies there."""

from typing import Any

from tests.support.armed_stack import ArmedStack
from tests.support.shop import Shop
from tests.support.wait import until

MAILER = ("mail.before_send", "mail.after_send")
_SAGA = (
    "pay.after_claim",
    "pay.after_reserve",
    "pay.before_provider_call",
    "pay.after_provider_call",
    "pay.after_result_commit",
    "pay.before_reply",
)
_RELAY = ("relay.after_read", "relay.after_puback")
_CONSUMER = ("consumer.before_tx", "consumer.after_commit", "consumer.before_ack")
RECONCILER = "reconcile.after_fetch"
POINTS = (
    *(("payments-serve", point) for point in _SAGA),
    *(("payments-work", point) for point in (*_RELAY, *_CONSUMER, RECONCILER)),
    *(("invoicing-work", point) for point in (*_RELAY, *_CONSUMER)),
    *(("notifications-work", point) for point in (*_RELAY, *_CONSUMER, *MAILER)),
)
"""(process, point)"""


async def die_while_paying(
    mesh: ArmedStack, shop: Shop, process: str, point: str, *, invoice_id: str = ""
) -> dict[str, Any]:
    """Pay an invoice while a process dies at a point; returns the payment when both are done."""
    if point == RECONCILER:
        await shop.fault("no_webhooks")
        await shop.fault("error_500_after_charging")
    before = mesh.process(process).restarts
    mesh.arm(process, point)
    payment = await shop.pay(invoice_id or shop.invoices[0])
    await until(lambda: not mesh.is_armed(process), timeout_seconds=30)
    await until(lambda: mesh.process(process).restarts > before, timeout_seconds=30)
    return payment
