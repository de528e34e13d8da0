"""The published document is valid, and the running API keeps to it whatever is thrown at it."""

import json
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chassis.contract import all_methods
from services.gateway.api import openapi
from services.gateway.api.codecs import Codecs
from services.gateway.api.routes import Routes
from tests.support.stack import RunningStack

pytestmark = pytest.mark.xdist_group("stack")

# They end sessions, which would end the one that the other cases use.
ENDS_SESSIONS = r"^/v1/(sessions:logout|sessions/\{session_id\}|me:changePassword)$"


REFUSED = (401, 403)


def document() -> dict[str, Any]:
    """The document as the gateway builds it; that it serves just this one is a test below."""
    return openapi.document(Routes(all_methods().values(), Codecs()).all, public_url="http://localhost")


schema = schemathesis.openapi.from_dict(document()).exclude(path_regex=ENDS_SESSIONS)


@pytest.fixture(scope="module")
def tokens(stack: RunningStack) -> dict[str, str]:
    found = {}
    for role in ("Owner", "Customer"):
        with stack.api(role) as client:
            found[role] = str(client.headers["Authorization"])
    return found


@pytest.fixture(scope="module")
def connection() -> Iterator[requests.Session]:
    """Kept open over thousands of calls; what the environment says of proxies is not asked for each."""
    with requests.Session() as session:
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield session


def test_the_document_is_valid_openapi(stack: RunningStack) -> None:
    served = httpx.get(f"{stack.url}/openapi.json").raise_for_status().json()
    validate(served)
    assert served["openapi"] == "3.1.0"
    assert len(served["paths"]) > 30
    assert {**served, "servers": []} == {**document(), "servers": []}


@pytest.mark.fuzz
@schema.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    print_blob=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
def test_no_call_fails_on_our_side_or_answers_what_is_not_documented(
    case: "Case[Any]", stack: RunningStack, tokens: dict[str, str], connection: requests.Session
) -> None:
    """Random inputs are sent by everybody, systematic ones (some 45 an operation) by the first who is let in."""
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    is_systematic = case.meta is not None and case.meta.phase.name is TestPhase.COVERAGE
    for token in (*tokens.values(), ""):
        headers = {"Authorization": token} if token else {}
        answer = case.call_and_validate(
            base_url=stack.url, headers=headers, checks=checks, session=connection
        )
        if is_systematic and answer.status_code not in REFUSED:
            break


def test_the_reference_page_needs_no_other_host(stack: RunningStack) -> None:
    page = httpx.get(f"{stack.url}/docs").raise_for_status()
    assert "https://" not in page.text.replace("https://pay", "")
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert httpx.get(f"{stack.url}/docs/reference.css").status_code == 200


def test_an_export_streams_one_object_a_line_and_is_complete(stack: RunningStack) -> None:
    with stack.api("Owner") as api, api.stream("GET", "/v1/invoices:export?filter=paid") as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert "content-length" not in answer.headers
        invoices = [json.loads(line) for line in answer.iter_lines()]
    assert len({invoice["invoice_id"] for invoice in invoices}) == len(invoices) > 2000
    assert {invoice["status"] for invoice in invoices} == {"paid"}
    refused = httpx.get(f"{stack.url}/v1/invoices:export")
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")


def test_a_wrong_verb_is_told_which_verbs_there_are(stack: RunningStack) -> None:
    answer = httpx.put(f"{stack.url}/v1/invoices")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    assert answer.json()["code"] == "method_not_allowed"


def test_errors_are_problem_details_with_pointers(stack: RunningStack) -> None:
    with stack.api("Owner") as api:
        answer = api.post("/v1/customers", json={"name": "", "nope": 1}, headers={"Idempotency-Key": "k-1"})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == "validation_failed"
        assert problem["errors"][0]["pointer"] == "/nope"
        assert problem["request_id"] == answer.headers["x-request-id"]
        answer = api.post("/v1/customers", json={"name": ""}, headers={"Idempotency-Key": "k-2"})
        assert answer.json()["errors"][0]["pointer"] == "/name"
        answer = api.post("/v1/customers", json={"name": "A"})
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


def test_a_repeated_key_replays_and_another_body_is_refused(stack: RunningStack) -> None:
    with stack.api("Owner") as api:
        key = {"Idempotency-Key": "customer-of-the-replay-test"}
        first = api.post("/v1/customers", json={"name": "Replay"}, headers=key)
        again = api.post("/v1/customers", json={"name": "Replay"}, headers=key)
        other = api.post("/v1/customers", json={"name": "Another"}, headers=key)
        assert first.json() == again.json()
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_an_api_key_works_until_it_is_revoked(stack: RunningStack) -> None:
    with stack.api("Owner") as api:
        made = api.post("/v1/api_keys", json={"name": "till", "role": "auditor"}).raise_for_status().json()
        bearer = {"Authorization": f"Bearer {made['secret']}"}
        assert httpx.get(f"{stack.url}/v1/invoices", headers=bearer).status_code == 200
        refused = httpx.post(
            f"{stack.url}/v1/customers", json={"name": "A"}, headers={**bearer, "Idempotency-Key": "k"}
        )
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
    wrong = httpx.get(f"{stack.url}/v1/invoices", headers={"Authorization": f"Bearer {made['secret'][:-1]}x"})
    assert wrong.status_code == 401


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"name": 1}', b'{"name": "a", "name": "b"}', b"[" * 100_000, b"\xff"]
)
def test_bodies_that_cannot_be_read_are_refused_in_words(stack: RunningStack, body: bytes) -> None:
    with stack.api("Owner") as api:
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        answer = api.post("/v1/customers", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("malformed_request", "validation_failed")


def test_a_body_over_the_limit_is_refused(stack: RunningStack) -> None:
    with stack.api("Owner") as api:
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        answer = api.post("/v1/customers", content=b" " * (2 << 20), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
