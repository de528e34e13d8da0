"""What tests do at Stripe besides paying: its test helpers, and what the account's list of charges shows."""

from typing import Any

from tests.service.payments.till import Till

KEY = "sk_test_of_the_till"
WEBHOOK_SECRET = "whsec_of_the_till"
_AUTHORIZED = {"authorization": f"Bearer {KEY}"}


async def help_with(till: Till, path: str, **params: str) -> dict[str, Any]:
    """POST /v1/test_helpers/..."""
    answer = await till.bank.http.post(f"/stripe/v1/test_helpers/{path}", data=params, headers=_AUTHORIZED)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def charged(till: Till, payment_id: str) -> list[int]:
    """Amounts of the successful charges of a payment."""
    attempt_id = await till.attempt_id(payment_id)
    query = {"query": f"metadata['attempt_id']:'{attempt_id}'"}
    answer = await till.bank.http.get("/stripe/v1/charges/search", params=query, headers=_AUTHORIZED)
    return [one["amount"] for one in answer.json()["data"] if one["status"] == "succeeded"]
