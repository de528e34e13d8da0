"""Web sessions: sealed cookies, one for each kind of visitor, written back on every answer that changed them.

The server keeps nothing. What a cookie holds is encrypted and authenticated (AES-256-GCM) with its name as
associated data, so that a staff cookie is worth nothing under the customer's name.
"""

import base64
import json
import secrets
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12
_VERSION: Final = b"1"
MAX_COOKIE_CHARACTERS: Final = 4000
ANONYMOUS_SECONDS: Final = 12 * 3600
"""How long a sign-in form may lie open."""


class Area(StrEnum):
    """Kinds of visitor. Each has a cookie of its own: following a pay link signs nobody out."""

    CUSTOMER = "sid"
    STAFF = "staff_sid"
    PAY_LINK = "link_sid"


@dataclass(slots=True, kw_only=True)
class Session:
    """What one cookie holds. Times are Unix seconds; `access_token` is empty until somebody has signed in."""

    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    access_token: str = ""
    access_expires_at: float = 0.0
    refresh_token: str = ""
    """For a pay link: the link's own token, with which the next access token is minted."""
    expires_at: float = 0.0
    slug: str = ""
    organization_id: str = ""
    subject_id: str = ""
    customer_id: str = ""
    invoice_id: str = ""
    name: str = ""
    email: str = ""
    locale: str = ""
    permissions: list[str] = field(default_factory=list)
    flashes: list[list[str]] = field(default_factory=list)

    @property
    def signed_in(self) -> bool:
        return bool(self.access_token)


class Sealer:
    """Turns sessions into cookie values and back."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, session: Session, name: str) -> str:
        """Raises ValueError when the result would not fit into a cookie."""
        plain = zlib.compress(json.dumps(_present(session), separators=(",", ":")).encode(), 9)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, plain, _VERSION + name.encode())
        value = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        if len(value) > MAX_COOKIE_CHARACTERS:
            raise ValueError(
                f"the session needs {len(value)} characters, a cookie takes {MAX_COOKIE_CHARACTERS}"
            )
        return value

    def open(self, value: str, name: str, now: float) -> Session | None:
        """None for anything that we did not seal under this name, or that is over."""
        try:
            raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            plain = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _VERSION + name.encode())
            stored = json.loads(zlib.decompress(plain))
        except (ValueError, InvalidTag, zlib.error):
            return None
        known = {item.name for item in fields(Session)}
        session = Session(**{key: value for key, value in stored.items() if key in known})
        return session if session.expires_at > now else None


def _present(session: Session) -> dict[str, Any]:
    return {key: value for key, value in asdict(session).items() if value not in ("", 0.0, [])}


class SessionJar:
    """The sessions of one request: opened when asked for, written back when changed.

    What a visitor has before signing in (a form token, a message) is in a cookie beside the session's own, so that
    a request to which the browser did not add the session (SameSite) never overwrites it.
    """

    def __init__(
        self,
        sealer: Sealer,
        cookies: Mapping[str, str],
        *,
        secure: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._sealer = sealer
        self._cookies = cookies
        self._secure = secure
        self._now = now
        self._opened: dict[Area, Session] = {}
        self._before: dict[Area, dict[str, Any]] = {}

    def open(self, area: Area) -> Session:
        """The visitor's session; a new one without a person when there is none."""
        if area not in self._opened:
            session = self._read(self._name(area)) or self._read(self._form_name(area))
            self._before[area] = {} if session is None else asdict(session)
            self._opened[area] = session or self._anonymous()
        return self._opened[area]

    def replace(self, area: Area, session: Session) -> None:
        """Signing in: a new session in place of the old one, with a new form token."""
        self.open(area)
        self._opened[area] = session

    def clear(self, area: Area) -> None:
        """Signing out."""
        self.replace(area, self._anonymous())

    def set_cookie_headers(self) -> list[str]:
        """The cookies of every session that changed."""
        headers: list[str] = []
        for area, session in self._opened.items():
            before = self._before[area]
            if asdict(session) == before:
                continue
            if session.signed_in:
                headers.append(self._header(self._name(area), area, session))
            else:
                headers.append(self._header(self._form_name(area), area, session))
            if before.get("access_token") and not session.signed_in:
                headers.append(self._attributes(f"{self._name(area)}=", area, 0))
            if before and not before.get("access_token") and session.signed_in:
                headers.append(self._attributes(f"{self._form_name(area)}=", area, 0))
        return headers

    def _read(self, name: str) -> Session | None:
        value = self._cookies.get(name, "")
        return self._sealer.open(value, name, self._now()) if value else None

    def _anonymous(self) -> Session:
        return Session(expires_at=self._now() + ANONYMOUS_SECONDS)

    def _name(self, area: Area) -> str:
        return f"__Host-{area.value}" if self._secure else area.value

    def _form_name(self, area: Area) -> str:
        return f"{self._name(area)}_form"

    def _header(self, name: str, area: Area, session: Session) -> str:
        seconds = max(0, int(session.expires_at - self._now()))
        return self._attributes(f"{name}={self._sealer.seal(session, name)}", area, seconds)

    def _attributes(self, pair: str, area: Area, seconds: int) -> str:
        same_site = "Strict" if area is Area.STAFF else "Lax"
        secure = "; Secure" if self._secure else ""
        return f"{pair}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={seconds}{secure}"


def parse_cookies(header: str) -> dict[str, str]:
    """The Cookie header as a mapping; what is malformed is left out."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value.strip('"') for name, separator, value in pairs if separator and name}
