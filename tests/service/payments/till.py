"""A payments service served over mTLS with the provider simulator beside it, and what tests do to both."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from chassis.caller import Audience
from chassis.database import Database
from chassis.money import Money
from chassis.rpc.client import Channel, connect, user_metadata
from chassis.rpc.server import Server
from services.payments.desk import Desk
from services.payments.domain.payment import Part
from services.payments.invoicing import Reservations
from services.payments.operations.reconcile_attempts import reconcile_attempts
from services.payments.operations.verify_books import verify_books
from services.payments.providers import Provider
from services.payments.providers.simulator import Simulator
from services.payments.rpc import servicers
from services.payments.settings import Settings
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import reservations_pb2_grpc
from tallyport.payments.v1 import payments_pb2, payments_pb2_grpc
from tests.service.payments.invoices import Invoices, OpenItems
from tests.support.database import DatabaseUrls
from tests.support.mesh import Mesh
from tests.support.programs import ROOT, free_address
from tests.support.wait import until

SECRET = "sk_test_simulator"
WEBHOOK_KEY = b"0123456789abcdef0123456789abcdef"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(WEBHOOK_KEY).decode()
ALL_RIGHTS = frozenset(
    {
        "payments.create",
        "payments.read",
        "payments.record",
        "payments.refund",
        "invoices.read",
        "organization.write",
    }
)
RETURN_URL = "https://portal.example/payments/%7Bpayment_id%7D"


class ShiftedClock:
    """The machine's clock, turned on by what a test asks for."""

    def __init__(self) -> None:
        self._shift = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def advance(self, **by: float) -> None:
        self._shift += timedelta(**by)


Sink = Callable[[dict[str, str], bytes], Any]


