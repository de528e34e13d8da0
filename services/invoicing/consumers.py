"""What the other services' events do here."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial

from google.protobuf.message import Message

from chassis.database import WriteTx
from chassis.inbox import Batch, Event, Handler, continuing
from services.invoicing.domain.reservation import ReservationState
from services.invoicing.operations.apply_payments import Incoming, apply_payments
from services.invoicing.operations.reinstate_payment import reinstate_payment
from services.invoicing.operations.release import release_in
from services.invoicing.operations.reverse_payment import reverse_payment
from services.invoicing.store.organizations import put_organization
from services.invoicing.store.plan_policies import note_failed_payment
from services.invoicing.translate.organizations import from_proto_organization
from services.invoicing.translate.reservations import from_proto_payment
from services.invoicing.translate.reversals import from_proto_reversal
from tallyport.identity.v1 import events_pb2 as identity_events
from tallyport.payments.v1 import events_pb2 as payments_events


async def on_organization_changed(tx: WriteTx, event: Event) -> None:
    """Keep the copy of an organization as identity has it."""
    message = event.message
    assert isinstance(message, identity_events.OrganizationChanged)
    await put_organization(tx, from_proto_organization(message.organization, event.aggregate_version))


async def on_payments_succeeded(tx: WriteTx, events: Sequence[Event]) -> None:
    """Put the money to its invoices."""
    incoming = []
    for event in events:
        message = event.message
        assert isinstance(message, payments_events.PaymentSucceeded)
        payment, parts = from_proto_payment(message)
        scope = partial(continuing, event) if len(events) > 1 else nullcontext
        incoming.append(Incoming(payment=payment, parts=parts, notify=message.notify, scope=scope))
    await apply_payments(tx, incoming)


async def on_payment_ended(tx: WriteTx, event: Event) -> None:
    """Nothing was charged: what the payment held is free again. A failure may be a sign of hardship."""
    message = event.message
    assert isinstance(message, (payments_events.PaymentFailed, payments_events.PaymentCanceled))
    await release_in(tx, message.payment_id, ReservationState.RELEASED)
    if isinstance(message, payments_events.PaymentFailed):
        await note_failed_payment(tx, message.payment_id, message.customer_id, tx.now())


async def on_payment_reversed(tx: WriteTx, event: Event) -> None:
    """Money went back: what it had paid is to be paid again, or is forgiven."""
    message = event.message
    assert isinstance(message, payments_events.PaymentReversed)
    await reverse_payment(tx, from_proto_reversal(message))


async def on_payment_reinstated(tx: WriteTx, event: Event) -> None:
    """It is there again."""
    message = event.message
    assert isinstance(message, payments_events.PaymentReinstated)
    await reinstate_payment(tx, message.payment_id, message.reversal_id)


HANDLERS: Mapping[type[Message], Handler | Batch] = {
    identity_events.OrganizationChanged: on_organization_changed,
    payments_events.PaymentSucceeded: Batch(on_payments_succeeded),
    payments_events.PaymentFailed: on_payment_ended,
    payments_events.PaymentCanceled: on_payment_ended,
    payments_events.PaymentReversed: on_payment_reversed,
    payments_events.PaymentReinstated: on_payment_reinstated,
}
