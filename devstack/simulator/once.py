"""Idempotency keys: the same key and body give the same object again."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from devstack.simulator.store import Store
from devstack.webkit.asgi import HttpError


def once(
    store: Store, operation: str, key: str, body: dict[str, Any], create: Callable[[], str]
) -> tuple[str, bool]:
    """The id that `create` makes for this key, and whether it was made earlier; 409 for another body."""
    fingerprint = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    with store.transaction():
        known = store.one(
            "SELECT * FROM idempotency_keys WHERE operation = :operation AND key = :key",
            operation=operation,
            key=key,
        )
        if known is not None:
            if known["fingerprint"] != fingerprint:
                raise HttpError(409, "idempotency_key_reused", "This key was used with another request body.")
            return known["object_id"], True
        object_id = create()
        store.insert(
            "idempotency_keys", operation=operation, key=key, fingerprint=fingerprint, object_id=object_id
        )
        return object_id, False
