"""Settings of the payments service."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from chassis.settings import BaseServiceSettings


class Settings(BaseServiceSettings):
    """What payments takes beside what every service takes."""

    provider: Literal["simulator", "stripe", "instant"] = "simulator"
    """Who makes the charges of organizations whose policy names nobody. `instant` is for benchmarks and refused in
    production."""
    simulator_url: str = "http://127.0.0.1:7200"
    """Address of the provider's API."""
    simulator_secret: str = Field(default="", repr=False)
    """Bearer key of the provider's API."""
    simulator_webhook_secret: str = Field(default="", repr=False)
    """whsec_... with which the provider signs its webhooks."""
    simulator_webhook_secret_previous: str = Field(default="", repr=False)
    """The secret before, still accepted while it is being changed."""
    stripe_secret_key: str = Field(default="", repr=False)
    """sk_... of the Stripe account; empty where no organization's policy names stripe."""
    stripe_webhook_secret: str = Field(default="", repr=False)
    """whsec_... of the webhook endpoint at Stripe."""
    stripe_webhook_secret_previous: str = Field(default="", repr=False)
    """The secret before, still accepted while it is being changed."""
    stripe_api_url: str = ""
    """Address of Stripe's API; Stripe's own when empty. The dev stack names its fake."""
    public_url: str = ""
    """Portal's address: payers are sent back there and nowhere else. Empty accepts any, in development only."""
    provider_timeout_seconds: float = Field(default=8.0, gt=0, le=30)
    """Longest wait for one answer of the provider; shorter when the caller has less time left."""
    check_delays_seconds: tuple[int, ...] = (10, 60, 120, 300, 900, 3600)
    """Waits before each question about an unsettled attempt; the last one repeats."""
    check_period_seconds: float = Field(default=1.0, gt=0)
    """How often due attempts are looked for."""
    checkout_expires_seconds: int = Field(default=1800, gt=0)
    """A hosted page on which nobody has paid by then is closed."""

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if not self.check_delays_seconds or min(self.check_delays_seconds) < 1:
            raise ValueError("check_delays_seconds needs at least one wait, of a second or more")
        if self.environment == "production" and self.provider == "instant":
            raise ValueError("provider instant charges nobody: it cannot be used in production")
        return self

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that are accepted now."""
        both = (self.simulator_webhook_secret, self.simulator_webhook_secret_previous)
        return tuple(secret for secret in both if secret)

    @property
    def stripe_webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that are accepted of Stripe now."""
        both = (self.stripe_webhook_secret, self.stripe_webhook_secret_previous)
        return tuple(secret for secret in both if secret)

    def allows_return_to(self, url: str) -> bool:
        """Whether payers may be sent to this address after paying."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
            return False
        home = urlsplit(self.public_url)
        if not self.public_url:
            return self.environment == "development"
        return parts.scheme == home.scheme and parts.netloc == home.netloc
