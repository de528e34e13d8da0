"""Signatures of webhooks by the Standard Webhooks convention."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.payments.providers import WebhookRefusedError

TOLERANCE_SECONDS = 300


def decode_secret(secret: str) -> bytes:
    """The key behind `whsec_...`. ValueError if it is not base64."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ followed by base64") from error


def verify(headers: Mapping[str, str], body: bytes, *, keys: Sequence[bytes], now: datetime) -> str:
    """The event's id, if one of the keys signed these very bytes within the last five minutes.

    Raises WebhookRefusedError. All keys are tried, so that a secret can be changed without losing events.
    """
    event_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not event_id or len(event_id) > 255 or not (stamp.isascii() and stamp.isdigit()):
        raise WebhookRefusedError(
            "WEBHOOK_SIGNATURE_INVALID", "The webhook's headers are missing or malformed."
        )
    signed = b"%s.%s.%s" % (event_id.encode(), stamp.encode(), body)
    expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    given = [
        signature.encode()
        for version, _, signature in (
            entry.partition(",") for entry in headers.get("webhook-signature", "").split(" ")
        )
        if version == "v1"
    ]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise WebhookRefusedError("WEBHOOK_SIGNATURE_INVALID", "The webhook's signature is not right.")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise WebhookRefusedError("WEBHOOK_TOO_OLD", "The webhook was signed too long ago.")
    return event_id
