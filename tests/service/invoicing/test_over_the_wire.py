"""Invoicing as its callers meet it: gRPC with certificates and tokens, events over a real NATS."""

import asyncio
import contextlib
import io
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pypdf import PdfReader

from chassis import outbox
from chassis.bus import Bus
from chassis.caller import Audience
from chassis.database import Database
from chassis.errors import Kind, ServiceError
from chassis.event_log import event_log
from chassis.inbox import Consumers
from chassis.outbox import Relay
from chassis.rpc.client import Channel, as_service, connect, user_metadata
from chassis.rpc.server import Server
from devstack.nats import Nats
from services.invoicing.consumers import HANDLERS
from services.invoicing.payments import TransferSlips
from services.invoicing.rpc import servicers
from services.invoicing.rpc.invoices import Invoices
from services.invoicing.settings import InvoicingSettings
from tallyport.invoicing.v1 import (
    customers_pb2,
    customers_pb2_grpc,
    invoices_pb2,
    invoices_pb2_grpc,
    reservations_pb2,
    reservations_pb2_grpc,
)
from tallyport.payments.v1 import events_pb2 as payments_events
from tallyport.payments.v1 import transfers_pb2, transfers_pb2_grpc
from tests.service.invoicing.office import PAY_LINK_KEY, Office, usd
from tests.support.database import Databases
from tests.support.mesh import Mesh
from tests.support.wait import until


class Wire:
    """The served service and channels of its callers."""

    def __init__(self, mesh: Mesh, office: Office, port: int) -> None:
        self.mesh, self.office, self.port = mesh, office, port
        self.channels: list[Channel] = []

    def channel(self, peer: str) -> Channel:
        address = f"127.0.0.1:{self.port}"
        settings = InvoicingSettings(**self.mesh.settings(peer), invoicing_address=address)
        self.channels.append(connect(settings, "invoicing"))
        return self.channels[-1]

    def by(self, kind: Audience, *permissions: str, **claims: Any) -> list[tuple[str, str]]:
        token = self.mesh.token(
            kind, organization_id=self.office.organization_id, permissions=frozenset(permissions), **claims
        )
        return user_metadata(token=token, idempotency_key=uuid.uuid4().hex)


@pytest_asyncio.fixture
async def wire(office: Office, tmp_path: Path) -> AsyncIterator[Wire]:
    mesh = Mesh(tmp_path)
    settings = InvoicingSettings(**mesh.settings("invoicing"), grpc_listen="127.0.0.1:0")
    server = Server(settings, servicers(office.db, pay_link_key=PAY_LINK_KEY))
    await server.start()
    wire = Wire(mesh, office, server.port)
    yield wire
    for channel in wire.channels:
        await channel.close()
    await server.stop(0)


async def test_staff_invoice_and_the_customer_reads_it(wire: Wire) -> None:
    gateway = wire.channel("gateway")
    customers = customers_pb2_grpc.CustomersStub(gateway)
    invoices = invoices_pb2_grpc.InvoicesStub(gateway)
    permissions = ("customers.write", "invoices.write", "invoices.read")
    customer = await customers.CreateCustomer(
        customers_pb2.CreateCustomerRequest(name="Blue Anchor"),
        metadata=wire.by(Audience.STAFF, *permissions),
    )
    draft = await invoices.CreateInvoice(
        invoices_pb2.CreateInvoiceRequest(
            customer_id=customer.customer_id,
            lines=[invoices_pb2.InvoiceLineInput(description="Rope", unit_price=usd(1_000))],
        ),
        metadata=wire.by(Audience.STAFF, *permissions),
    )
    final = await invoices.FinalizeInvoice(
        invoices_pb2.FinalizeInvoiceRequest(invoice_id=draft.invoice_id),
        metadata=wire.by(Audience.STAFF, *permissions),
    )
    person = wire.by(Audience.CUSTOMER, "invoices.read", customer_id=customer.customer_id)
    read = await invoices.GetInvoice(
        invoices_pb2.GetInvoiceRequest(invoice_id=draft.invoice_id), metadata=person
    )
    assert read == final
    stranger = wire.by(Audience.CUSTOMER, "invoices.read", customer_id="cus_other")
    with pytest.raises(ServiceError) as refused:
        await invoices.GetInvoice(
            invoices_pb2.GetInvoiceRequest(invoice_id=draft.invoice_id), metadata=stranger
        )
    assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "INVOICE_NOT_FOUND")