@dataclass
class Gate:
    """Takes the simulator's webhooks over HTTP, as the gateway does, and hands them to whoever tests now."""

    address: str
    sink: Sink | None = None
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    busy: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = (line.partition(": ") for line in head.strip().splitlines()[1:])
                headers = {name.lower(): value for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                status = await self._hand_over(headers, body)
                writer.write(f"HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        await self._close(writer)

    async def close(self) -> None:
        """Wait until the simulator has hung up."""
        await until(lambda: not self._writers)

    async def _close(self, writer: asyncio.StreamWriter) -> None:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self._writers.discard(writer)

    async def _hand_over(self, headers: dict[str, str], body: bytes) -> int:
        self.seen.append((headers, body))
        if self.sink is None:
            return 204
        self.busy += 1
        try:
            await self.sink(headers, body)
        except Exception:
            return 503
        finally:
            self.busy -= 1
        return 204


@dataclass
class Bank:
    """The simulator: its API, its card page, its faults."""

    url: str
    http: httpx.AsyncClient
    others: Mapping[str, Provider] = field(default_factory=dict)
    """Providers that policies may name besides the simulator."""

    async def fault(self, fault: str, organization_id: str, **settings: Any) -> None:
        """Arm a fault for one organization's requests and events."""
        match = {"organization_id": organization_id} | settings.pop("match", {})
        answer = await self.http.post("/faults", json={"fault": fault, "match": match, **settings})
        assert answer.status_code == 201, answer.text

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Do something that only the bank can do."""
        answer = await self.http.post(path, json=body, headers=_AUTHORIZED)
        assert answer.status_code < 300, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def charges(self, payment_id: str) -> list[dict[str, Any]]:
        """Successful charges of a payment: what the payer's bank statement shows."""
        answer = await self.http.get("/v1/ledger", params={"payment_id": payment_id}, headers=_AUTHORIZED)
        found: list[dict[str, Any]] = answer.json()["charges"]
        return found

    async def type_card(self, redirect_url: str, number: str = "4242424242424242", tries: int = 0) -> None:
        """Pay on the hosted page."""
        form = {"number": number, "expiry": "04/39", "cvc": "123", "name": "Ann Lee", "tries": str(tries)}
        answer = await self.http.post(redirect_url, data=form)
        assert answer.status_code < 500, answer.text


_AUTHORIZED = {"authorization": f"Bearer {SECRET}"}


@dataclass
class Till:
    """Everything a test of payments needs. Each test has its own organization."""

    mesh: Mesh
    urls: DatabaseUrls
    db: Database
    clock: ShiftedClock
    bank: Bank
    gate: Gate
    invoices: Invoices
    desk: Desk
    payments: "payments_pb2_grpc.PaymentsAsyncStub"
    provider_events: "payments_pb2_grpc.ProviderEventsAsyncStub"
    receipts: "payments_pb2_grpc.ReceiptsAsyncStub"
    invoicing_address: str
    channel: Channel
    """To the service, as the gateway."""
    address: str
    organization_id: str = field(default_factory=lambda: f"org_{uuid.uuid4().hex[:12]}")

    def as_customer(self, customer_id: str = "cus_1", *, key: str | None = None, **claims: Any) -> Any:
        """Metadata of a customer's call."""
        return self.by(Audience.CUSTOMER, key=key, customer_id=customer_id, **claims)

    def as_staff(self, *, key: str | None = None) -> Any:
        return self.by(Audience.STAFF, key=key)

    def by(self, kind: Audience, *, key: str | None = None, **claims: Any) -> Any:
        claims = {"organization_id": self.organization_id, "permissions": ALL_RIGHTS} | claims
        return user_metadata(token=self.mesh.token(kind, **claims), idempotency_key=key)

    async def pay(
        self,
        parts: dict[str, int],
        *,
        key: str | None = None,
        token: str | None = "tok_visa",
        customer_id: str = "cus_1",
        timeout: float = 5.0,
    ) -> payments_pb2.Payment:
        """Pay invoices as a customer, with a token or (None) on the hosted page."""
        request = pay_request(parts, token)
        metadata = self.as_customer(customer_id, key=key or uuid.uuid4().hex)
        return await self.payments.CreatePayment(request, metadata=metadata, timeout=timeout)

    async def get(self, payment_id: str) -> payments_pb2.Payment:
        request = payments_pb2.GetPaymentRequest(payment_id=payment_id)
        return await self.payments.GetPayment(request, metadata=self.as_customer())

    async def refresh(self, payment_id: str) -> payments_pb2.Payment:
        request = payments_pb2.RefreshPaymentRequest(payment_id=payment_id)
        return await self.payments.RefreshPayment(request, metadata=self.as_customer())

    async def cancel(self, payment_id: str) -> payments_pb2.Payment:
        request = payments_pb2.CancelPaymentRequest(payment_id=payment_id)
        return await self.payments.CancelPayment(request, metadata=self.as_customer())

    async def page(self, **more: Any) -> list[payments_pb2.Payment]:
        request = payments_pb2.ListPaymentsRequest(**more)
        return list((await self.payments.ListPayments(request, metadata=self.as_staff())).payments)

    async def reconcile(self, *, after_seconds: float = 11) -> None:
        """Let time pass and the reconciler run."""
        self.clock.advance(seconds=after_seconds)
        await reconcile_attempts(self.desk)

    async def hook(self, headers: dict[str, str], body: bytes) -> payments_pb2.ReceiveWebhookResponse:
        """Hand a webhook over as the gateway does."""
        provider = "stripe" if "stripe-signature" in headers else "simulator"
        request = payments_pb2.ReceiveWebhookRequest(provider=provider, headers=headers, body=body)
        return await self.provider_events.ReceiveWebhook(request)

    async def rows(self, statement: str, **params: Any) -> list[Any]:
        """Rows of this test's organization."""
        async with self.db.read(self.organization_id) as tx:
            return list(await tx.execute(text(statement), params))

    async def execute(self, statement: str, **params: Any) -> None:
        """Change rows behind the service's back."""
        async with self.db.write(self.organization_id) as tx:
            await tx.execute(text(statement), params)

    def parts(self, amounts: dict[str, int]) -> tuple[Part, ...]:
        """Parts in USD."""
        return tuple(Part(invoice_id, Money(units, "USD")) for invoice_id, units in amounts.items())

    async def attempt_id(self, payment_id: str) -> str:
        rows = await self.rows("SELECT attempt_id FROM payment_attempts WHERE payment_id = :p", p=payment_id)
        assert len(rows) == 1
        return str(rows[0].attempt_id)

    async def events(self, payment_id: str) -> list[str]:
        """Names of the events told about a payment, in their order."""
        rows = await self.rows(
            "SELECT type FROM outbox WHERE organization_id = :o AND aggregate_id = :p"
            " ORDER BY aggregate_version",
            o=self.organization_id,
            p=payment_id,
        )
        return [row.type.rpartition(".")[2] for row in rows]

    async def check_books(self) -> None:
        """All invariants hold."""
        async with self.db.read(self.organization_id) as tx:
            assert await verify_books(tx) == []

    async def check_charged_once(self, payment_id: str) -> None:
        """One charge at the provider, one receipt, one event, and books that balance."""
        assert len(await self.bank.charges(payment_id)) == 1
        assert await self.events(payment_id) == ["PaymentSucceeded"]
        rows = await self.rows("SELECT count(*) AS n FROM receipts WHERE payment_id = :p", p=payment_id)
        assert rows[0].n == 1
        await self.check_books()

    @asynccontextmanager
    async def process(self, command: str, *, crashpoint: str = "", folder: Path) -> AsyncIterator["Process"]:
        """The service as a process of its own, to be killed."""
        grpc_address, metrics_address = free_address(), free_address()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}",
            "DATABASE_URL": self.urls.app,
            "NATS_URL": "nats://nobody:nothing@127.0.0.1:9",
            "TALLYPORT_GRPC_LISTEN": grpc_address,
            "TALLYPORT_METRICS_LISTEN": metrics_address,
            "TALLYPORT_INVOICING_ADDRESS": self.invoicing_address,
            "TALLYPORT_SIMULATOR_URL": self.bank.url,
            "TALLYPORT_SIMULATOR_SECRET": SECRET,
            "TALLYPORT_SIMULATOR_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "TALLYPORT_CHECK_DELAYS_SECONDS": "[1]",
            **{f"TALLYPORT_{name.upper()}": str(v) for name, v in self.mesh.settings("payments").items()},
        }
        if crashpoint:
            environment["TALLYPORT_CRASHPOINT"] = crashpoint
        log_file = folder / f"{command}-{uuid.uuid4().hex[:6]}.log"
        with log_file.open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.payments", command),
                cwd=ROOT, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        channel = self._channel(grpc_address)
        try:
            await self._ready(child, metrics_address, log_file)
            yield Process(child, payments_pb2_grpc.PaymentsStub(channel), log_file, channel)
        finally:
            await channel.close()
            if child.returncode is None:
                child.kill()
            await child.wait()

    def _channel(self, address: str) -> Channel:
        return connect(Settings(**self.mesh.settings("gateway"), payments_address=address), "payments")

    async def _ready(self, child: asyncio.subprocess.Process, address: str, log_file: Path) -> None:
        async def ready() -> bool:
            if child.returncode is not None:
                return True  # it may have met its crash point already
            with contextlib.suppress(httpx.TransportError):
                return (await self.bank.http.get(f"http://{address}/readyz")).status_code == 200
            return False

        try:
            await until(ready, timeout_seconds=30)
        except TimeoutError:
            raise RuntimeError(log_file.read_text()) from None


