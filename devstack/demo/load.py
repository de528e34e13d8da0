"""Loads the demo through the doors that everybody uses: the command line's gRPC call once, then the public API."""

import asyncio
import base64
import json
import os
import secrets
import time
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chassis.errors import ServiceError
from chassis.rpc.client import as_service, connect
from chassis.settings import BaseServiceSettings
from devstack.demo import histories, payments, receivables, ways_to_pay
from devstack.environment import DEMO_ORGANIZATION, Environment
from devstack.private_files import write_private
from tallyport.identity.v1 import organizations_pb2, organizations_pb2_grpc

SLUG: Final = DEMO_ORGANIZATION
OWNER_EMAIL: Final = "olivia@harbor-supply.example"
STAFF_EMAIL: Final = "sam@harbor-supply.example"
_TIME_ZONE: Final = "America/New_York"
_PASSWORD_FILE: Final = "demo-password"  # noqa: S105 - a file name
_CUSTOMERS_WITH_LOGIN: Final = 3
_APPLIED_SECONDS: Final = 60.0
_LOGO: Final = Path(__file__).with_name("logo.svg")
_ITEMS: Final = (
    ("CRANE-H", "Crane hour, 40 t", 18500, "8.875"),
    ("COLD-PAL", "Cold storage, pallet and week", 2450, "8.875"),
    ("CUSTOMS", "Customs handling", 12000, ""),
    ("BERTH-D", "Berth, day", 64000, ""),
)


@dataclass(frozen=True, slots=True)
class Login:
    """A ready login, shown when the stack is up."""

    role: str
    email: str
    password: str
    url: str


async def load(environment: Environment) -> None:
    """Makes the demo organization, its people and its invoices. Doing it again adds nothing."""
    console = Console()
    started = time.monotonic()
    password = _password(environment)
    await _create_organization(environment, password)
    async with httpx.AsyncClient(base_url=environment.public_url, timeout=60) as http:
        api = _Api(http, await _token(http, OWNER_EMAIL, password))
        today = datetime.now(ZoneInfo(_TIME_ZONE)).date()
        demo = histories.read(today)
        if await _import(api, demo, console):
            await _until_applied(api, sum(demo.open_by_customer.values()), console)
        payers = await _people(api, demo, password)
        await _new_invoices(api, payers)
        await ways_to_pay.add_bank_accounts(api)
        others = await ways_to_pay.add_company_people(api, payers[0], password)
        others.append(await ways_to_pay.add_euro_customer(api, password))
        paid_by, _ = await asyncio.gather(
            _payments(api, http, payers, password, environment.public_url),
            _receivables(api, http, password, today),
        )
        others += [paid_by, *receivables.LOGINS]
    logins = [
        Login("Owner", OWNER_EMAIL, password, f"{environment.public_url}/console"),
        Login("Accountant", STAFF_EMAIL, password, f"{environment.public_url}/console"),
        *(
            Login(f"Customer ({payer['name']})", payer["login"], password, environment.public_url)
            for payer in payers
        ),
        *(Login(role, email, password, environment.public_url) for role, email in others),
    ]
    rows = [{"role": x.role, "email": x.email, "password": x.password, "url": x.url} for x in logins]
    write_private(environment.layout.demo_logins_file, json.dumps(rows, indent=2))
    console.print(f"Demo data ready in {time.monotonic() - started:.0f} s: {demo.invoices} invoices.")


def _password(environment: Environment) -> str:
    """Drawn once for each state folder; TALLYPORT_DEMO_PASSWORD gives one for tests."""
    given = os.environ.pop("TALLYPORT_DEMO_PASSWORD", None)
    path = environment.layout.secrets / _PASSWORD_FILE
    if given:
        write_private(path, given)
    elif not path.exists():
        write_private(path, f"demo-{secrets.token_hex(8)}")
    return path.read_text()


async def _create_organization(environment: Environment, password: str) -> None:
    variables = environment.of_command_line()
    os.environ.update(variables)
    channel = connect(BaseServiceSettings.load(), "identity")
    request = organizations_pb2.CreateOrganizationRequest(
        slug=SLUG,
        name="Harbor Supply Co.",
        currency="USD",
        time_zone=_TIME_ZONE,
        locale="en-US",
        address=organizations_pb2.PostalAddress(
            lines=["14 Quay Street"], city="Portsmouth", region="NH", postal_code="03801", country="US"
        ),
        tax_id="02-0000000",
        contact_email="billing@harbor-supply.example",
        contact_phone="+1 603 555 0100",
        brand=organizations_pb2.Brand(
            display_name="Harbor Supply",
            primary_color="#0b5c7a",
            logo=_LOGO.read_bytes(),
            logo_media_type="image/svg+xml",
        ),
        owner_name="Olivia Hart",
        owner_email=OWNER_EMAIL,
        owner_password=password,
    )
    try:
        await as_service(organizations_pb2_grpc.OrganizationsStub(channel).CreateOrganization)(request)
    except ServiceError as error:
        if error.reason != "ORGANIZATION_SLUG_TAKEN":
            raise
    finally:
        await channel.close()