async def test_only_payments_may_reserve_and_refusals_keep_their_metadata(wire: Wire) -> None:
    office = wire.office
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.reserve("pay_0", customer.customer_id, {invoice.invoice_id: 1_000})
    request = reservations_pb2.ReserveRequest(
        organization_id=office.organization_id, payment_id="pay_1", customer_id=customer.customer_id,
        parts=[reservations_pb2.InvoicePart(invoice_id=invoice.invoice_id, amount=usd(1_000))],
    )  # fmt: skip
    request.expires_at.FromDatetime(office.clock.now() + timedelta(minutes=5))
    stranger = reservations_pb2_grpc.ReservationsStub(wire.channel("notifications"))
    with pytest.raises(ServiceError) as refused:
        await as_service(stranger.Reserve)(request)
    assert refused.value.kind is Kind.PERMISSION_DENIED
    payments = reservations_pb2_grpc.ReservationsStub(wire.channel("payments"))
    with pytest.raises(ServiceError) as refused:
        await as_service(payments.Reserve)(request)
    assert refused.value.reason == "INVOICE_BEING_PAID"
    assert refused.value.metadata == {
        "invoice_id": invoice.invoice_id, "payment_id": "pay_0", "left_minor_units": "0", "currency": "USD",
    }  # fmt: skip


async def test_payments_plans_reserves_many_and_finds_open_items(wire: Wire) -> None:
    office = wire.office
    customer = await office.customer(name="Blue Anchor")
    invoice = await office.invoice(customer.customer_id, 1_000)
    channel = wire.channel("payments")
    payments = reservations_pb2_grpc.ReservationsStub(channel)
    plan = await as_service(payments.PlanPayment)(
        reservations_pb2.PlanPaymentRequest(
            organization_id=office.organization_id, customer_id=customer.customer_id, amount=usd(700)
        )
    )
    parts = {part.invoice_id: part.amount.minor_units for part in plan.parts}
    wishes = [office.wish(f"pay_{at}", customer.customer_id, parts) for at in range(2)]
    answer = await as_service(payments.ReserveMany)(reservations_pb2.ReserveManyRequest(requests=wishes))
    assert [one.reason for one in answer.answers] == ["", "INVOICE_BEING_PAID"]
    assert answer.answers[1].metadata == {
        "invoice_id": invoice.invoice_id, "payment_id": "pay_0", "left_minor_units": "300", "currency": "USD",
    }  # fmt: skip
    found = await as_service(reservations_pb2_grpc.OpenItemsStub(channel).FindOpenItems)(
        reservations_pb2.FindOpenItemsRequest(organization_id=office.organization_id, names=["ANCHOR"])
    )
    assert [(item.number, item.amount_due.minor_units) for item in found.items] == [(invoice.number, 300)]


async def test_payments_is_told_what_a_line_came_to_with_its_tax(wire: Wire) -> None:
    office = wire.office
    lines = [
        invoices_pb2.InvoiceLineInput(
            description=name, unit_price=usd(units), quantity="2", tax_rate_percent="19"
        )
        for name, units in (("Lamp", 1_001), ("Cable", 33))
    ]
    invoice = await office.invoice((await office.customer()).customer_id, lines=lines)
    stub = reservations_pb2_grpc.OpenItemsStub(wire.channel("payments"))

    def name(line_no: int) -> reservations_pb2.PriceLinesRequest:
        named = reservations_pb2.LineName(invoice_id=invoice.invoice_id, line_no=line_no)
        return reservations_pb2.PriceLinesRequest(organization_id=office.organization_id, lines=[named])

    priced = (await as_service(stub.PriceLines)(name(2))).lines[0]
    assert (priced.description, priced.quantity) == ("Cable", "2")
    assert [line.amount_with_tax for line in invoice.lines] == [usd(2_382), priced.amount]
    assert sum(line.amount_with_tax.minor_units for line in invoice.lines) == invoice.total.minor_units
    with pytest.raises(ServiceError) as refused:
        await as_service(stub.PriceLines)(name(3))
    assert refused.value.reason == "INVOICE_LINE_NOT_FOUND"


class Slips(transfers_pb2_grpc.TransferSlipsServicer):
    """Payments' side of the contract: one account, for everybody."""

    async def GetTransferSlip(
        self, request: transfers_pb2.GetTransferSlipRequest, context: Any
    ) -> transfers_pb2.TransferSlip:
        assert request.amount == usd(1_000)
        return transfers_pb2.TransferSlip(
            account_holder="Harbor", iban="DE02120300000000202051", reference=f"RF{request.invoice_number}"
        )


