"""The events of schedules. Each counts the schedule's event version on."""

from dataclasses import replace
from datetime import date

from google.protobuf.message import Message

from chassis import outbox
from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.schedule_billing import PlannedInvoice
from services.invoicing.domain.subscription import Schedule
from services.invoicing.translate.values import to_proto_money
from tallyport.invoicing.v1 import events_pb2 as pb

_WAITS = {"": pb.INVOICE_WAIT_REASON_REVIEW, "CUSTOMER_ON_HOLD": pb.INVOICE_WAIT_REASON_HOLD}


def schedule_changed(
    tx: WriteTx,
    schedule: Schedule,
    customer: Customer,
    kind: pb.ScheduleChangeKind.ValueType,
    *,
    effective_on: date | None = None,
) -> Schedule:
    """Announce a change; returns the schedule with its event counted."""
    message = pb.ScheduleChanged(
        schedule_id=schedule.schedule_id,
        name=schedule.name,
        contact=_contact(customer),
        kind=kind,
        effective_on=effective_on.isoformat() if effective_on else "",
    )
    return _append(tx, schedule, message)


def price_changed(
    tx: WriteTx, schedule: Schedule, customer: Customer, line_no: int, old: Money, effective_on: date
) -> Schedule:
    """Give the customer notice of a new price."""
    new = schedule.terms.changes[-1].unit_price
    assert new is not None
    message = pb.ScheduleChanged(
        schedule_id=schedule.schedule_id,
        name=schedule.name,
        contact=_contact(customer),
        kind=pb.SCHEDULE_CHANGE_KIND_PRICE,
        effective_on=effective_on.isoformat(),
        line_description=schedule.line(line_no).description,
        old_unit_price=to_proto_money(old),
        new_unit_price=to_proto_money(new),
    )
    return _append(tx, schedule, message)


def invoice_upcoming(
    tx: WriteTx, schedule: Schedule, customer: Customer, planned: PlannedInvoice, total: Money
) -> Schedule:
    """Tell of an invoice to come."""
    message = pb.InvoiceUpcoming(
        schedule_id=schedule.schedule_id,
        name=schedule.name,
        contact=_contact(customer),
        invoice_on=planned.invoice_on.isoformat(),
        total=to_proto_money(total),
        more_by_usage=schedule.terms.is_metered,
    )
    return _append(tx, schedule, message)


def invoice_waiting(
    tx: WriteTx, invoice: Invoice, customer: Customer, *, schedule_id: str, refusal: str
) -> None:
    """Tell staff of a draft; an aggregate of its own, since the invoice's events begin when it is final."""
    message = pb.InvoiceWaiting(
        invoice_id=invoice.invoice_id,
        contact=_contact(customer),
        total=to_proto_money(invoice.total),
        reason=_WAITS.get(refusal, pb.INVOICE_WAIT_REASON_REFUSED),
        refusal=refusal,
        schedule_id=schedule_id,
    )
    outbox.append(
        tx, message, aggregate_type="invoice_wait",
        aggregate_id=f"wai_{invoice.invoice_id.removeprefix('inv_')}", aggregate_version=1,
    )  # fmt: skip


def _append(tx: WriteTx, schedule: Schedule, message: Message) -> Schedule:
    counted = replace(schedule, event_version=schedule.event_version + 1)
    outbox.append(
        tx, message, aggregate_type="schedule", aggregate_id=schedule.schedule_id,
        aggregate_version=counted.event_version,
    )  # fmt: skip
    return counted


def _contact(customer: Customer) -> pb.Contact:
    return pb.Contact(
        customer_id=customer.customer_id, name=customer.name, email=customer.email, locale=customer.locale
    )
