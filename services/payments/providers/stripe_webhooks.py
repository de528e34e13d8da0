"""Stripe's webhooks: signature, age, and what they are about."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.payments.providers import WebhookEvent, WebhookRefusedError
from services.payments.providers.stripe_documents import UNREADABLE

TOLERANCE_SECONDS = 300


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime) -> WebhookEvent:
    """Stripe-Signature, checked by Stripe's library; the age by our own clock. Raises WebhookRefusedError."""
    from stripe import SignatureVerificationError, WebhookSignature

    header = headers.get("stripe-signature", "")
    for secret in secrets:
        try:
            WebhookSignature.verify_header(body, header, secret)
            break
        except (SignatureVerificationError, UnicodeDecodeError):
            continue
    else:
        raise WebhookRefusedError("WEBHOOK_SIGNATURE_INVALID", "The webhook's signature is not right.")
    stamp = next(part[2:] for part in header.split(",") if part.startswith("t="))
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise WebhookRefusedError("WEBHOOK_TOO_OLD", "The webhook was signed too long ago.")
    return _event_of(body)


def _event_of(body: bytes) -> WebhookEvent:
    try:
        document = json.loads(body)
        subject = document["data"]["object"]
        metadata = subject.get("metadata") or {}
        intent = subject.get("payment_intent")
        return WebhookEvent(
            event_id=str(document["id"]),
            type=str(document["type"]),
            organization_id=str(metadata.get("organization_id", "")),
            attempt_id=str(metadata.get("attempt_id", "")),
            refund_id=str(metadata.get("refund_id", "")),
            setup_id=str(metadata.get("setup_id", "")),
            provider_reference=intent if isinstance(intent, str) else "",
        )
    except UNREADABLE:
        raise WebhookRefusedError("WEBHOOK_UNREADABLE", "The webhook's body cannot be read.") from None
