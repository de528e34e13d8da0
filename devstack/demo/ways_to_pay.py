"""What the demo needs for transfers and approvals: bank accounts, a customer in euro, a company with rules to set."""

from typing import Any, Final, Protocol

_ACCOUNTS: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "Operating account",
        "account_holder": "Harbor Supply Co.",
        "iban": "004417002388",
        "bic": "021000021",
        "bank_name": "Portsmouth Harbor Bank",
        "currency": "USD",
        "shown_to_payers": True,
    },
    {
        "name": "Euro account",
        "account_holder": "Harbor Supply Co.",
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
        "bank_name": "Commerzbank",
        "currency": "EUR",
        "shown_to_payers": True,
    },
)
_EURO_CUSTOMER: Final = {
    "name": "Hansa Reederei GmbH",
    "email": "rechnungen@hansa-reederei.example",
    "external_id": "EUR-1",
    "currency": "EUR",
    "locale": "de-DE",
    "address_lines": ["Am Sandtorkai 8", "20457 Hamburg"],
    "country": "DE",
    "payment_terms_days": 14,
}


class Door(Protocol):
    """The public API with somebody's token."""

    async def get(self, path: str, **query: Any) -> dict[str, Any]: ...

    async def post(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]: ...


async def add_bank_accounts(api: Door) -> None:
    """An account in dollars and one in euro, shown to payers."""
    known = {one["iban"] for one in (await api.get("/v1/bank_accounts")).get("bank_accounts", [])}
    for account in _ACCOUNTS:
        if account["iban"] not in known:
            await api.post("/v1/bank_accounts", account, key=f"demo-bank-{account['currency']}")


async def add_company_people(api: Door, payer: dict[str, Any], password: str) -> list[tuple[str, str]]:
    """Who approves, and who sets the rules, at one customer. Returns pairs of role and login."""
    company, domain = payer["name"], payer["login"].split("@")[1]
    people = (
        ("Approver", "Ada", f"ada@{domain}", "approver"),
        ("Company admin", "Cleo", f"cleo@{domain}", "company_admin"),
    )
    for _, name, email, role in people:
        body = {"name": f"{name} of {company}", "email": email, "password": password, "role": role}
        await api.post(
            "/v1/people", {**body, "customer_id": payer["customer_id"]}, key=f"demo-person-{email}"
        )
    return [(f"{role} ({company})", email) for role, _, email, _ in people]


async def add_euro_customer(api: Door, password: str) -> tuple[str, str]:
    """A customer in euro with two open invoices, for transfers with a QR code. Returns role and login."""
    customer = await api.post("/v1/customers", dict(_EURO_CUSTOMER), key="demo-customer-euro")
    customer_id, login = customer["customer_id"], "kai@hansa-reederei.example"
    body = {"name": "Kai Brandt", "email": login, "password": password, "role": "payer", "locale": "de-DE"}
    await api.post("/v1/people", {**body, "customer_id": customer_id}, key="demo-person-euro")
    for number, (description, price) in enumerate((("Liegeplatz, Woche", 189000), ("Lotsenfahrt", 64550))):
        unit_price = {"minor_units": price, "currency": "EUR"}
        lines = [{"description": description, "quantity": "1", "unit_price": unit_price}]
        draft = {"customer_id": customer_id, "lines": lines, "purchase_order_number": f"HR-{207 + number}"}
        invoice = await api.post("/v1/invoices", draft, key=f"demo-invoice-euro-{number}")
        path = f"/v1/invoices/{invoice['invoice_id']}:finalize"
        await api.post(path, {}, key=f"demo-invoice-euro-{number}-final")
    return (f"Customer ({_EURO_CUSTOMER['name']})", login)