@dataclass
class Process:
    """A running child and its payments API."""

    child: asyncio.subprocess.Process
    payments: "payments_pb2_grpc.PaymentsAsyncStub"
    log_file: Path
    channel: Channel


def pay_request(parts: dict[str, int], token: str | None = "tok_visa") -> payments_pb2.CreatePaymentRequest:
    """A request to pay USD amounts of invoices."""
    request = payments_pb2.CreatePaymentRequest(
        parts=[
            payments_pb2.PaymentPart(
                invoice_id=invoice_id, amount=money_pb2.Money(minor_units=units, currency="USD")
            )
            for invoice_id, units in parts.items()
        ]
    )
    if token is None:
        request.hosted_page.return_url = RETURN_URL
    else:
        request.card_token.token = token
    return request


def signed(body: dict[str, Any], *, event_id: str, key: bytes = WEBHOOK_KEY, at: float | None = None) -> Any:
    """Headers and body of a webhook."""
    content, stamp = json.dumps(body).encode(), int(time.time() if at is None else at)
    digest = hmac.digest(key, f"{event_id}.{stamp}.".encode() + content, hashlib.sha256)
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
    return headers, content


@asynccontextmanager
async def serving(
    mesh: Mesh, db: Database, urls: DatabaseUrls, clock: ShiftedClock, bank: Bank, gate: Gate
) -> AsyncIterator[Till]:
    """A payments server with an invoicing server beside it."""
    invoices = Invoices()
    beside: list[tuple[Any, object]] = [
        (reservations_pb2_grpc.add_ReservationsServicer_to_server, invoices),
        (reservations_pb2_grpc.add_OpenItemsServicer_to_server, OpenItems(invoices)),
    ]
    invoicing = Server(Settings(**mesh.settings("invoicing"), grpc_listen="127.0.0.1:0"), beside)
    invoicing_address = f"127.0.0.1:{await invoicing.start()}"
    settings = Settings(
        **mesh.settings("payments"),
        grpc_listen="127.0.0.1:0",
        invoicing_address=invoicing_address,
        simulator_url=bank.url,
        simulator_secret=SECRET,
        simulator_webhook_secret=WEBHOOK_SECRET,
        provider_timeout_seconds=2.0,
    )
    to_invoicing = connect(settings, "invoicing")
    provider = Simulator(settings.simulator_url, settings.simulator_secret, settings.webhook_secrets)
    desk = Desk(db, provider, Reservations(to_invoicing), settings, providers=bank.others)
    server = Server(settings, servicers(desk))
    address = f"127.0.0.1:{await server.start()}"
    gateway = connect(Settings(**mesh.settings("gateway"), payments_address=address), "payments")
    notifications = connect(Settings(**mesh.settings("notifications"), payments_address=address), "payments")
    till = Till(
        mesh=mesh, urls=urls, db=db, clock=clock, bank=bank, gate=gate, invoices=invoices, desk=desk,
        payments=payments_pb2_grpc.PaymentsStub(gateway),
        provider_events=payments_pb2_grpc.ProviderEventsStub(gateway),
        receipts=payments_pb2_grpc.ReceiptsStub(notifications),
        invoicing_address=invoicing_address, channel=gateway, address=address,
    )  # fmt: skip
    gate.sink = till.hook
    gate.seen.clear()
    try:
        yield till
    finally:
        gate.sink = None
        await until(lambda: gate.busy == 0)
        await server.stop(5)  # what still runs has a database connection
        await desk.finish()
        for channel in (gateway, notifications, to_invoicing):
            await channel.close()
        await invoicing.stop(0)
        await provider.close()
