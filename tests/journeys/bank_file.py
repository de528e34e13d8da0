"""What a journey about bank statements needs: an account, a customer who owes, a file of the bank."""

import uuid
from typing import Any

import httpx

IBAN = "DE89370400440532013000"
CURRENCY = "GBP"
"""Nobody else's in the demo, so that these journeys leave the other tests' money alone."""


def post(api: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A new thing through the API."""
    answer = api.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.is_success, answer.text
    made: dict[str, Any] = answer.json()
    return made


def bank_account(api: httpx.Client) -> str:
    """The organization's account in this currency; made by whoever comes first."""
    for one in api.get("/v1/bank_accounts").json()["bank_accounts"]:
        if one["currency"] == CURRENCY:
            return str(one["bank_account_id"])
    body = {"name": "London account", "account_holder": "Harbor Supply", "iban": IBAN, "currency": CURRENCY}
    return str(post(api, "/v1/bank_accounts", body)["bank_account_id"])


def customer(api: httpx.Client, name: str) -> str:
    """A customer without mail address: nobody is written to."""
    return str(post(api, "/v1/customers", {"name": name, "currency": CURRENCY})["customer_id"])


def invoice(api: httpx.Client, customer_id: str, pence: int) -> dict[str, Any]:
    """A finalized one."""
    price = {"minor_units": pence, "currency": CURRENCY}
    line = {"description": "Mooring", "unit_price": price}
    draft = post(api, "/v1/invoices", {"customer_id": customer_id, "lines": [line]})
    return post(api, f"/v1/invoices/{draft['invoice_id']}:finalize", {})


def status(api: httpx.Client, invoice_id: str) -> str:
    """State of an invoice now."""
    return str(api.get(f"/v1/invoices/{invoice_id}").json()["status"])


def mt940(*lines: tuple[int, str, str], opening: int = 100_00) -> bytes:
    """A statement of (pence, name, text) as German banks write it; it adds up."""
    closing = opening + sum(pence for pence, _, _ in lines)
    entries = "\n".join(_entry(*line) for line in lines)
    number = uuid.uuid4().int % 90_000 + 1
    head = f":20:STARTUMSE\n:25:{IBAN}\n:28C:{number}/1\n:60F:C261102{CURRENCY}{_amount(opening)}\n"
    return f"{head}{entries}\n:62F:C261103{CURRENCY}{_amount(closing)}\n-\n".encode()


def _entry(pence: int, name: str, text: str) -> str:
    sign = "C" if pence >= 0 else "D"
    pieces = "".join(f"?2{index}{text[27 * index : 27 * index + 27]}" for index in range(len(text) // 27 + 1))
    reference = uuid.uuid4().hex[:10].upper()
    return f":61:2611031103{sign}{_amount(abs(pence))}NTRFNONREF//{reference}\n:86:166?00TRANSFER{pieces}?32{name[:27]}"


def _amount(pence: int) -> str:
    return f"{pence // 100},{pence % 100:02d}"
