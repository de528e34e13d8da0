"""Settings of the simulator, from the environment."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.webkit.server import StartError, needed


@dataclass(frozen=True)
class Settings:
    """What the process is told; each field is the environment name without `SIMULATOR_`, in lower case."""

    listen: str
    """host:port of API, pages and fault switch."""
    public_url: str
    """Origin under which a browser reaches the card page; a checkout's `url` starts with it."""
    secret: str
    """Bearer key of the API."""
    data_file: Path
    """SQLite file; the state survives restarts."""
    webhook_url: str
    """Where events are delivered; empty sends none and stores none."""
    webhook_key: bytes
    """Decoded HMAC key of the webhook signatures."""
    stripe_secret: str = ""
    """Bearer key of the Stripe-shaped API; empty leaves it out."""
    stripe_webhook_url: str = ""
    """Where its events are delivered; empty sends none."""
    stripe_webhook_secret: str = ""
    """whsec_ secret of its signatures; used as it is, like Stripe's."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check; a missing or malformed value ends the start with its name."""
        listen = needed(environment, "SIMULATOR_LISTEN")
        webhook_url = environment.get("SIMULATOR_WEBHOOK_URL", "")
        return cls(
            listen=listen,
            public_url=environment.get("SIMULATOR_PUBLIC_URL", f"http://{listen}").rstrip("/"),
            secret=needed(environment, "SIMULATOR_SECRET"),
            data_file=Path(needed(environment, "SIMULATOR_DATA_FILE")),
            webhook_url=webhook_url,
            webhook_key=decode_webhook_secret(needed(environment, "SIMULATOR_WEBHOOK_SECRET"))
            if webhook_url
            else b"",
            stripe_secret=environment.get("SIMULATOR_STRIPE_SECRET", ""),
            stripe_webhook_url=environment.get("SIMULATOR_STRIPE_WEBHOOK_URL", ""),
            stripe_webhook_secret=environment.get("SIMULATOR_STRIPE_WEBHOOK_SECRET", ""),
        )


def decode_webhook_secret(secret: str) -> bytes:
    """The key behind a `whsec_` secret; StartError when it is not base64."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise StartError("SIMULATOR_WEBHOOK_SECRET is not whsec_ followed by base64") from None
