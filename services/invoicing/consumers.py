"""What the other services' events do here."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import date, timedelta
from functools import partial

from google.protobuf.message import Message

from chassis.database import WriteTx
from chassis.inbox import Batch, Event, Handler, continuing
from services.invoicing.domain.reservation import ReservationState
from services.invoicing.operations.apply_payments import Incoming, apply_payments
from services.invoicing.operations.reinstate_payment import reinstate_payment
from services.invoicing.operations.release import release_in
from services.invoicing.operations.reverse_payment import reverse_payment
from services.invoicing.store import dunning
from services.invoicing.store.organizations import put_organization
from services.invoicing.store.plan_policies import note_failed_payment
from services.invoicing.translate.organizations import from_proto_organization
from services.invoicing.translate.reservations import from_proto_payment
from services.invoicing.translate.reversals import from_proto_reversal
from tallyport.identity.v1 import events_pb2 as identity_events
from tallyport.payments.v1 import events_pb2 as payments_events

AUTOPAY_GRACE = timedelta(days=3)
"""How long an automatic payment may take."""
_TAKEN_BACK_BY_BANKS = (payments_events.REVERSAL_KIND_RETURN, payments_events.REVERSAL_KIND_CHARGEBACK)


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
    """Money went back: what it had paid is to be paid again, or is forgiven.

    What a bank takes back may be a sign of hardship.
    """
    message = event.message
    assert isinstance(message, payments_events.PaymentReversed)
    await reverse_payment(tx, from_proto_reversal(message))
    if message.kind in _TAKEN_BACK_BY_BANKS:
        await note_failed_payment(tx, message.payment_id, message.customer_id, tx.now())


async def on_payment_reinstated(tx: WriteTx, event: Event) -> None:
    """It is there again."""
    message = event.message
    assert isinstance(message, payments_events.PaymentReinstated)
    await reinstate_payment(tx, message.payment_id, message.reversal_id)


async def on_transfer_claimed(tx: WriteTx, event: Event) -> None:
    """Somebody says that a transfer is on its way: no reminders meanwhile."""
    message = event.message
    assert isinstance(message, payments_events.TransferClaimed)
    until = date.fromisoformat(message.expires_on)
    await dunning.put_holds(tx, message.claim_id, message.invoice_ids, "claimed", until)


async def on_transfer_claim_closed(tx: WriteTx, event: Event) -> None:
    """It came, or nobody waits for it any more."""
    message = event.message
    assert isinstance(message, payments_events.TransferClaimClosed)
    await dunning.end_holds(tx, message.claim_id)


async def on_autopay_announced(tx: WriteTx, event: Event) -> None:
    """It is paid automatically on a day: no reminders until a little after it. What nobody agreed to holds nothing."""
    message = event.message
    assert isinstance(message, payments_events.AutopayAnnounced)
    if not message.needs_confirmation:
        until = date.fromisoformat(message.pay_on) + AUTOPAY_GRACE
        invoice_ids = [part.invoice_id for part in message.parts]
        await dunning.put_holds(tx, message.run_id, invoice_ids, "autopay", until)


async def on_autopay_failed(tx: WriteTx, event: Event) -> None:
    """It is tried again, or given up."""
    message = event.message
    assert isinstance(message, payments_events.AutopayFailed)
    if message.next_try_on:
        until = date.fromisoformat(message.next_try_on) + AUTOPAY_GRACE
        await dunning.prolong_holds(tx, message.run_id, until)
    else:
        await dunning.end_holds(tx, message.run_id)


HANDLERS: Mapping[type[Message], Handler | Batch] = {
    identity_events.OrganizationChanged: on_organization_changed,
    payments_events.PaymentSucceeded: Batch(on_payments_succeeded),
    payments_events.PaymentFailed: on_payment_ended,
    payments_events.PaymentCanceled: on_payment_ended,
    payments_events.PaymentReversed: on_payment_reversed,
    payments_events.PaymentReinstated: on_payment_reinstated,
    payments_events.TransferClaimed: on_transfer_claimed,
    payments_events.TransferClaimClosed: on_transfer_claim_closed,
    payments_events.AutopayAnnounced: on_autopay_announced,
    payments_events.AutopayFailed: on_autopay_failed,
}
