"""A business in a running stack: one organization, one customer with open invoices, and how that customer pays."""

import asyncio
import base64
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from chassis.caller import Audience
from chassis.rpc.client import as_service
from services.identity.domain.role import PERMISSIONS, Role
from tallyport.identity.v1 import organizations_pb2, organizations_pb2_grpc
from tests.support.stack import RunningStack
from tests.support.wait import until

AMOUNT = 1_250
"""Of every invoice, in cents."""
_ENDED = frozenset({"succeeded", "failed", "canceled"})
_REFUSED = frozenset({400, 401, 403, 404, 422})
_NOT_NOW = frozenset({"idempotency_key_in_progress", "busy"})


class Unanswered(AssertionError):
    """A read that the mesh answered with an error."""


@dataclass
class Shop:
    """An organization of its own for each test. `invoices` are ids of open ones nobody has paid from yet."""

    stack: RunningStack
    http: httpx.AsyncClient
    organization_id: str
    customer_id: str = ""
    email: str = ""
    invoices: list[str] = field(default_factory=list)

    def headers(self, kind: Audience = Audience.CUSTOMER, *, key: str | None = None) -> dict[str, str]:
        """Who calls: the customer's person or the owner."""
        customer = kind is Audience.CUSTOMER
        token = self.stack.token(
            kind,
            organization_id=self.organization_id,
            expires_at_seconds=int(time.time()) + 600,
            subject_id="per_payer" if customer else "per_owner",
            name="Pat" if customer else "Olivia",
            customer_id=self.customer_id if customer else None,
            permissions=PERMISSIONS[Role.PAYER if customer else Role.OWNER],
        )
        headers = {"authorization": f"Bearer {token}"}
        return headers | ({"idempotency-key": key} if key else {})

    async def staff(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """What the owner asks of the API."""
        headers = self.headers(Audience.STAFF, key=uuid.uuid4().hex)
        answer = await self.http.request(method, path, headers=headers, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        data: dict[str, Any] = answer.json()
        return data

    async def request(
        self, *invoice_ids: str, key: str, token: str | None = "tok_visa", amount: int = AMOUNT
    ) -> httpx.Response:
        """One POST /v1/payments, whatever comes of it; without token on the hosted page."""
        money = {"minor_units": amount, "currency": "USD"}
        body: dict[str, Any] = {"parts": [{"invoice_id": one, "amount": money} for one in invoice_ids]}
        if token is None:
            body["hosted_page"] = {"return_url": f"{self.stack.url}/payments/%7Bpayment_id%7D"}
        else:
            body["card_token"] = {"token": token}
        return await self.http.post("/v1/payments", json=body, headers=self.headers(key=key))

    async def pay(self, *invoice_ids: str, key: str = "", timeout_seconds: float = 60.0) -> dict[str, Any]:
        """Pay as a patient browser does: the same request with the same key until it has an end."""
        key = key or uuid.uuid4().hex
        ends_at = time.monotonic() + timeout_seconds
        answer = ""
        while time.monotonic() < ends_at:
            try:
                response = await self.request(*invoice_ids, key=key)
            except httpx.TransportError as error:
                answer = repr(error)
            else:
                answer = f"{response.status_code} {response.text}"
                if response.is_success:
                    payment: dict[str, Any] = response.json()
                    if payment["status"] in _ENDED:
                        return payment
                elif response.status_code in _REFUSED or (
                    response.status_code == 409 and response.json()["code"] not in _NOT_NOW
                ):
                    raise AssertionError(answer)
            await asyncio.sleep(0.2)
        raise TimeoutError(f"the payment has no end after {timeout_seconds:g} s, at last: {answer}")

    async def payment(self, payment_id: str) -> dict[str, Any]:
        """A payment as its customer sees it."""
        return await self._read(f"/v1/payments/{payment_id}")

    async def payments(self) -> list[dict[str, Any]]:
        """The customer's newest payments."""
        found: list[dict[str, Any]] = (await self._read("/v1/payments", page_size=100))["payments"]
        return found

    async def invoice(self, invoice_id: str) -> dict[str, Any]:
        """An invoice as its customer sees it."""
        return await self._read(f"/v1/invoices/{invoice_id}")

    async def until_status(self, payment_id: str, status: str, timeout_seconds: float = 30.0) -> None:
        """Wait for a payment to get there by itself."""

        async def there() -> bool:
            return bool((await self.payment(payment_id))["status"] == status)

        await until(there, timeout_seconds)

    async def _read(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.http.get(path, params=query, headers=self.headers())
        if not answer.is_success:
            raise Unanswered(answer.text)
        data: dict[str, Any] = answer.json()
        return data

    async def fault(self, fault: str, **settings: Any) -> None:
        """Arm a fault of the provider for this organization."""
        match = {"organization_id": self.organization_id} | settings.pop("match", {})
        answer = await self.http.post(
            f"{self.stack.tool('simulator')}/faults", json={"fault": fault, "match": match, **settings}
        )
        assert answer.status_code == 201, answer.text

    async def type_card(self, redirect_url: str, number: str = "4242424242424242") -> None:
        """Pay on the provider's page."""
        form = {"number": number, "expiry": "04/39", "cvc": "123", "name": "Pat Lee", "tries": "0"}
        answer = await self.http.post(redirect_url, data=form)
        assert answer.status_code < 400, answer.text


async def open_shop(stack: RunningStack, http: httpx.AsyncClient, *, invoices: int = 5) -> Shop:
    """Found an organization and import open invoices for its one customer; nobody is mailed about them."""
    name = f"shop-{secrets.token_hex(5)}"
    shop = Shop(stack, http, await _found(stack, name), email=f"accounts@{name}.example")

    async def customer() -> str:
        body = {"name": "Fjord Gardens", "email": shop.email, "external_id": "c-1"}
        headers = shop.headers(Audience.STAFF, key=f"{name}-customer")
        answer = await http.post("/v1/customers", json=body, headers=headers)
        return str(answer.json()["customer_id"]) if answer.is_success else ""

    shop.customer_id = await until(customer, timeout_seconds=30)  # invoicing hears of it by an event
    await _import(shop, invoices)
    return shop


async def _found(stack: RunningStack, slug: str) -> str:
    channel = stack.channel("identity", peer="cli")
    request = organizations_pb2.CreateOrganizationRequest(
        slug=slug,
        name=f"The {slug}",
        currency="USD",
        time_zone="UTC",
        locale="en-US",
        contact_email=f"billing@{slug}.example",
        owner_name="Olivia",
        owner_email=f"olivia@{slug}.example",
        owner_password=secrets.token_urlsafe(20),
    )
    try:
        create = as_service(
            organizations_pb2_grpc.OrganizationsStub(channel).CreateOrganization, timeout_seconds=10
        )
        return str((await create(request)).organization_id)
    finally:
        await channel.close()


async def _import(shop: Shop, count: int) -> None:
    lines = ["invoice number,customer id,invoice date,due date,amount"]
    lines += [f"N-{number},c-1,2026-01-02,2026-02-01,{AMOUNT / 100:.2f}" for number in range(count)]
    content = base64.b64encode("\n".join(lines).encode()).decode()
    running = await shop.staff("POST", "/v1/imports", json={"file_name": "n.csv", "content": content})

    async def done() -> bool:
        return bool((await shop.staff("GET", f"/v1/imports/{running['import_id']}"))["state"] == "done")

    await until(done, timeout_seconds=30)
    token = ""
    while True:
        query = {"page_size": 100, "page_token": token, "customer_id": shop.customer_id}
        page = await shop.staff("GET", "/v1/invoices", params=query)
        shop.invoices += [invoice["invoice_id"] for invoice in page["invoices"]]
        if not (token := page["next_page_token"]):
            break
    assert len(shop.invoices) == count
