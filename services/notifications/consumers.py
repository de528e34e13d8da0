"""What notifications does when something happened elsewhere."""

from collections.abc import Mapping

from google.protobuf.message import Message

from chassis.database import WriteTx
from chassis.inbox import Event, Handler
from services.notifications.domain.message import Kind
from services.notifications.operations.keep_brand import keep_brand
from services.notifications.operations.keep_contact import keep_contact
from services.notifications.operations.queue_message import Request, queue_message
from services.notifications.translate import from_proto_brand
from tallyport.identity.v1 import events_pb2 as identity_events_pb2
from tallyport.invoicing.v1 import events_pb2 as invoicing_events_pb2


async def on_organization_changed(tx: WriteTx, event: Event) -> None:
    """Keeps the brand."""
    assert isinstance(event.message, identity_events_pb2.OrganizationChanged)
    await keep_brand(tx, from_proto_brand(event.message, version=event.aggregate_version))


async def on_customer_changed(tx: WriteTx, event: Event) -> None:
    """Keeps the address, for messages that are tried again."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.CustomerChanged)
    contact = message.contact
    await keep_contact(tx, contact.customer_id, email=contact.email.strip(), version=event.aggregate_version)


async def on_invoice_finalized(tx: WriteTx, event: Event) -> None:
    """A new invoice: its customer gets it by mail, unless it is imported history."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.InvoiceFinalized)
    if message.notify:
        await _queue(tx, event, Kind.INVOICE, message.contact, message.invoice_id)


async def on_payment_applied(tx: WriteTx, event: Event) -> None:
    """A payment was put to its invoices: its customer gets a receipt, unless it is imported history."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.PaymentApplied)
    if message.notify:
        await _queue(tx, event, Kind.RECEIPT, message.contact, message.payment_id)


async def _queue(
    tx: WriteTx, event: Event, kind: Kind, contact: invoicing_events_pb2.Contact, about_id: str
) -> None:
    request = Request(
        kind=kind,
        event_id=event.event_id,
        customer_id=contact.customer_id,
        recipient=contact.email.strip(),
        about_id=about_id,
        payload=event.message.SerializeToString(deterministic=True),
    )
    await queue_message(tx, request)


HANDLERS: Mapping[type[Message], Handler] = {
    identity_events_pb2.OrganizationChanged: on_organization_changed,
    invoicing_events_pb2.CustomerChanged: on_customer_changed,
    invoicing_events_pb2.InvoiceFinalized: on_invoice_finalized,
    invoicing_events_pb2.PaymentApplied: on_payment_applied,
}
