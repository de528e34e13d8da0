"""What counts as a good token, and every way in which one can be bad."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from chassis.caller import Audience
from chassis.errors import Kind, ServiceError
from chassis.rpc.tokens import Claims, TokenSigner, TokenVerifier

NOW = 1_800_000_000


def pem() -> bytes:
    return OKPKey.generate_key("Ed25519").as_pem(private=True)


SIGNER = TokenSigner(pem())
KEY_ID = SIGNER.jwks()["keys"][0]["kid"]
GOOD: dict[str, Any] = {
    "iss": "tallyport",
    "aud": "tallyport",
    "sub": "per_1",
    "org": "org_1",
    "kind": "customer",
    "cus": "cus_1",
    "perms": ["invoices.pay"],
    "name": "Ada",
    "sid": "ses_1",
    "auth_time": NOW - 10,
    "exp": NOW + 60,
}


def verifier(now: Callable[[], float] = lambda: NOW) -> TokenVerifier:
    return TokenVerifier(SIGNER.jwks(), now=now)


def signed(payload: dict[str, Any], header: dict[str, Any] | None = None) -> str:
    key = SIGNER._key
    return jwt.encode(
        {"alg": "Ed25519", "kid": KEY_ID} | (header or {}), payload, key, algorithms=["Ed25519"]
    )


def refused(token: str) -> str:
    with pytest.raises(ServiceError) as caught:
        verifier().verify(token)
    assert caught.value.kind is Kind.UNAUTHENTICATED
    return caught.value.reason


def test_signed_claims_come_back_the_same() -> None:
    claims = Claims(
        subject_id="plk_1",
        organization_id="org_1",
        kind=Audience.PAY_LINK,
        expires_at_seconds=NOW + 60,
        customer_id="cus_1",
        invoice_id="inv_1",
        permissions=frozenset({"b", "a"}),
        authenticated_at_seconds=NOW,
    )
    assert verifier().verify(SIGNER.sign(claims)) == claims


def test_caller_has_everything_the_token_says() -> None:
    caller = verifier().verify(signed(GOOD)).caller("gateway")
    assert (caller.audience, caller.peer, caller.organization_id) == (Audience.CUSTOMER, "gateway", "org_1")
    assert (caller.subject_id, caller.subject_name, caller.customer_id) == ("per_1", "Ada", "cus_1")
    assert caller.permissions == {"invoices.pay"}
    assert caller.authenticated_at is not None
    assert caller.authenticated_at.timestamp() == NOW - 10


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["tallyport", "other"]},
        {"kind": "service"},
        {"kind": "public"},
        {"kind": "admin"},
        {"org": ""},
        {"org": 7},
        {"sub": None},
        {"cus": None},
        {"kind": "pay_link"},
        {"exp": None},
        {"exp": str(NOW + 60)},
        {"exp": NOW + 60.5},
        {"exp": True},
        {"exp": NOW + 100_000},
        {"perms": "admin"},
        {"perms": [1]},
        {"auth_time": "now"},
    ],
)
def test_wrong_claims_are_refused(change: dict[str, Any]) -> None:
    assert refused(signed({k: v for k, v in (GOOD | change).items() if v is not None})) == "TOKEN_INVALID"


def test_expired_token_says_so_even_when_it_was_seen_before() -> None:
    time = [float(NOW)]
    checker = verifier(lambda: time[0])
    token = signed(GOOD)
    assert checker.verify(token)
    time[0] = NOW + 60
    for _ in range(2):
        with pytest.raises(ServiceError, match="TOKEN_EXPIRED"):
            checker.verify(token)


def test_public_key_used_as_hmac_secret_is_refused() -> None:
    jwk = SIGNER.jwks()["keys"][0]
    raw = base64.urlsafe_b64decode(jwk["x"] + "==")
    for secret in (raw, json.dumps(jwk).encode().ljust(32, b" ")):
        key = OctKey.import_key(secret)
        forged = jwt.encode({"alg": "HS256", "kid": KEY_ID}, GOOD, key, algorithms=["HS256"])
        assert refused(forged) == "TOKEN_INVALID"


def test_other_algorithms_and_none_are_refused() -> None:
    rsa = RSAKey.generate_key(2048)
    assert (
        refused(jwt.encode({"alg": "RS256", "kid": KEY_ID}, GOOD, rsa, algorithms=["RS256"]))
        == "TOKEN_INVALID"
    )

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    assert refused(f"{part({'alg': 'none'})}.{part(GOOD)}.") == "TOKEN_INVALID"
    body, signature = signed(GOOD).split(".")[1:]
    for alg in ("none", "HS256", "EdDSA", "ES256"):
        assert refused(f"{part({'alg': alg, 'kid': KEY_ID})}.{body}.{signature}") == "TOKEN_INVALID"


def test_key_in_the_header_is_never_trusted() -> None:
    stranger = OKPKey.generate_key("Ed25519")
    header = {"alg": "Ed25519", "jwk": stranger.as_dict(private=False)}
    for kid in (KEY_ID, "other", None):
        full = header | ({"kid": kid} if kid else {})
        assert refused(jwt.encode(full, GOOD, stranger, algorithms=["Ed25519"])) == "TOKEN_INVALID"


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "a.b.c.d.e", "é.é.é", "." * 5000])
def test_garbage_is_refused(token: str) -> None:
    assert refused(token) == "TOKEN_INVALID"


def test_changed_token_is_refused() -> None:
    head, body, signature = signed(GOOD).split(".")
    other = signed(GOOD | {"org": "org_2"}).split(".")[1]
    assert body != other
    assert refused(f"{head}.{other}.{signature}") == "TOKEN_INVALID"


def test_only_ed25519_keys_are_loaded() -> None:
    with pytest.raises(ValueError, match="not an Ed25519 key"):
        TokenVerifier({"keys": [RSAKey.generate_key(2048).as_dict(private=False)]})