class _Api:
    """The public API with the owner's token."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http = http
        self._token = token

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self._http.get(path, params=query, headers=self._headers())
        return self._checked(answer)

    async def post(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        return await self._send("POST", path, body, key)

    async def put(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        return await self._send("PUT", path, body, key)

    async def _send(self, verb: str, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        headers = {**self._headers(), "Idempotency-Key": key}
        return self._checked(await self._http.request(verb, path, json=body, headers=headers))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    @staticmethod
    def _checked(answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            raise SystemExit(
                f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}"
            )
        data: dict[str, Any] = answer.json()
        return data


async def _token(http: httpx.AsyncClient, email: str, password: str) -> str:
    body = {"organization_slug": SLUG, "email": email, "password": password, "device": "demo"}
    answer = await http.post("/v1/sessions", json=body)
    if answer.is_error:
        raise SystemExit(f"{email} cannot sign in: {answer.text}. `tallyport up --fresh --demo` starts anew.")
    token: str = answer.json()["access"]["token"]
    return token


async def _import(api: _Api, demo: histories.Histories, console: Console) -> int:
    """Imports the histories. Returns how many invoices that made: none when the demo was loaded before."""
    body = {"file_name": "histories.csv", "content": base64.b64encode(demo.content).decode()}
    running = await api.post("/v1/imports", body, key=f"demo-import-{secrets.token_hex(8)}")
    columns = (TextColumn("Importing invoices"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("import", total=running["total_rows"])
        while running["state"] != "done":
            progress.update(task, completed=running["handled_rows"])
            await asyncio.sleep(0.2)
            running = await api.get(f"/v1/imports/{running['import_id']}")
        progress.update(task, completed=running["handled_rows"])
    if running["failed_rows"]:
        raise SystemExit(f"{running['failed_rows']} rows were refused: {running['errors'][:5]}")
    created: int = running["created_rows"]
    return created


async def _until_applied(api: _Api, expected_open: int, console: Console) -> None:
    """Waits until the settled invoices' payments have gone round through payments and back."""
    ends = time.monotonic() + _APPLIED_SECONDS
    with console.status("Recording payments"):
        while time.monotonic() < ends:
            overview = await api.get("/v1/receivables/overview")
            open_invoices = sum(currency["open_invoices"] for currency in overview["currencies"])
            if open_invoices <= expected_open:
                return
            await asyncio.sleep(0.2)
    raise SystemExit(
        f"{open_invoices} invoices are open instead of {expected_open}: payments did not reach invoicing"
    )


async def _people(api: _Api, demo: histories.Histories, password: str) -> list[dict[str, Any]]:
    """An accountant, and a person for each of the customers with most open invoices."""
    body = {"name": "Sam Rivera", "email": STAFF_EMAIL, "password": password, "role": "accountant"}
    await api.post("/v1/people", body, key="demo-person-sam")
    busiest = sorted(demo.customers, key=lambda customer: -demo.open_by_customer[customer.external_id])
    payers = []
    for customer in busiest[:_CUSTOMERS_WITH_LOGIN]:
        found = await api.get("/v1/customers", external_id=customer.external_id)
        customer_id = found["customers"][0]["customer"]["customer_id"]
        login = f"pat@{customer.email.split('@')[1]}"
        body = {"name": f"Pat of {customer.name}", "email": login, "password": password, "role": "payer"}
        await api.post(
            "/v1/people", {**body, "customer_id": customer_id}, key=f"demo-person-{customer.external_id}"
        )
        payers.append({"name": customer.name, "customer_id": customer_id, "login": login})
    return payers


async def _new_invoices(api: _Api, payers: list[dict[str, Any]]) -> None:
    """Fresh invoices with lines and tax, so that a mail and a full document can be seen; one stays a draft."""
    items = []
    for sku, name, price, tax in _ITEMS:
        item: dict[str, Any] = {
            "sku": sku,
            "name": name,
            "unit_price": {"minor_units": price, "currency": "USD"},
        }
        items.append(await api.post("/v1/items", {**item, "tax_rate_percent": tax}, key=f"demo-item-{sku}"))
    for number, payer in enumerate(payers):
        lines = [
            {"item_id": items[number % 4]["item_id"], "quantity": str(2 + number)},
            {"item_id": items[(number + 1) % 4]["item_id"], "quantity": "3.5"},
        ]
        body = {
            "customer_id": payer["customer_id"],
            "lines": lines,
            "purchase_order_number": f"PO-{1040 + number}",
        }
        key = f"demo-invoice-{payer['customer_id']}"
        invoice = await api.post("/v1/invoices", body, key=key)
        if number < len(payers) - 1:
            await api.post(f"/v1/invoices/{invoice['invoice_id']}:finalize", {}, key=f"{key}-final")


async def _payments(
    api: _Api, http: httpx.AsyncClient, payers: list[dict[str, Any]], password: str, public_url: str
) -> tuple[str, str]:
    """Payments of many kinds and a bank statement, once. Returns role and login of who paid."""
    if not await payments.is_there(api):
        today = datetime.now(ZoneInfo(_TIME_ZONE)).date()
        invoices = await payments.add_customer(api, password)
        payer = payments.Payer(_Api(http, await _token(http, payments.LOGIN, password)), http, public_url)
        not_of = {one["customer_id"] for one in payers}
        await payments.add_payments(api, payer, invoices, today)
        await payments.add_bank_statement(api, not_of=not_of, today=today)
    return f"Customer ({payments.COMPANY})", payments.LOGIN


async def _receivables(api: _Api, http: httpx.AsyncClient, password: str, today: date) -> None:
    """A family of customers, schedules, instalments and what else runs by itself, once."""

    async def signed_in(email: str) -> _Api:
        return _Api(http, await _token(http, email, password))

    await receivables.add(receivables.Loader(staff=api, signed_in=signed_in, password=password, today=today))
