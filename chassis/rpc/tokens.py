"""User tokens: short-lived JWTs signed with Ed25519 by identity, verified everywhere with public keys."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from chassis.caller import Audience, Caller
from chassis.errors import Kind, ServiceError

ISSUER: Final = "tallyport"
ALGORITHM: Final = "Ed25519"
MAX_LIFETIME_SECONDS: Final = 900
"""A token that would live longer than this from now is refused, whoever signed it."""
CLOCK_SKEW_SECONDS: Final = 5
_CACHE_ENTRIES: Final = 20_000
_MAX_TOKEN_CHARACTERS: Final = 4096
_KINDS: Final[Mapping[str, Audience]] = {
    "customer": Audience.CUSTOMER,
    "staff": Audience.STAFF,
    "pay_link": Audience.PAY_LINK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says. Times are Unix seconds."""

    subject_id: str
    organization_id: str
    kind: Audience
    expires_at_seconds: int
    customer_id: str | None = None
    invoice_id: str | None = None
    permissions: frozenset[str] = frozenset()
    name: str | None = None
    session_id: str | None = None
    authenticated_at_seconds: int | None = None

    def caller(self, peer: str) -> Caller:
        """The person behind a call that came in over `peer`'s connection."""
        seconds = self.authenticated_at_seconds
        return Caller(
            audience=self.kind,
            peer=peer,
            organization_id=self.organization_id,
            subject_id=self.subject_id,
            subject_name=self.name,
            customer_id=self.customer_id,
            invoice_id=self.invoice_id,
            permissions=self.permissions,
            session_id=self.session_id,
            authenticated_at=None if seconds is None else datetime.fromtimestamp(seconds, UTC),
        )


class TokenSigner:
    """Makes tokens. Only identity holds the private key; tests hold one of their own."""

    def __init__(self, private_key_pem: bytes) -> None:
        key = OKPKey.import_key(private_key_pem)
        self._key = OKPKey.import_key(
            key.as_dict(private=True), {"kid": key.thumbprint(), "alg": ALGORITHM, "use": "sig"}
        )

    def sign(self, claims: Claims) -> str:
        """The compact JWT. Unset claims are left out."""
        payload = {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": claims.subject_id,
            "org": claims.organization_id,
            "kind": claims.kind.value,
            "exp": claims.expires_at_seconds,
            "cus": claims.customer_id,
            "inv": claims.invoice_id,
            "perms": sorted(claims.permissions),
            "name": claims.name,
            "sid": claims.session_id,
            "auth_time": claims.authenticated_at_seconds,
        }
        present = {key: value for key, value in payload.items() if value is not None}
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": self._key.kid}
        return jwt.encode(header, present, self._key, algorithms=[ALGORITHM])

    def jwks(self) -> dict[str, Any]:
        """The public half, for TOKEN_JWKS_FILE."""
        return {"keys": [self._key.as_dict(private=False)]}


class TokenVerifier:
    """Checks tokens against a fixed set of public keys; each is checked once and remembered until it ends.

    The header's own keys (jwk, jku, x5u) are never looked at.
    """

    def __init__(self, jwks: Mapping[str, Any], *, now: Callable[[], float] = time.time) -> None:
        self._keys = KeySet.import_key_set({"keys": [_public_only(key) for key in jwks["keys"]]})
        self._now = now
        self._verified: dict[bytes, Claims] = {}

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Reads a JWKS file."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def verify(self, token: str) -> Claims:
        """Raises ServiceError UNAUTHENTICATED: TOKEN_INVALID, or TOKEN_EXPIRED when only the time is over."""
        digest = hashlib.sha256(token.encode()).digest()
        now = self._now()
        claims = self._verified.get(digest)
        if claims is None:
            claims = self._decode(token, now)
            self._remember(digest, claims)
        if now >= claims.expires_at_seconds:
            self._verified.pop(digest, None)
            raise ServiceError(Kind.UNAUTHENTICATED, "TOKEN_EXPIRED", "Please sign in again.")
        return claims

    def _remember(self, digest: bytes, claims: Claims) -> None:
        if len(self._verified) >= _CACHE_ENTRIES:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = claims

    def _decode(self, token: str, now: float) -> Claims:
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise _invalid()
        try:
            payload = jwt.decode(token, self._keys, algorithms=[ALGORITHM]).claims
            claims = _claims(payload)
        except (JoseError, ValueError, TypeError, KeyError):
            raise _invalid() from None
        if claims.expires_at_seconds - now > MAX_LIFETIME_SECONDS + CLOCK_SKEW_SECONDS:
            raise _invalid()
        return claims


def _public_only(key: Mapping[str, Any]) -> dict[str, Any]:
    if key.get("kty") != "OKP" or key.get("crv") != "Ed25519":
        raise ValueError(f"the key {key.get('kid')!r} is not an Ed25519 key")
    return {"kty": "OKP", "crv": "Ed25519", "x": key["x"], "kid": key["kid"], "alg": ALGORITHM, "use": "sig"}


def _claims(payload: Mapping[str, Any]) -> Claims:
    """Raises ValueError, TypeError or KeyError for claims that are missing or of the wrong type."""
    if payload["iss"] != ISSUER or payload["aud"] != ISSUER:
        raise ValueError("not for us")
    kind = _KINDS[_text(payload["kind"])]
    customer_id, invoice_id = _optional_text(payload, "cus"), _optional_text(payload, "inv")
    if kind is not Audience.STAFF and customer_id is None:
        raise ValueError("a customer's token without the customer")
    if kind is Audience.PAY_LINK and invoice_id is None:
        raise ValueError("a pay link's token without the invoice")
    authenticated_at = payload.get("auth_time")
    return Claims(
        subject_id=_text(payload["sub"]),
        organization_id=_text(payload["org"]),
        kind=kind,
        expires_at_seconds=_seconds(payload["exp"]),
        customer_id=customer_id,
        invoice_id=invoice_id,
        permissions=_texts(payload.get("perms", [])),
        name=_optional_text(payload, "name"),
        session_id=_optional_text(payload, "sid"),
        authenticated_at_seconds=None if authenticated_at is None else _seconds(authenticated_at),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value


def _texts(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return frozenset(_text(item) for item in value)


def _optional_text(payload: Mapping[str, Any], key: str) -> str | None:
    value = payload.get(key)
    return None if value is None else _text(value)


def _seconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("not a number of seconds")
    return value


def _invalid() -> ServiceError:
    return ServiceError(Kind.UNAUTHENTICATED, "TOKEN_INVALID", "Please sign in again.")
