"""The events of disputes. Each counts the dispute's event version on."""

from dataclasses import replace

from google.protobuf.message import Message

from chassis import outbox
from chassis.database import WriteTx
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.dispute import Dispute
from services.invoicing.domain.invoice import Invoice
from services.invoicing.translate.values import to_proto_money
from tallyport.invoicing.v1 import events_pb2 as pb


def dispute_opened(
    tx: WriteTx, dispute: Dispute, invoice: Invoice, customer: Customer, *, notify: bool
) -> None:
    """The first event; `invoice` is as it was before."""
    rest = invoice.unreserved - invoice.in_dispute - dispute.amount
    message = pb.DisputeOpened(
        dispute=_news(dispute, invoice, customer),
        undisputed_due=to_proto_money(max(rest, rest - rest)),
        answer_due_at=dispute.answer_due_at.isoformat(),
        notify=notify,
    )
    _append(tx, dispute, message)


def message_added(
    tx: WriteTx, dispute: Dispute, invoice: Invoice, customer: Customer, *, by_staff: bool, text: str
) -> Dispute:
    """Somebody wrote."""
    message = pb.DisputeMessageAdded(dispute=_news(dispute, invoice, customer), by_staff=by_staff, text=text)
    return _next(tx, dispute, message)


def dispute_escalated(
    tx: WriteTx, dispute: Dispute, invoice: Invoice, customer: Customer, reason: str
) -> Dispute:
    """It took too long, or staff want it looked at."""
    return _next(tx, dispute, pb.DisputeEscalated(dispute=_news(dispute, invoice, customer), reason=reason))


def dispute_resolved(tx: WriteTx, dispute: Dispute, invoice: Invoice, customer: Customer) -> Dispute:
    """It is over; `invoice` is as it is afterwards."""
    message = pb.DisputeResolved(
        dispute=_news(dispute, invoice, customer),
        outcome=dispute.state.value,
        credited=None if dispute.credited.is_zero else to_proto_money(dispute.credited),
        amount_due=to_proto_money(invoice.due - invoice.in_dispute),
        text=dispute.resolution,
    )
    return _next(tx, dispute, message)


def _news(dispute: Dispute, invoice: Invoice, customer: Customer) -> pb.DisputeNews:
    return pb.DisputeNews(
        dispute_id=dispute.dispute_id,
        invoice_id=dispute.invoice_id,
        invoice_number=invoice.number or "",
        contact=pb.Contact(
            customer_id=customer.customer_id, name=customer.name, email=customer.email, locale=customer.locale
        ),
        amount=to_proto_money(dispute.amount),
    )


def _next(tx: WriteTx, dispute: Dispute, message: Message) -> Dispute:
    counted = replace(dispute, event_version=dispute.event_version + 1)
    _append(tx, counted, message)
    return counted


def _append(tx: WriteTx, dispute: Dispute, message: Message) -> None:
    outbox.append(
        tx, message, aggregate_type="dispute", aggregate_id=dispute.dispute_id,
        aggregate_version=dispute.event_version,
    )  # fmt: skip
