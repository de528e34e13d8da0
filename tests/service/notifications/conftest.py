"""Notifications on a fresh database and NATS, with a mail server and the two services it asks."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from chassis import ids
from chassis.bus import Bus, subject_of
from chassis.caller import Audience
from chassis.clock import FrozenClock
from chassis.database import Database
from chassis.errors import ServiceError
from chassis.inbox import Consumers
from chassis.rpc.client import Channel, connect, user_metadata
from chassis.rpc.server import Server
from devstack.nats import Nats
from services.notifications.channels.smtp import SmtpChannel
from services.notifications.consumers import HANDLERS
from services.notifications.documents import GrpcDocuments
from services.notifications.domain.message import Message as Queued
from services.notifications.domain.message import State
from services.notifications.mailer import Mailer
from services.notifications.rpc import servicers
from services.notifications.settings import NotificationsSettings
from services.notifications.store import brands, messages
from tallyport.common.v1 import money_pb2
from tallyport.identity.v1 import events_pb2 as identity_events_pb2
from tallyport.identity.v1 import organizations_pb2
from tallyport.invoicing.v1 import (
    documents_pb2,
    documents_pb2_grpc,
    events_pb2,
    reservations_pb2,
    reservations_pb2_grpc,
)
from tallyport.notifications.v1 import messages_pb2, messages_pb2_grpc
from tallyport.payments.v1 import payments_pb2, payments_pb2_grpc
from tests.service.notifications.post_office import PostOffice
from tests.support.database import Databases
from tests.support.mesh import Mesh
from tests.support.servers import free_port

PERMISSIONS = frozenset({"messages.read", "messages.write"})
_keys = itertools.count(1)


class Offices(
    reservations_pb2_grpc.DeliveriesServicer,
    payments_pb2_grpc.ReceiptsServicer,
    documents_pb2_grpc.DocumentsServicer,
):
    """Answers for invoicing and payments: real contracts, made-up documents. `failure` is raised instead."""

    def __init__(self) -> None:
        self.failure: ServiceError | None = None
        self.amount_due = money_pb2.Money(minor_units=12_050, currency="EUR")

    async def GetInvoiceDelivery(
        self, request: reservations_pb2.GetInvoiceDeliveryRequest, context: Any
    ) -> reservations_pb2.InvoiceDelivery:
        if self.failure is not None:
            raise self.failure
        return reservations_pb2.InvoiceDelivery(
            pay_link_token="secret-part",
            amount_due=self.amount_due,
            file_name="INV-7.pdf",
            pdf=b"%PDF invoice",
        )

    async def GetCreditNoteDelivery(
        self, request: documents_pb2.GetCreditNoteDeliveryRequest, context: Any
    ) -> documents_pb2.CreditNoteDelivery:
        if self.failure is not None:
            raise self.failure
        return documents_pb2.CreditNoteDelivery(
            file_name="CN-7.pdf", pdf=b"%PDF credit note", amount_due=self.amount_due
        )

    async def GetReceiptDelivery(
        self, request: payments_pb2.GetReceiptDeliveryRequest, context: Any
    ) -> payments_pb2.ReceiptDocument:
        if self.failure is not None:
            raise self.failure
        return payments_pb2.ReceiptDocument(
            file_name="R-7.pdf", media_type="application/pdf", content=b"%PDF receipt"
        )


class World:
    """All of it. Its clock stands still until a test turns it on."""

    def __init__(self, mesh: Mesh, db: Database, clock: FrozenClock, nats: Nats) -> None:
        self.mesh, self.db, self.clock, self.nats = mesh, db, clock, nats
        self.post = PostOffice()
        self.offices = Offices()  # type: ignore[abstract]
        self.channels: list[Channel] = []
        self.servers: list[Server] = []
        self.buses: dict[str, Bus] = {}

    async def start(self) -> None:
        await self.post.start()
        invoicing = await self._serve(
            "invoicing",
            [
                (reservations_pb2_grpc.add_DeliveriesServicer_to_server, self.offices),
                (documents_pb2_grpc.add_DocumentsServicer_to_server, self.offices),
            ],
        )
        payments = await self._serve(
            "payments", [(payments_pb2_grpc.add_ReceiptsServicer_to_server, self.offices)]
        )
        own = await self._serve("notifications", list(servicers(self.db)))
        settings = NotificationsSettings(
            **self.mesh.settings("notifications"), invoicing_address=invoicing, payments_address=payments
        )
        self.channels = [connect(settings, "invoicing"), connect(settings, "payments")]
        channel = SmtpChannel(
            f"smtp://127.0.0.1:{self.post.port}", "Tallyport <bills@tp.example>", self.clock
        )
        self.mailer = Mailer(
            self.db, GrpcDocuments(*self.channels), channel, public_url="https://pay.example"
        )
        gateway = NotificationsSettings(**self.mesh.settings("gateway"), notifications_address=own)
        self.channels.append(connect(gateway, "notifications"))
        self.messages = messages_pb2_grpc.MessagesStub(self.channels[-1])
        for service in ("identity", "invoicing", "payments", "notifications"):
            self.buses[service] = Bus(self.nats.url_for(service), service)
            await self.buses[service].connect()
        for service in ("identity", "invoicing", "payments"):
            await self.buses[service].ensure_stream()

    async def _serve(self, service: str, pairs: list[tuple[Any, object]]) -> str:
        settings = NotificationsSettings(**self.mesh.settings(service), grpc_listen="127.0.0.1:0")
        server = Server(settings, pairs)
        self.servers.append(server)
        return f"127.0.0.1:{await server.start()}"

    async def stop(self) -> None:
        for bus in self.buses.values():
            await bus.close()
        for channel in self.channels:
            await channel.close()
        for server in self.servers:
            await server.stop(0)
        await self.post.stop()

    @contextlib.asynccontextmanager
    async def consuming(self, *, mailing: bool = False) -> AsyncIterator[None]:
        """Consumers run inside the block, and with `mailing` the mailer too."""
        consumers = Consumers(self.db, self.buses["notifications"], "notifications", HANDLERS, self.clock)
        stop = asyncio.Event()
        parts = [consumers.run(), self.mailer.serve(stop)] if mailing else [consumers.run()]
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            yield
        finally:
            stop.set()
            tasks[0].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def publish(
        self, service: str, organization_id: str, kind: str, aggregate_id: str, event: Message
    ) -> None:
        """What the relay of that service would send for the first event of an aggregate."""
        name = event.DESCRIPTOR.full_name
        headers = {
            "Nats-Msg-Id": ids.new_uuid7(),
            "tallyport-type": name,
            "tallyport-organization-id": organization_id,
            "tallyport-aggregate-type": kind,
            "tallyport-aggregate-id": aggregate_id,
            "tallyport-aggregate-version": "1",
            "tallyport-stream-seq": "1",
            "tallyport-occurred-at": self.clock.now().isoformat(),
        }
        subject = subject_of(service, organization_id, kind, name)
        await self.buses[service].publish(subject, event.SerializeToString(), headers)

    async def organization(self, slug: str = "harbor") -> str:
        """Tells of a new organization; its id."""
        organization_id = ids.new_id("org")
        organization = organizations_pb2.Organization(
            organization_id=organization_id,
            slug=slug,
            name=f"{slug.title()} Ltd",
            locale="en",
            contact_email=f"billing@{slug}.example",
            brand=organizations_pb2.Brand(display_name=slug.title(), primary_color="#0a5c7d"),
        )
        event = identity_events_pb2.OrganizationChanged(organization=organization)
        await self.publish("identity", organization_id, "organization", organization_id, event)
        return organization_id

    async def known(self, organization_id: str) -> bool:
        """Whether the brand of the organization has arrived."""
        async with self.db.read(organization_id) as tx:
            return await brands.get_brand(tx) is not None

    async def invoice(
        self, organization_id: str, email: str, *, notify: bool = True, locale: str = "en"
    ) -> str:
        """Tells of a new invoice; its id."""
        invoice_id = ids.new_id("inv")
        event = events_pb2.InvoiceFinalized(
            invoice_id=invoice_id,
            number="INV-7",
            contact=events_pb2.Contact(customer_id="cus_1", name="Pat", email=email, locale=locale),
            total=money_pb2.Money(minor_units=12_050, currency="EUR"),
            invoice_date="2026-11-21",
            due_date="2026-12-21",
            notify=notify,
        )
        await self.publish("invoicing", organization_id, "invoice", invoice_id, event)
        return invoice_id

    async def customer(self, organization_id: str, email: str) -> None:
        """Tells where the customer's mail goes."""
        contact = events_pb2.Contact(customer_id="cus_1", name="Pat", email=email, locale="en")
        event = events_pb2.CustomerChanged(contact=contact)
        await self.publish("invoicing", organization_id, "customer", "cus_1", event)

    async def payment(self, organization_id: str, email: str, *, notify: bool = True) -> str:
        """Tells that a payment was put to an invoice; the payment's id."""
        payment_id = ids.new_id("pay")
        paid = money_pb2.Money(minor_units=12_050, currency="EUR")
        event = events_pb2.PaymentApplied(
            payment_id=payment_id,
            receipt_number="R-7",
            contact=events_pb2.Contact(customer_id="cus_1", name="Pat", email=email, locale="en"),
            received=paid,
            applications=[
                events_pb2.Application(
                    invoice_id="inv_1",
                    number="INV-7",
                    amount=paid,
                    amount_due=money_pb2.Money(minor_units=0, currency="EUR"),
                )
            ],
            notify=notify,
        )
        await self.publish("invoicing", organization_id, "payment_application", payment_id, event)
        return payment_id

    async def about(self, organization_id: str, about_id: str) -> list[Queued]:
        """The messages about an invoice or payment."""
        async with self.db.read(organization_id) as tx:
            return await messages.list_messages(tx, about_id=about_id, state=None, before_id="", limit=10)

    async def queued(self, organization_id: str, about_id: str) -> bool:
        """Whether a message about it waits to be sent."""
        found = await self.about(organization_id, about_id)
        return [message.state for message in found] == [State.QUEUED]

    def staff(self, organization_id: str, *, key: str | None = None) -> list[tuple[str, str]]:
        """Metadata of a call by somebody of the organization."""
        token = self.mesh.token(Audience.STAFF, organization_id=organization_id, permissions=PERMISSIONS)
        return user_metadata(token=token, idempotency_key=key or f"key-{next(_keys)}")

    async def listed(self, organization_id: str) -> list[messages_pb2.Message]:
        """What staff see."""
        request = messages_pb2.ListMessagesRequest()
        answer = await self.messages.ListMessages(request, metadata=self.staff(organization_id))
        return list(answer.messages)


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    return Mesh(tmp_path_factory.mktemp("mesh"))


@pytest.fixture
async def world(mesh: Mesh, databases: Databases, tmp_path: Path) -> AsyncIterator[World]:
    nats = Nats(tmp_path / "nats", free_port())
    await nats.start()
    clock = FrozenClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    try:
        async with databases.fresh("notifications", clock=clock) as (db, _):
            world = World(mesh, db, clock, nats)
            try:
                await world.start()
                yield world
            finally:
                await world.stop()
    finally:
        await nats.stop()
