"""In the running stack, who may no longer come in is refused at the next request."""

import uuid
from collections.abc import Iterator

import httpx
import pytest

from devstack.environment import DEMO_ORGANIZATION
from tests.support.stack import PASSWORD, RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.xdist_group("stack")]

WITHIN_SECONDS = 1.0
"""By themselves the tokens would work for minutes."""


@pytest.fixture
def owner(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.api("Owner") as client:
        yield client


def sign_in(stack: RunningStack, email: str) -> str:
    body = {"organization_slug": DEMO_ORGANIZATION, "email": email, "password": PASSWORD}
    answer = httpx.post(f"{stack.url}/v1/sessions", json=body, timeout=30).raise_for_status()
    return str(answer.json()["access"]["token"])


def asked(stack: RunningStack, credential: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {credential}"}
    return httpx.get(f"{stack.url}/v1/invoices", headers=headers, timeout=30)


async def refusal(stack: RunningStack, credential: str) -> str:
    def code() -> str:
        answer = asked(stack, credential)
        return str(answer.json()["code"]) if answer.status_code == 401 else ""

    return str(await until(code, WITHIN_SECONDS))


async def test_a_deactivated_person_is_out(stack: RunningStack, owner: httpx.Client) -> None:
    email = f"{uuid.uuid4().hex}@harbor-supply.example"
    person = owner.post(
        "/v1/people",
        json={"name": "Gone Soon", "email": email, "password": PASSWORD, "role": "auditor"},
        headers={"Idempotency-Key": email},
    )
    assert person.status_code == 200, person.text
    token = sign_in(stack, email)
    assert asked(stack, token).status_code == 200
    path = f"/v1/people/{person.json()['person_id']}:deactivate"
    owner.post(path, json={}).raise_for_status()
    assert await refusal(stack, token) == "session_ended"


async def test_a_session_ended_from_another_one_is_out(stack: RunningStack, owner: httpx.Client) -> None:
    before = {session["session_id"] for session in owner.get("/v1/sessions").json()["sessions"]}
    token = sign_in(stack, stack.login("Owner")["email"])
    assert asked(stack, token).status_code == 200
    now = {session["session_id"] for session in owner.get("/v1/sessions").json()["sessions"]}
    (other,) = now - before
    owner.delete(f"/v1/sessions/{other}").raise_for_status()
    assert await refusal(stack, token) == "session_ended"
    assert owner.get("/v1/invoices").status_code == 200


async def test_a_revoked_api_key_is_out(stack: RunningStack, owner: httpx.Client) -> None:
    made = owner.post("/v1/api_keys", json={"name": "ERP", "role": "auditor"}).raise_for_status().json()
    assert asked(stack, made["secret"]).status_code == 200
    owner.delete(f"/v1/api_keys/{made['api_key']['api_key_id']}").raise_for_status()
    assert await refusal(stack, made["secret"]) == "api_key_invalid"
