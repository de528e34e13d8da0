"""What the gateway takes from its environment."""

import base64
import binascii
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from chassis.settings import BaseServiceSettings, SettingsError

_COOKIE_KEY_BYTES = 32


class GatewaySettings(BaseServiceSettings):
    """The edge needs addresses of the four services, its own public address and a key for its cookies."""

    http_listen: str = "127.0.0.1:8080"
    """host:port of the pages and the API."""
    public_url: str = "http://localhost:8080"
    """Address people see, without a path; https makes cookies Secure and turns on HSTS."""
    cookie_key_file: Path | None = None
    """Base64 of 32 random bytes that seal the session cookies; the same on every replica."""
    checkout_origin: str = ""
    """Origin of the payment provider's page; forms may lead there and nowhere else."""
    apple_pay_domain_file: Path | None = None
    """What the payment provider wants served at /.well-known/apple-developer-merchantid-domain-association."""
    default_organization: str = ""
    """Short name of the organization whose sign-in page is shown when the address names none."""
    proxy_hops: int = Field(default=0, ge=0, le=5)
    """Trusted proxies in front; 0 ignores every X-Forwarded-For."""

    @property
    def secure(self) -> bool:
        """Whether people reach us over https."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def origin(self) -> str:
        """scheme://host[:port] of the public address."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    def cookie_key(self) -> bytes:
        """The sealing key. Raises SettingsError where the file is missing or is not 32 bytes."""
        path: Path = self.required("cookie_key_file")
        try:
            key = base64.b64decode(path.read_text(encoding="ascii").strip(), validate=True)
        except (OSError, binascii.Error, ValueError) as error:
            raise SettingsError(f"TALLYPORT_COOKIE_KEY_FILE: {path} cannot be read: {error}") from None
        if len(key) != _COOKIE_KEY_BYTES:
            raise SettingsError(f"TALLYPORT_COOKIE_KEY_FILE: {path} holds {len(key)} bytes instead of 32")
        return key
