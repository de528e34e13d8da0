"""Customers of a journey's own, with invoices that nobody else pays."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.async_api import Page

from tests.support.stack import PASSWORD, RunningStack


@dataclass(frozen=True)
class Payer:
    """Somebody of a customer that was made for one test."""

    stack: RunningStack
    customer_id: str
    email: str
    invoices: list[dict[str, Any]] = field(default_factory=list)

    def owes(self, dollars: int, *, due_date: str = "") -> dict[str, Any]:
        """Another invoice, as staff issue it through the API."""
        with self.stack.api("Owner") as api:
            amount = {"minor_units": dollars * 100, "currency": "USD"}
            body = {
                "customer_id": self.customer_id,
                "lines": [{"description": "Crane hours", "unit_price": amount}],
            }
            if due_date:
                body["due_date"] = due_date
            made = _post(api, "/v1/invoices", body)
            found = _post(api, f"/v1/invoices/{made['invoice_id']}:finalize", {})
        self.invoices.append(found)
        return found

    def has_credit(self, dollars: int) -> None:
        """Cash in advance, recorded by staff."""
        with self.stack.api("Owner") as api:
            amount = {"minor_units": dollars * 100, "currency": "USD"}
            _post(
                api,
                "/v1/payments:record",
                {"customer_id": self.customer_id, "amount": amount, "method": "cash"},
            )

    def payment(self, page: Page) -> dict[str, Any]:
        """The payment whose page is open."""
        with self.stack.api(self.email) as api:
            found: dict[str, Any] = (
                api.get(f"/v1/payments/{page.url.rsplit('/', 1)[1]}").raise_for_status().json()
            )
            return found

    def simulator(self) -> httpx.Client:
        """The provider's API."""
        secret = self.stack.environment.secrets.simulator_secret
        return httpx.Client(
            base_url=self.stack.tool("simulator"), headers={"Authorization": f"Bearer {secret}"}, timeout=30
        )


def new_payer(stack: RunningStack, *dollars: int) -> Payer:
    """A customer with a person who may pay, and invoices of these amounts."""
    word = uuid.uuid4().hex[:10]
    email = f"payer-{word}@journeys.example"
    with stack.api("Owner") as api:
        customer = _post(
            api,
            "/v1/customers",
            {"name": f"Journey {word}", "email": email, "currency": "USD", "payment_terms_days": 0},
        )
        person = {
            "name": "Pat Payer",
            "email": email,
            "password": PASSWORD,
            "role": "payer",
            "customer_id": customer["customer_id"],
        }
        _post(api, "/v1/people", person)
    payer = Payer(stack, customer["customer_id"], email)
    for amount in dollars:
        payer.owes(amount)
    return payer


def _post(api: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found
