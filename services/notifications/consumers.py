"""What notifications does when something happened elsewhere."""

from collections.abc import Mapping

from google.protobuf.message import Message

from chassis.database import WriteTx
from chassis.inbox import Event, Handler
from services.notifications.domain.facts import Contact
from services.notifications.domain.message import Kind
from services.notifications.operations.keep_brand import keep_brand
from services.notifications.operations.keep_contact import keep_contact
from services.notifications.operations.queue_message import Request, queue_message
from services.notifications.store import contacts
from services.notifications.translate import from_proto_brand, from_proto_contact
from tallyport.identity.v1 import events_pb2 as identity_events_pb2
from tallyport.invoicing.v1 import events_pb2 as invoicing_events_pb2
from tallyport.payments.v1 import events_pb2 as payments_events_pb2


async def on_organization_changed(tx: WriteTx, event: Event) -> None:
    """Keeps the brand."""
    assert isinstance(event.message, identity_events_pb2.OrganizationChanged)
    await keep_brand(tx, from_proto_brand(event.message, version=event.aggregate_version))


async def on_customer_changed(tx: WriteTx, event: Event) -> None:
    """Keeps the address, for messages that are tried again."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.CustomerChanged)
    await keep_contact(tx, from_proto_contact(message.contact), version=event.aggregate_version)


async def on_invoice_finalized(tx: WriteTx, event: Event) -> None:
    """A new invoice: its customer gets it by mail, unless it is imported history."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.InvoiceFinalized)
    if message.notify:
        await _queue(tx, event, Kind.INVOICE, message.contact, message.invoice_id)


async def on_credit_note_issued(tx: WriteTx, event: Event) -> None:
    """A credit note: its customer gets it by mail, whatever it was issued for, unless it is imported history."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.CreditNoteIssued)
    if not message.silent:
        await _queue(tx, event, Kind.CREDIT_NOTE, message.contact, message.invoice_id)


async def on_payment_applied(tx: WriteTx, event: Event) -> None:
    """A payment was put to its invoices: its customer gets a receipt, unless it is imported history."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.PaymentApplied)
    if message.notify:
        await _queue(tx, event, Kind.RECEIPT, message.contact, message.payment_id)


async def on_payment_unapplied(tx: WriteTx, event: Event) -> None:
    """Money went back: its customer hears why, and what is open again."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.PaymentUnapplied)
    if message.notify:
        await _queue(tx, event, Kind.REVERSAL, message.contact, message.payment_id)


async def on_invoice_upcoming(tx: WriteTx, event: Event) -> None:
    """A schedule will invoice soon: its customer hears in time."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.InvoiceUpcoming)
    await _queue(tx, event, Kind.INVOICE_UPCOMING, message.contact, message.schedule_id)


async def on_schedule_changed(tx: WriteTx, event: Event) -> None:
    """A new price: its customer is given notice. Of other changes nobody gets mail."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.ScheduleChanged)
    if message.kind == invoicing_events_pb2.SCHEDULE_CHANGE_KIND_PRICE:
        await _queue(tx, event, Kind.PRICE_CHANGE, message.contact, message.schedule_id)


async def on_autopay_announced(tx: WriteTx, event: Event) -> None:
    """An automatic payment is to come: its payer hears of it, or is asked."""
    message = event.message
    assert isinstance(message, payments_events_pb2.AutopayAnnounced)
    await _queue_for(tx, event, Kind.AUTOPAY_ANNOUNCED, message.customer_id, message.run_id)


async def on_autopay_failed(tx: WriteTx, event: Event) -> None:
    """An automatic payment failed: its payer hears why and when it is tried again."""
    message = event.message
    assert isinstance(message, payments_events_pb2.AutopayFailed)
    await _queue_for(tx, event, Kind.AUTOPAY_FAILED, message.customer_id, message.run_id)


async def on_method_expiring(tx: WriteTx, event: Event) -> None:
    """A saved card expires: its owner hears in time."""
    message = event.message
    assert isinstance(message, payments_events_pb2.PaymentMethodExpiring)
    await _queue_for(tx, event, Kind.CARD_EXPIRING, message.customer_id, message.payment_method_id)


async def on_approval_requested(tx: WriteTx, event: Event) -> None:
    """A payment waits for approval: the company hears at the address that its mail goes to."""
    message = event.message
    assert isinstance(message, payments_events_pb2.PaymentApprovalRequested)
    await _queue_for(tx, event, Kind.APPROVAL_REQUESTED, message.customer_id, message.payment_id)


async def on_plan_offered(tx: WriteTx, event: Event) -> None:
    """Staff offer an instalment plan; who asked and was answered at once has it on the screen."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.InstalmentPlanOffered)
    if message.notify:
        await _queue(tx, event, Kind.PLAN_OFFERED, message.plan.contact, message.plan.plan_id)


