"""Reservations and money received, as the payments service speaks of them."""

from collections.abc import Iterable, Mapping
from datetime import date

from chassis.errors import invalid
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.reservation import Part, Reservation
from services.invoicing.store.payments import ReceivedPayment
from services.invoicing.translate.values import from_proto_money, to_proto_money
from tallyport.invoicing.v1 import reservations_pb2 as pb
from tallyport.payments.v1 import events_pb2 as payments_events


def from_proto_parts(messages: Iterable[pb.InvoicePart]) -> list[Part]:
    """Parts of different invoices, each more than zero; VALIDATION_FAILED otherwise."""
    parts: list[Part] = []
    seen: set[str] = set()
    for index, message in enumerate(messages):
        amount = from_proto_money(f"parts[{index}].amount", message.amount)
        if amount.minor_units <= 0:
            raise invalid(f"parts[{index}].amount", "positive", "The amount must be more than zero.")
        if message.invoice_id in seen:
            raise invalid(f"parts[{index}].invoice_id", "unique", "Each invoice can be named once.")
        seen.add(message.invoice_id)
        parts.append(Part(message.invoice_id, amount))
    return parts


def to_proto_reservation(
    payment_id: str, held: Iterable[Reservation], invoices: Mapping[str, Invoice]
) -> pb.Reservation:
    return pb.Reservation(
        payment_id=payment_id,
        parts=[
            pb.ReservedPart(
                invoice_id=part.invoice_id,
                number=invoices[part.invoice_id].number or "",
                amount=to_proto_money(part.amount),
            )
            for part in held
        ],
    )


def from_proto_payment(message: payments_events.PaymentSucceeded) -> tuple[ReceivedPayment, list[Part]]:
    """The money and what the payer meant it for."""
    payment = ReceivedPayment(
        payment_id=message.payment_id,
        customer_id=message.customer_id,
        received=from_proto_money("amount", message.amount),
        receipt_number=message.receipt_number,
        received_on=date.fromisoformat(message.received_on),
    )
    parts = [Part(part.invoice_id, from_proto_money("amount", part.amount)) for part in message.parts]
    return payment, parts
