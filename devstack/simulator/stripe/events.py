"""Events and their signed delivery: `Stripe-Signature: t=...,v1=...`, HMAC-SHA256 over `t.body`."""

import hashlib
import hmac
import time
from typing import Any

from devstack.simulator.clock import Clock
from devstack.simulator.faults import Faults, Subject
from devstack.simulator.store import Store, new_id
from devstack.simulator.stripe.objects import Thing
from devstack.simulator.webhooks import Webhooks

API_VERSION = "2026-10-28.endive"


def stripe_signature(secret: str, timestamp: int, body: bytes) -> str:
    """The header's value. The secret is used with its prefix, undecoded, as Stripe does."""
    digest = hmac.digest(secret.encode(), b"%d.%s" % (timestamp, body), hashlib.sha256)
    return f"t={timestamp},v1={digest.hex()}"


class Events(Webhooks):
    """As the simulator's own webhooks, but with Stripe's body, signature and table."""

    table = "stripe_events"

    def __init__(self, store: Store, clock: Clock, faults: Faults, *, url: str, secret: str) -> None:
        super().__init__(store, clock, faults, url=url, key=b"")
        self._secret = secret
        self._sends = bool(url)

    def tell(self, event_type: str, thing: Thing) -> None:
        """Add an event that carries the object as it is now; inside the transaction of the change."""
        if not self._sends:
            return
        event_id = new_id("evt")
        body: dict[str, Any] = {
            "id": event_id,
            "object": "event",
            "api_version": API_VERSION,
            "created": int(time.time()),
            "data": {"object": thing.document},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }
        metadata = thing.metadata or thing.inside.get("metadata", {})
        about = Subject("event", metadata.get("payment_id", ""), metadata)
        lane = metadata.get("attempt_id") or event_id
        self.queue(event_id, event_type, body, about=about, lane=lane, object_id=thing.id)

    def headers(self, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        return {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": stripe_signature(self._secret, timestamp, body),
        }
