"""An organization at work: its servicers, its callers, and the events of the other services."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from google.protobuf.message import Message
from sqlalchemy import text

from chassis import ledger, outbox
from chassis.caller import Audience, Call, Caller, call_scope, fingerprint, service_call
from chassis.clock import FrozenClock
from chassis.database import Database, WriteTx
from chassis.handlers import Batch, Event, continuing
from chassis.ids import new_id, new_uuid7
from chassis.money import Money
from services.invoicing.consumers import HANDLERS
from services.invoicing.operations.verify_books import verify_books
from services.invoicing.rpc.books import ReceivablesBooks
from services.invoicing.rpc.credit_notes import CreditNotes, InvoiceAdjustments
from services.invoicing.rpc.customer_proposals import CustomerProposals
from services.invoicing.rpc.customers import Customers
from services.invoicing.rpc.disputes import Disputes
from services.invoicing.rpc.documents import Documents
from services.invoicing.rpc.dunning import Dunning
from services.invoicing.rpc.einvoices import EInvoices
from services.invoicing.rpc.exports import Exports
from services.invoicing.rpc.imports import Imports
from services.invoicing.rpc.instalment_plans import InstalmentPlans, PaymentPromises, PlanPolicies
from services.invoicing.rpc.invoices import Invoices
from services.invoicing.rpc.items import Items
from services.invoicing.rpc.late_fees import LateFeePolicies
from services.invoicing.rpc.open_items import OpenItems
from services.invoicing.rpc.pay_links import PayLinks
from services.invoicing.rpc.reservations import Deliveries, Reservations
from services.invoicing.rpc.schedules import Schedules
from services.invoicing.rpc.statements import Statements
from services.invoicing.rpc.taxes import Taxes
from services.invoicing.rpc.triggers import InvoiceTriggers
from tallyport.common.v1 import money_pb2
from tallyport.identity.v1 import events_pb2 as identity_events
from tallyport.identity.v1 import organizations_pb2
from tallyport.invoicing.v1 import (
    adjustments_pb2,
    credit_notes_pb2,
    customers_pb2,
    events_pb2,
    invoices_pb2,
    pay_links_pb2,
    reservations_pb2,
)
from tallyport.payments.v1 import events_pb2 as payments_events
from tests.service.invoicing.drawer import Drawer

PAY_LINK_KEY = b"k" * 32
LAPSED = "I11 reservation outlived its time"
M = TypeVar("M", bound=Message)


class Office:
    """One organization of the service under test."""

    def __init__(self, db: Database, organization_id: str) -> None:
        self.db = db
        self.organization_id = organization_id
        self.customers = Customers(db)
        self.customer_proposals = CustomerProposals(db)
        self.items = Items(db)
        self.taxes = Taxes(db)
        self.invoices = Invoices(db)
        self.credit_notes = CreditNotes(db)
        self.documents = Documents(db)
        self.adjustments = InvoiceAdjustments(db)
        self.late_fees = LateFeePolicies(db)
        self.pay_links = PayLinks(db, PAY_LINK_KEY)
        self.imports = Imports(db)
        self.reservations = Reservations(db)
        self.open_items = OpenItems(db)
        self.schedules = Schedules(db)
        self.triggers = InvoiceTriggers(db)
        self.deliveries = Deliveries(db, PAY_LINK_KEY)
        self.exports = Exports(db)
        self.cash = Drawer(db)
        self.books = ReceivablesBooks(db, self.cash)
        self.statements = Statements(db)
        self.plans = InstalmentPlans(db)
        self.promises = PaymentPromises(db)
        self.plan_policies = PlanPolicies(db)
        self.disputes = Disputes(db)
        self.dunning = Dunning(db)
        self.einvoices = EInvoices(db)

    @classmethod
    async def opened(cls, db: Database, **changes: Any) -> "Office":
        """A new organization, as identity's first event tells it."""
        office = cls(db, new_id("org"))
        await office.organization_changed(1, **changes)
        return office

    @property
    def clock(self) -> FrozenClock:
        return cast(FrozenClock, self.db.clock)

    async def organization_changed(self, version: int, **changes: Any) -> None:
        organization = {
            "organization_id": self.organization_id, "slug": "harbor", "name": "Harbor Supply Company, Inc.",
            "currency": "USD", "time_zone": "America/New_York", "locale": "en-US", **changes,
        }  # fmt: skip
        message = identity_events.OrganizationChanged(
            organization=organizations_pb2.Organization(
                **organization, brand=organizations_pb2.Brand(display_name="Harbor Supply")
            )
        )
        await self.deliver(message, aggregate_id=self.organization_id, version=version)

    # Callers

    def staff(self) -> Caller:
        return Caller(
            audience=Audience.STAFF, peer="gateway", organization_id=self.organization_id, subject_id="per_s"
        )

    def person_of(self, customer_id: str) -> Caller:
        return Caller(
            audience=Audience.CUSTOMER, peer="gateway", organization_id=self.organization_id,
            subject_id="per_c", customer_id=customer_id,
        )  # fmt: skip

    def link_holder(self, customer_id: str, invoice_id: str) -> Caller:
        return Caller(
            audience=Audience.PAY_LINK, peer="gateway", organization_id=self.organization_id,
            subject_id="plk_1", customer_id=customer_id, invoice_id=invoice_id,
        )  # fmt: skip

    async def call(
        self,
        method: Callable[[Any, Any], Awaitable[M]],
        request: Message,
        *,
        as_: Caller | None = None,
        key: str | None = None,
    ) -> M:
        """Call a servicer as staff (or somebody else) with a fresh idempotency key (or the given one)."""
        name = f"/{request.DESCRIPTOR.full_name}"
        call = Call(
            caller=as_ or self.staff(),
            method=name,
            request_id="req",
            idempotency_key=key or uuid.uuid4().hex,
            fingerprint=fingerprint(name, request.SerializeToString(deterministic=True)),
        )
        with call_scope(call):
            return await method(request, None)

    # What most tests need

    async def customer(self, **fields: Any) -> customers_pb2.Customer:
        request = customers_pb2.CreateCustomerRequest(**{"name": "Blue Anchor Seafood", **fields})
        return await self.call(self.customers.CreateCustomer, request)

    async def draft(self, customer_id: str, *cents: int, **fields: Any) -> invoices_pb2.Invoice:
        lines = [
            invoices_pb2.InvoiceLineInput(description=f"Item {at}", unit_price=usd(amount))
            for at, amount in enumerate(cents or (10_000,), start=1)
        ]
        request = invoices_pb2.CreateInvoiceRequest(customer_id=customer_id, **{"lines": lines, **fields})
        return await self.call(self.invoices.CreateInvoice, request)

    async def invoice(self, customer_id: str, *cents: int, **fields: Any) -> invoices_pb2.Invoice:
        """A finalized invoice."""
        draft = await self.draft(customer_id, *cents, **fields)
        return await self.finalize(draft.invoice_id)

    async def finalize(self, invoice_id: str, *, key: str | None = None) -> invoices_pb2.Invoice:
        request = invoices_pb2.FinalizeInvoiceRequest(invoice_id=invoice_id)
        return await self.call(self.invoices.FinalizeInvoice, request, key=key)

    async def credit_note(
        self, invoice_id: str, cents: int = 0, *, key: str | None = None, **fields: Any
    ) -> credit_notes_pb2.CreditNote:
        """A credit note on so much of an invoice; on lines, or on all that is left."""
        if cents:
            fields["amount"] = usd(cents)
        request = credit_notes_pb2.CreateCreditNoteRequest(
            invoice_id=invoice_id, **{"reason": "Came back", **fields}
        )
        return await self.call(self.credit_notes.CreateCreditNote, request, key=key)

    async def write_off(self, invoice_id: str) -> invoices_pb2.Invoice:
        request = adjustments_pb2.MarkUncollectibleRequest(invoice_id=invoice_id, reason="Bankrupt")
        return await self.call(self.adjustments.MarkUncollectible, request)

    async def revert_write_off(self, invoice_id: str) -> invoices_pb2.Invoice:
        request = adjustments_pb2.RevertWriteOffRequest(invoice_id=invoice_id, reason="Found")
        return await self.call(self.adjustments.RevertWriteOff, request)

    async def reductions(self, invoice_id: str) -> list[tuple[str, int]]:
        """Kinds and cents of what reduced an invoice, in their order."""
        request = adjustments_pb2.ListInvoiceAdjustmentsRequest(invoice_id=invoice_id)
        found = await self.call(self.adjustments.ListInvoiceAdjustments, request)
        prefix = "INVOICE_ADJUSTMENT_KIND_"
        return [
            (
                adjustments_pb2.InvoiceAdjustmentKind.Name(one.kind).removeprefix(prefix).lower(),
                one.amount.minor_units,
            )
            for one in found.adjustments
        ]

    async def read(self, invoice_id: str, *, as_: Caller | None = None) -> invoices_pb2.Invoice:
        request = invoices_pb2.GetInvoiceRequest(invoice_id=invoice_id)
        return await self.call(self.invoices.GetInvoice, request, as_=as_)

    async def list_invoices(
        self, *, as_: Caller | None = None, **fields: Any
    ) -> invoices_pb2.ListInvoicesResponse:
        return await self.call(
            self.invoices.ListInvoices, invoices_pb2.ListInvoicesRequest(**fields), as_=as_
        )

    async def pay_link(self, invoice_id: str) -> pay_links_pb2.PayLink:
        request = pay_links_pb2.CreatePayLinkRequest(invoice_id=invoice_id)
        return await self.call(self.pay_links.CreatePayLink, request)

    def wish(
        self,
        payment_id: str,
        customer_id: str,
        parts: dict[str, int],
        *,
        expires_at: datetime | None = None,
        credit: int = 0,
        versions: dict[str, int] | None = None,
    ) -> reservations_pb2.ReserveRequest:
        """What a payment asks to be reserved."""
        request = reservations_pb2.ReserveRequest(
            organization_id=self.organization_id,
            payment_id=payment_id,
            customer_id=customer_id,
            parts=[
                reservations_pb2.InvoicePart(
                    invoice_id=invoice_id,
                    amount=usd(cents),
                    expected_version=(versions or {}).get(invoice_id, 0),
                )
                for invoice_id, cents in parts.items()
            ],
            credit=usd(credit) if credit else None,
        )
        request.expires_at.FromDatetime(expires_at or self.clock.now() + timedelta(minutes=30))
        return request

    async def reserve(
        self, payment_id: str, customer_id: str, parts: dict[str, int], **fields: Any
    ) -> reservations_pb2.Reservation:
        request = self.wish(payment_id, customer_id, parts, **fields)
        return await self.as_payments(self.reservations.Reserve, request)

    async def reserve_many(
        self, *wishes: reservations_pb2.ReserveRequest
    ) -> list[reservations_pb2.ReserveAnswer]:
        request = reservations_pb2.ReserveManyRequest(requests=wishes)
        return list((await self.as_payments(self.reservations.ReserveMany, request)).answers)

    async def plan(self, customer_id: str, *invoice_ids: str, **fields: Any) -> reservations_pb2.PaymentPlan:
        request = reservations_pb2.PlanPaymentRequest(
            organization_id=self.organization_id, customer_id=customer_id, invoice_ids=invoice_ids, **fields
        )
        return await self.as_payments(self.reservations.PlanPayment, request)

    async def credit(self, customer_id: str) -> int:
        """What the customer can spend, in cents."""
        request = customers_pb2.GetAccountSummaryRequest(customer_id=customer_id)
        summary = await self.call(self.customers.GetAccountSummary, request)
        return int(summary.balances[0].credit.minor_units)

    async def release(self, payment_id: str) -> None:
        request = reservations_pb2.ReleaseRequest(organization_id=self.organization_id, payment_id=payment_id)
        await self.as_payments(self.reservations.Release, request)

    async def as_payments(self, method: Callable[[Any, Any], Awaitable[M]], request: Message) -> M:
        with call_scope(service_call("payments", None)):
            return await method(request, None)

    # Events of other services

    async def paid(
        self, payment_id: str, customer_id: str, cents: int, parts: dict[str, int], **fields: Any
    ) -> None:
        """PaymentSucceeded arrives."""
        message = self.payment_succeeded(payment_id, customer_id, cents, parts, **fields)
        await self.deliver(message, aggregate_id=payment_id)

    def payment_succeeded(
        self, payment_id: str, customer_id: str, cents: int, parts: dict[str, int], **fields: Any
    ) -> payments_events.PaymentSucceeded:
        """What payments says when the money is there."""
        return payments_events.PaymentSucceeded(
            payment_id=payment_id,
            customer_id=customer_id,
            amount=usd(cents),
            parts=[
                payments_events.PaidPart(invoice_id=invoice_id, amount=usd(part))
                for invoice_id, part in parts.items()
            ],
            **{"receipt_number": "R-1", "received_on": "2026-11-21", "notify": True, **fields},
        )

    async def reversed(self, payment_id: str, customer_id: str, cents: int, **fields: Any) -> None:
        """PaymentReversed arrives; `parts` and `fee` are given in cents."""
        parts = [
            payments_events.PaidPart(invoice_id=invoice_id, amount=usd(part))
            for invoice_id, part in fields.pop("parts", {}).items()
        ]
        if "fee" in fields:
            fields["fee"] = usd(fields["fee"])
        message = payments_events.PaymentReversed(
            payment_id=payment_id,
            customer_id=customer_id,
            amount=usd(cents),
            parts=parts,
            **{
                "reversal_id": f"ref_{payment_id}", "kind": payments_events.REVERSAL_KIND_REFUND,
                "receipt_number": "R-1", "notify": True, **fields,
            },
        )  # fmt: skip
        await self.deliver(message, aggregate_id=payment_id, version=2)

    async def reinstated(self, payment_id: str, customer_id: str, cents: int, reversal_id: str = "") -> None:
        """PaymentReinstated arrives."""
        message = payments_events.PaymentReinstated(
            payment_id=payment_id, customer_id=customer_id, amount=usd(cents),
            reversal_id=reversal_id or f"ref_{payment_id}",
        )  # fmt: skip
        await self.deliver(message, aggregate_id=payment_id, version=3)

    async def deliver(self, message: Message, *, aggregate_id: str, version: int = 1) -> None:
        """Run the handler of an event in a transaction, as the consumer does."""
        await self.handle(self.event(message, aggregate_id=aggregate_id, version=version))

    def event(self, message: Message, *, aggregate_id: str, version: int = 1) -> Event:
        """A message as it arrives."""
        return Event(
            event_id=new_uuid7(),
            type=message.DESCRIPTOR.full_name,
            service=message.DESCRIPTOR.full_name.split(".")[1],
            consumer="invoicing",
            organization_id=self.organization_id,
            aggregate_type="any",
            aggregate_id=aggregate_id,
            aggregate_version=version,
            stream_seq=1,
            occurred_at=self.clock.now(),
            request_id="req",
            traceparent="",
            message=message,
        )

    async def handle(self, *events: Event) -> None:
        """Run the handler of events of one type in a transaction."""
        handler = HANDLERS[type(events[0].message)]

        async def work(tx: WriteTx) -> None:
            if isinstance(handler, Batch):
                await handler.handle(tx, events)
            else:
                await handler(tx, events[0])

        with continuing(events[0]):
            await self.db.run_write(self.organization_id, work)

    # What became of it

    async def events(self, kind: type[M]) -> list[M]:
        """The events of one kind that the organization announced, in their order."""
        async with self.db.transport() as tx:
            stored = await outbox.events_since(tx, self.organization_id, from_sequence=1, limit=100_000)
        name = kind.DESCRIPTOR.full_name
        return [kind.FromString(event.payload) for event in stored if event.type == name]

    async def invoice_events(self, invoice_id: str) -> list[str]:
        """The names of an invoice's events."""
        async with self.db.transport() as tx:
            stored = await outbox.events_of(tx, self.organization_id, invoice_id, from_version=1)
        assert [event.aggregate_version for event in stored] == list(range(1, len(stored) + 1))
        return [event.type.rpartition(".")[2] for event in stored]

    async def balance(self, account: str, owner: str = "") -> int:
        """Debits less credits in cents."""
        async with self.db.read(self.organization_id) as tx:
            assert await ledger.unbalanced_entries(tx) == []
            found: Money = await ledger.balance(tx, account, owner, "USD")
        return found.minor_units

    async def wrongs(self) -> list[str]:
        """Which of the promises about an organization's books are broken now; time stands still for us."""
        async with self.db.read(self.organization_id) as tx:
            return [line for line in await verify_books(tx) if not line.startswith(LAPSED)]

    async def count(self, table: str) -> int:
        """Rows of the organization in a table."""
        async with self.db.read(self.organization_id) as tx:
            result = await tx.execute(
                text(f"SELECT count(*) FROM {table} WHERE organization_id = :id"),
                {"id": self.organization_id},
            )
        return int(result.scalar_one())


def usd(cents: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=cents, currency="USD")


PaymentApplied = events_pb2.PaymentApplied
