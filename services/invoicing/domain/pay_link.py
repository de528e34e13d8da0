"""Pay links: an unguessable address that opens one invoice until it is revoked or expires."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(days=120)
PREFIX = "plk"
ORGANIZATION_PREFIX = "org"


@dataclass(frozen=True, slots=True)
class PayLink:
    """A pay link. Its token is not kept: it follows from the ids and the service's key."""

    pay_link_id: str
    invoice_id: str
    expires_at: datetime
    revoked_at: datetime | None = None

    def works(self, at: datetime) -> bool:
        """Whether it opens the invoice at that moment."""
        return self.revoked_at is None and at < self.expires_at


def token_of(key: bytes, organization_id: str, pay_link_id: str) -> str:
    """`<organization>.<link>.<proof>`: the ids without prefixes, so that the row is found without a search."""
    organization = organization_id.removeprefix(f"{ORGANIZATION_PREFIX}_")
    link = pay_link_id.removeprefix(f"{PREFIX}_")
    return f"{organization}.{link}.{_proof(key, organization_id, pay_link_id)}"


def ids_of(key: bytes, token: str) -> tuple[str, str] | None:
    """(organization_id, pay_link_id) of a genuine token; None for any other. Compares in constant time."""
    organization, _, rest = token.partition(".")
    link, _, proof = rest.partition(".")
    organization_id, pay_link_id = f"{ORGANIZATION_PREFIX}_{organization}", f"{PREFIX}_{link}"
    expected = _proof(key, organization_id, pay_link_id)
    if not hmac.compare_digest(expected.encode(), proof.encode()):
        return None
    return organization_id, pay_link_id


def _proof(key: bytes, organization_id: str, pay_link_id: str) -> str:
    digest = hmac.new(key, f"{organization_id}/{pay_link_id}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