async def on_plan_activated(tx: WriteTx, event: Event) -> None:
    """An instalment plan began: its customer gets the terms."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.InstalmentPlanActivated)
    await _queue(tx, event, Kind.PLAN_ACTIVE, message.plan.contact, message.plan.plan_id)


async def on_instalment_due(tx: WriteTx, event: Event) -> None:
    """An instalment comes due: its customer hears in time."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.InstalmentDue)
    await _queue(tx, event, Kind.INSTALMENT_DUE, message.plan.contact, message.plan.plan_id)


async def on_plan_broken(tx: WriteTx, event: Event) -> None:
    """An instalment plan ended since too much was missed: its customer hears what that means."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.InstalmentPlanBroken)
    await _queue(tx, event, Kind.PLAN_BROKEN, message.plan.contact, message.plan.plan_id)


async def on_dispute_opened(tx: WriteTx, event: Event) -> None:
    """A customer objects: they hear that it has come."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.DisputeOpened)
    if message.notify:
        await _queue(tx, event, Kind.DISPUTE_OPENED, message.dispute.contact, message.dispute.dispute_id)


async def on_dispute_message(tx: WriteTx, event: Event) -> None:
    """Staff answered."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.DisputeMessageAdded)
    if message.by_staff:
        await _queue(tx, event, Kind.DISPUTE_ANSWERED, message.dispute.contact, message.dispute.dispute_id)


async def on_dispute_resolved(tx: WriteTx, event: Event) -> None:
    """It is settled; who took it back knows."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.DisputeResolved)
    if message.outcome != "withdrawn":
        await _queue(tx, event, Kind.DISPUTE_RESOLVED, message.dispute.contact, message.dispute.dispute_id)


async def on_dunning_notice(tx: WriteTx, event: Event) -> None:
    """A late invoice is reminded of by mail; letters on paper are somebody else's."""
    message = event.message
    assert isinstance(message, invoicing_events_pb2.DunningNoticeIssued)
    if message.mail:
        await _queue(tx, event, Kind.DUNNING, message.contact, message.invoice_id)


async def _queue(
    tx: WriteTx, event: Event, kind: Kind, contact: invoicing_events_pb2.Contact, about_id: str
) -> None:
    await _queue_to(tx, event, kind, from_proto_contact(contact), about_id)


async def _queue_for(tx: WriteTx, event: Event, kind: Kind, customer_id: str, about_id: str) -> None:
    """To the address that the customer has now; payments knows none."""
    await _queue_to(tx, event, kind, await contacts.get_contact(tx, customer_id), about_id)


async def _queue_to(tx: WriteTx, event: Event, kind: Kind, contact: Contact, about_id: str) -> None:
    request = Request(
        kind=kind,
        event_id=event.event_id,
        customer_id=contact.customer_id,
        recipient=contact.email,
        about_id=about_id,
        payload=event.message.SerializeToString(deterministic=True),
    )
    await queue_message(tx, request)


HANDLERS: Mapping[type[Message], Handler] = {
    identity_events_pb2.OrganizationChanged: on_organization_changed,
    invoicing_events_pb2.CustomerChanged: on_customer_changed,
    invoicing_events_pb2.InvoiceFinalized: on_invoice_finalized,
    invoicing_events_pb2.CreditNoteIssued: on_credit_note_issued,
    invoicing_events_pb2.PaymentApplied: on_payment_applied,
    invoicing_events_pb2.PaymentUnapplied: on_payment_unapplied,
    invoicing_events_pb2.InvoiceUpcoming: on_invoice_upcoming,
    invoicing_events_pb2.ScheduleChanged: on_schedule_changed,
    invoicing_events_pb2.InstalmentPlanOffered: on_plan_offered,
    invoicing_events_pb2.InstalmentPlanActivated: on_plan_activated,
    invoicing_events_pb2.InstalmentDue: on_instalment_due,
    invoicing_events_pb2.InstalmentPlanBroken: on_plan_broken,
    invoicing_events_pb2.DisputeOpened: on_dispute_opened,
    invoicing_events_pb2.DisputeMessageAdded: on_dispute_message,
    invoicing_events_pb2.DisputeResolved: on_dispute_resolved,
    invoicing_events_pb2.DunningNoticeIssued: on_dunning_notice,
    payments_events_pb2.AutopayAnnounced: on_autopay_announced,
    payments_events_pb2.AutopayFailed: on_autopay_failed,
    payments_events_pb2.PaymentMethodExpiring: on_method_expiring,
    payments_events_pb2.PaymentApprovalRequested: on_approval_requested,
}
