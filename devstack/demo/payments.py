"""Payments of many kinds, for one customer of the demo, and a bank statement that is partly matched by itself."""

import asyncio
import base64
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Protocol

import httpx

from devstack.demo import bank_statement

LOGIN: Final = "harper@lighthouse-hotel.example"
COMPANY: Final = "Lighthouse Hotel"
_EXTERNAL_ID: Final = "WAYS-1"
_WORK: Final = (
    ("Linen by launch, June", 48_200),
    ("Fresh water, 40 m3", 31_050),
    ("Guest ferry charter", 126_400),
    ("Berth for the sauna boat", 64_000),
    ("Harbour dinner, catering crates", 22_875),
    ("Winter storage, dinghies", 57_900),
)
_CARD: Final = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123", "name": "Harper Quinn"}
_ACCOUNT: Final = {
    "scheme": "ach", "holder": "Lighthouse Hotel", "routing": "110000000", "account": "000123456789",
    "mandate": "accepted",
}  # fmt: skip
_SCHEDULED_AHEAD: Final = timedelta(days=7)


class Door(Protocol):
    """The public API with somebody's token."""

    async def get(self, path: str, **query: Any) -> dict[str, Any]: ...

    async def post(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]: ...

    async def put(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]: ...


async def is_there(staff: Door) -> bool:
    """Whether all of this was loaded before: the statement comes last."""
    found = (await staff.get("/v1/bank_statements", page_size=100))["statements"]
    return any(one["statement_reference"].startswith(bank_statement.REFERENCE_PREFIX) for one in found)


async def add_customer(staff: Door, password: str) -> list[dict[str, Any]]:
    """A customer with a login and open invoices, which are returned."""
    body = {
        "name": COMPANY,
        "email": "office@lighthouse-hotel.example",
        "external_id": _EXTERNAL_ID,
        "address_lines": ["1 Point Road", "Portsmouth, NH 03801"],
        "country": "US",
    }
    customer = await staff.post("/v1/customers", body, key="demo-ways-customer")
    customer_id = customer["customer_id"]
    person = {"name": "Harper Quinn", "email": LOGIN, "password": password, "role": "payer"}
    await staff.post("/v1/people", {**person, "customer_id": customer_id}, key="demo-ways-person")

    async def invoice(number: int, description: str, minor_units: int) -> dict[str, Any]:
        price = {"minor_units": minor_units, "currency": "USD"}
        lines = [{"description": description, "quantity": "1", "unit_price": price}]
        key = f"demo-ways-invoice-{number}"
        draft = await staff.post("/v1/invoices", {"customer_id": customer_id, "lines": lines}, key=key)
        return await staff.post(f"/v1/invoices/{draft['invoice_id']}:finalize", {}, key=f"{key}-final")

    made = (invoice(number, *work) for number, work in enumerate(_WORK))
    return list(await asyncio.gather(*made))


@dataclass(frozen=True, slots=True)
class Payer:
    """The customer at the portal, and the provider's pages that they fill in."""

    api: Door
    http: httpx.AsyncClient
    public_url: str

    async def save(self, kind: str, form: dict[str, str]) -> str:
        """Save a card or an account on the provider's page; the method's id."""
        body = {"type": kind, "return_url": f"{self.public_url}/methods/return/%7Bsetup_id%7D"}
        setup = await self.api.post("/v1/payment_methods:setup", body, key=f"demo-ways-{kind}")
        path = f"/v1/payment_methods/setups/{setup['setup_id']}:complete"
        if setup["status"] == "requires_action":
            answer = await self.http.post(setup["redirect_url"], data=form)
            if answer.is_error:
                raise SystemExit(f"The provider's page did not save the {kind}: {answer.status_code}")
        done = await self.api.post(path, {}, key=f"demo-ways-{kind}-done")
        if done["status"] != "succeeded":
            raise SystemExit(
                f"The {kind} of the demo was not saved: {done['failure_code'] or done['status']}"
            )
        method_id: str = done["payment_method"]["payment_method_id"]
        return method_id

    async def pay(self, invoice: dict[str, Any], how: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Pay an invoice in full."""
        part = {"invoice_id": invoice["invoice_id"], "amount": invoice["total"]}
        payment = await self.api.post("/v1/payments", {"parts": [part], **how}, key=f"demo-ways-{key}")
        if payment["status"] in ("failed", "canceled"):
            raise SystemExit(f"The {key} of the demo failed: {payment['failure_message']}")
        return payment


async def add_payments(staff: Door, payer: Payer, invoices: list[dict[str, Any]], today: date) -> None:
    """A saved card with autopay, a debit on its way, a scheduled payment, a refund and a chargeback."""
    disputed, refunded, debited, scheduled, *_ = invoices
    # The bank disputes it two seconds later, and the provider tells.
    await payer.pay(disputed, {"card_token": {"token": "tok_disputed"}}, key="disputed")
    paid, card, account = await asyncio.gather(
        payer.pay(refunded, {"card_token": {"token": "tok_mastercard"}}, key="refunded"),
        payer.save("card", _CARD),
        payer.save("bank_debit", _ACCOUNT),
    )
    day = (today + _SCHEDULED_AHEAD).isoformat()
    later = {"saved_method": {"payment_method_id": card}, "scheduled_for": day}
    by_debit = {"saved_method": {"payment_method_id": account}}
    refund = {"payment_id": paid["payment_id"], "reason": "Delivered to the wrong berth"}
    autopay = {
        "payment_method_id": card,
        "scope": "all",
        "days_before_due": 2,
        "notice_days": 3,
        "agree": True,
    }
    await asyncio.gather(
        payer.pay(debited, by_debit, key="debit"),
        payer.pay(scheduled, later, key="scheduled"),
        staff.post("/v1/refunds", refund, key="demo-ways-refund"),
        payer.api.put("/v1/autopay", autopay, key="demo-ways-autopay"),
    )


async def add_bank_statement(staff: Door, *, not_of: set[str], today: date) -> None:
    """Import a statement for open invoices of customers other than `not_of`, one invoice of each."""
    accounts = (await staff.get("/v1/bank_accounts"))["bank_accounts"]
    account = next((one for one in accounts if one["currency"] == "USD"), None)
    if account is None:
        raise SystemExit("The demo has no bank account in dollars.")
    page = await staff.get("/v1/invoices", filter="payable", page_size=100)
    chosen: dict[str, dict[str, Any]] = {}
    for invoice in page["invoices"]:
        fits = invoice["external_id"].isdigit() and not invoice["disputed"] and not invoice["overdue"]
        if fits and invoice["customer_id"] not in not_of:
            chosen.setdefault(invoice["customer_id"], invoice)
    if len(chosen) < bank_statement.INVOICES_NEEDED:
        raise SystemExit(f"The demo has open invoices of {len(chosen)} customers only.")
    lines = bank_statement.lines_for(list(chosen.values()))
    content = base64.b64encode(bank_statement.camt053(account, lines, today)).decode()
    body = {"file_name": f"statement-{today.isoformat()}.xml", "content": content}
    await staff.post("/v1/bank_statements:import", body, key=f"demo-ways-statement-{today.isoformat()}")
