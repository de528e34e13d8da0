"""Sealed cookies: what goes in comes out, and nothing else does."""

import secrets
from dataclasses import replace

import pytest

from services.gateway.web.session import Area, Sealer, Session, SessionJar, parse_cookies

NOW = 1_800_000_000.0
SEALER = Sealer(secrets.token_bytes(32))
ADA = Session(
    access_token="header.claims.signature",
    access_expires_at=NOW + 300,
    refresh_token="refresh",
    expires_at=NOW + 1800,
    name="Ada",
    permissions=["invoices.read"],
)


def jar(cookies: dict[str, str], *, secure: bool = True) -> SessionJar:
    return SessionJar(SEALER, cookies, secure=secure, now=lambda: NOW)


def stored(headers: list[str]) -> dict[str, str]:
    """What a browser would hold after these Set-Cookie headers."""
    pairs = [header.split("; ")[0].split("=", 1) for header in headers if "Max-Age=0" not in header]
    return {pair[0]: pair[1] for pair in pairs}


def test_a_session_survives_sealing_and_opening() -> None:
    assert SEALER.open(SEALER.seal(ADA, "sid"), "sid", NOW) == ADA


def test_a_session_is_worth_nothing_under_another_name() -> None:
    assert SEALER.open(SEALER.seal(ADA, "sid"), "staff_sid", NOW) is None


def test_a_changed_foreign_or_expired_cookie_opens_nothing() -> None:
    value = SEALER.seal(ADA, "sid")
    changed = value[:-2] + ("AA" if value[-2:] != "AA" else "BB")
    assert SEALER.open(changed, "sid", NOW) is None
    assert Sealer(secrets.token_bytes(32)).open(value, "sid", NOW) is None
    assert SEALER.open(value, "sid", NOW + 1800) is None
    assert SEALER.open("not base64 at all!", "sid", NOW) is None
    assert SEALER.open("", "sid", NOW) is None


def test_a_session_too_large_for_a_cookie_is_refused_loudly() -> None:
    with pytest.raises(ValueError, match="characters"):
        SEALER.seal(replace(ADA, access_token=secrets.token_urlsafe(6000)), "sid")


def test_signing_in_sets_a_host_cookie_with_every_protection() -> None:
    cookies = jar({})
    cookies.replace(Area.CUSTOMER, ADA)
    [header] = cookies.set_cookie_headers()
    assert header.startswith("__Host-sid=")
    assert header.endswith("; Path=/; HttpOnly; SameSite=Lax; Max-Age=1800; Secure")


def test_the_staff_cookie_never_comes_along_from_another_site() -> None:
    cookies = jar({})
    cookies.replace(Area.STAFF, ADA)
    assert "SameSite=Strict" in cookies.set_cookie_headers()[0]


def test_without_https_there_is_no_secure_cookie_that_the_browser_would_drop() -> None:
    cookies = jar({}, secure=False)
    cookies.replace(Area.CUSTOMER, ADA)
    [header] = cookies.set_cookie_headers()
    assert header.startswith("sid=")
    assert "Secure" not in header


def test_an_unchanged_session_sets_no_cookie() -> None:
    first = jar({})
    first.replace(Area.CUSTOMER, ADA)
    again = jar(stored(first.set_cookie_headers()))
    assert again.open(Area.CUSTOMER) == ADA
    assert again.set_cookie_headers() == []


def test_a_form_before_signing_in_does_not_touch_the_session_cookie() -> None:
    anonymous = jar({})
    token = anonymous.open(Area.STAFF).csrf
    held = stored(anonymous.set_cookie_headers())
    assert list(held) == ["__Host-staff_sid_form"]
    assert jar(held).open(Area.STAFF).csrf == token


def test_signing_in_ends_the_form_cookie_and_signing_out_the_session_cookie() -> None:
    anonymous = jar({})
    anonymous.open(Area.CUSTOMER)
    signing_in = jar(stored(anonymous.set_cookie_headers()))
    signing_in.replace(Area.CUSTOMER, ADA)
    headers = signing_in.set_cookie_headers()
    assert any(header.startswith("__Host-sid_form=;") and "Max-Age=0" in header for header in headers)
    signing_out = jar(stored(headers))
    signing_out.clear(Area.CUSTOMER)
    assert any(h.startswith("__Host-sid=;") and "Max-Age=0" in h for h in signing_out.set_cookie_headers())


def test_a_pay_link_does_not_sign_anybody_out() -> None:
    both = jar({})
    both.replace(Area.CUSTOMER, ADA)
    both.replace(Area.PAY_LINK, replace(ADA, invoice_id="inv_1"))
    held = jar(stored(both.set_cookie_headers()))
    assert held.open(Area.CUSTOMER).invoice_id == ""
    assert held.open(Area.PAY_LINK).invoice_id == "inv_1"


def test_broken_cookie_headers_are_read_as_far_as_they_make_sense() -> None:
    assert parse_cookies('a=1; ; =x; b; c="2"') == {"a": "1", "c": "2"}