async def test_an_open_invoices_document_shows_the_account_unless_payments_is_away(
    office: Office, tmp_path: Path
) -> None:
    mesh = Mesh(tmp_path)
    settings = mesh.settings("payments")
    payments = Server(
        InvoicingSettings(**settings, grpc_listen="127.0.0.1:0"),
        ((transfers_pb2_grpc.add_TransferSlipsServicer_to_server, Slips()),),
    )
    await payments.start()
    address = f"127.0.0.1:{payments.port}"
    channel = connect(InvoicingSettings(**mesh.settings("invoicing"), payments_address=address), "payments")
    invoices = Invoices(office.db, TransferSlips(channel).find)
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    draft = await office.draft(customer.customer_id, 1_000)

    async def document(invoice_id: str) -> str:
        request = invoices_pb2.GetInvoicePdfRequest(invoice_id=invoice_id)
        pdf = (await office.call(invoices.GetInvoicePdf, request)).content
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)

    shown = await document(invoice.invoice_id)
    assert "DE02 1203 0000 0000 2020 51" in shown
    assert f"RF{invoice.number}"[:4] in shown
    assert "BANK TRANSFER" not in await document(draft.invoice_id)
    await payments.stop(0)
    assert "BANK TRANSFER" not in await document(invoice.invoice_id)
    await channel.close()


async def test_a_payment_over_nats_pays_the_invoice_once(
    office: Office, databases: Databases, nats_server: Nats
) -> None:
    """Payments' outbox is published twice; invoicing applies it once, and its own events leave in order."""
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    into, out = (
        Bus(nats_server.url_for("invoicing"), "invoicing"),
        Bus(nats_server.url_for("payments"), "payments"),
    )
    consumers = Consumers(office.db, into, "invoicing", HANDLERS, office.clock)
    async with databases.fresh("payments") as (payments, _), contextlib.AsyncExitStack() as stack:
        for bus in (into, out):
            await bus.connect()
            stack.push_async_callback(bus.close)
        tasks = [
            asyncio.create_task(part)
            for part in (consumers.run(), Relay(payments, out, "payments", poll_seconds=0.1).run())
        ]
        try:
            await succeed(payments, office, customer.customer_id, invoice.invoice_id)

            async def is_paid() -> bool:
                return (await office.read(invoice.invoice_id)).status == invoices_pb2.INVOICE_STATUS_PAID

            await until(is_paid)
            assert await outbox.republish(payments) == 1

            async def is_published_again() -> bool:
                return await unpublished(payments) == 0

            await until(is_published_again)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    assert await office.balance("cash_clearing") == 1_000
    assert await office.invoice_events(invoice.invoice_id) == ["InvoiceFinalized", "InvoicePaid"]


async def succeed(payments: Database, office: Office, customer_id: str, invoice_id: str) -> None:
    message = payments_events.PaymentSucceeded(
        payment_id="pay_wire", customer_id=customer_id, amount=usd(1_000), received_on="2026-11-21",
        parts=[payments_events.PaidPart(invoice_id=invoice_id, amount=usd(1_000))], notify=True,
    )  # fmt: skip
    async with payments.write(office.organization_id) as tx:
        outbox.append(tx, message, aggregate_type="payment", aggregate_id="pay_wire", aggregate_version=1)


async def unpublished(db: Database) -> int:
    from sqlalchemy import text

    async with db.transport() as tx:
        count = await tx.execute(text("SELECT count(*) FROM outbox WHERE published_at IS NULL"))
    return int(count.scalar_one())


async def test_every_method_of_the_contract_is_served(db: Database) -> None:
    from chassis.contract import all_methods

    served = {type(servicer).__mro__[1] for _, servicer in servicers(db, pay_link_key=PAY_LINK_KEY)}
    names = {f"/{cls.__name__.removesuffix('Servicer')}" for cls in served}
    for path in all_methods():
        package, method = path.rsplit("/", 1)
        if package.startswith("/tallyport.invoicing."):
            assert f"/{package.rpartition('.')[2]}" in names, path
            (owner,) = [cls for cls in served if cls.__name__ == f"{package.rpartition('.')[2]}Servicer"]
            (mine,) = [s for _, s in servicers(db, pay_link_key=PAY_LINK_KEY) if isinstance(s, owner)]
            assert method in type(mine).__dict__, path
    assert event_log(db)
