"""The Stripe-shaped side keeps Stripe's promises about keys, errors and lists."""

import asyncio
import uuid
from typing import Any, cast

import httpx
import pytest

from tests.conformance.providers.stripe_world import AUTHORIZED, StripeWorld
from tests.conformance.providers.world import World

pytestmark = pytest.mark.needs("stripe_documents")
CHARGE = {
    "amount": "5000",
    "currency": "usd",
    "confirm": "true",
    "payment_method": "pm_card_visa",
    "payment_method_types[0]": "card",
}


async def post(
    world: World, path: str, params: dict[str, str], *, key: str = "", **headers: str
) -> httpx.Response:
    headers = AUTHORIZED | ({"idempotency-key": key} if key else {}) | headers
    return await cast("StripeWorld", world).http.post(f"/stripe/v1/{path}", data=params, headers=headers)


def error(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["error"]
    return found


async def test_the_same_key_and_parameters_give_the_same_answer(world: World) -> None:
    key = uuid.uuid4().hex
    first = await post(world, "payment_intents", CHARGE, key=key)
    again = await post(world, "payment_intents", CHARGE, key=key)
    assert (first.status_code, first.json()) == (200, again.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (await post(world, "payment_intents", CHARGE)).json()["id"] != first.json()["id"]


async def test_a_decline_is_the_same_again_too(world: World) -> None:
    key, declined = uuid.uuid4().hex, CHARGE | {"payment_method": "pm_card_chargeDeclined"}
    first = await post(world, "payment_intents", declined, key=key)
    assert first.status_code == 402
    told = error(first)
    assert (told["type"], told["code"], told["decline_code"]) == (
        "card_error",
        "card_declined",
        "generic_decline",
    )
    assert told["payment_intent"]["status"] == "requires_payment_method"
    assert (await post(world, "payment_intents", declined, key=key)).json() == first.json()


async def test_a_key_with_other_parameters_is_refused(world: World) -> None:
    key = uuid.uuid4().hex
    await post(world, "payment_intents", CHARGE, key=key)
    other = await post(world, "payment_intents", CHARGE | {"amount": "5001"}, key=key)
    assert (other.status_code, error(other)["type"]) == (400, "idempotency_error")


async def test_a_key_that_is_in_use_is_a_conflict(world: World) -> None:
    key, attempt_id = uuid.uuid4().hex, f"att_{uuid.uuid4().hex[:12]}"
    params = CHARGE | {"metadata[attempt_id]": attempt_id}
    http = cast("StripeWorld", world).http
    await http.post("/faults", json={"fault": "slow", "seconds": 0.5, "match": {"attempt_id": attempt_id}})
    answers = await asyncio.gather(*(post(world, "payment_intents", params, key=key) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (conflict,) = [answer for answer in answers if answer.status_code == 409]
    assert error(conflict)["code"] == "idempotency_key_in_use"


async def test_a_refused_request_leaves_its_key_free(world: World) -> None:
    key = uuid.uuid4().hex
    refused = await post(world, "payment_intents", CHARGE | {"payment_method": "pm_nobodys"}, key=key)
    assert (refused.status_code, error(refused)["code"]) == (400, "resource_missing")
    assert error(refused)["param"] == "payment_method"
    assert (await post(world, "payment_intents", CHARGE, key=key)).status_code == 200


async def test_nothing_is_shown_without_the_key_of_the_account(world: World) -> None:
    refused = await post(world, "payment_intents", CHARGE, authorization="Bearer sk_test_wrong")
    assert (refused.status_code, error(refused)["type"]) == (401, "invalid_request_error")


async def test_lists_are_paged_the_newest_first(world: World) -> None:
    intent = (await post(world, "payment_intents", CHARGE)).json()["id"]
    made = [
        (await post(world, "refunds", {"payment_intent": intent, "amount": "100"})).json()["id"]
        for _ in range(3)
    ]
    seen: list[str] = []
    query = {"payment_intent": intent, "limit": "2"}
    while True:
        http = cast("StripeWorld", world).http
        page = (await http.get("/stripe/v1/refunds", params=query, headers=AUTHORIZED)).json()
        seen += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        query["starting_after"] = seen[-1]
    assert seen == made[::-1]


async def test_what_cannot_be_expanded_is_refused(world: World) -> None:
    refused = await post(world, "payment_intents", CHARGE | {"expand[0]": "nonsense"})
    assert refused.status_code == 400
    expanded = await post(world, "payment_intents", CHARGE | {"expand[0]": "latest_charge"})
    assert expanded.json()["latest_charge"]["status"] == "succeeded"
