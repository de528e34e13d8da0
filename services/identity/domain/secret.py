"""Secrets that we hand out: refresh tokens and API keys. Only their SHA-256 is kept.

Both carry the organization in their text, so that finding them never looks across organizations.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from chassis import ids

REFRESH_SECRET_BYTES: Final = 32
KEY_SECRET_BYTES: Final = 16
LIVE_PREFIX: Final = "sk_live_"
TEST_PREFIX: Final = "sk_test_"
HINT_CHARACTERS: Final = 4
_KEY_CHARACTERS: Final = 43
_UUID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class RefreshSecret:
    """A refresh token: `<organization id>.<256 random bits>`."""

    organization_id: str
    secret: bytes

    @property
    def text(self) -> str:
        return f"{self.organization_id}.{_base64(self.secret)}"

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()

    def seal(self, successor: "RefreshSecret") -> bytes:
        """The successor, readable by the holder of this token only: a one-time pad made of this secret."""
        return _xor(successor.secret, self._pad())

    def unseal(self, sealed: bytes) -> "RefreshSecret":
        return RefreshSecret(self.organization_id, _xor(sealed, self._pad()))

    def _pad(self) -> bytes:
        return hmac.digest(self.secret, b"tallyport refresh successor", "sha256")


def new_refresh_secret(organization_id: str) -> RefreshSecret:
    return RefreshSecret(organization_id, secrets.token_bytes(REFRESH_SECRET_BYTES))


def parse_refresh_secret(text: str) -> RefreshSecret | None:
    """None for anything that is not one of ours."""
    organization_id, _, encoded = text.partition(".")
    secret = _unbase64(encoded)
    if not ids.is_id("org", organization_id) or secret is None or len(secret) != REFRESH_SECRET_BYTES:
        return None
    return RefreshSecret(organization_id, secret)


@dataclass(frozen=True, slots=True)
class KeySecret:
    """An API key: `sk_test_` or `sk_live_` and 43 characters, 128 bits of organization and 128 random bits."""

    organization_id: str
    text: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def hint(self) -> str:
        """What people recognize the key by: its kind and its last characters."""
        return f"{self.text[: len(TEST_PREFIX)]}…{self.text[-HINT_CHARACTERS:]}"


def new_key_secret(organization_id: str, *, live_mode: bool) -> KeySecret:
    body = _base64(ids.to_bytes(organization_id) + secrets.token_bytes(KEY_SECRET_BYTES))
    return KeySecret(organization_id, (LIVE_PREFIX if live_mode else TEST_PREFIX) + body)


def parse_key_secret(text: str) -> KeySecret | None:
    """None for anything that is not one of ours."""
    if not text.startswith((LIVE_PREFIX, TEST_PREFIX)):
        return None
    encoded = text[len(LIVE_PREFIX) :]
    body = _unbase64(encoded)
    if len(encoded) != _KEY_CHARACTERS or body is None or len(body) != _UUID_BYTES + KEY_SECRET_BYTES:
        return None
    return KeySecret(ids.from_bytes("org", body[:_UUID_BYTES]), text)


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
