"""The events of this service: each function announces one when the transaction commits."""

from chassis import outbox
from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.allocation import Allocation
from services.invoicing.domain.credit_note import CreditNote
from services.invoicing.domain.customer import Contact, Customer
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.invoice_import import Row
from services.invoicing.domain.reversal import Reversal, Undone
from services.invoicing.store.payments import ReceivedPayment
from services.invoicing.translate.values import to_proto_money
from tallyport.invoicing.v1 import events_pb2 as pb


def customer_changed(tx: WriteTx, customer: Customer) -> None:
    """Each version of a customer is one event."""
    message = pb.CustomerChanged(
        contact=_contact(customer),
        external_id=customer.external_id or "",
        currency=customer.currency,
        time_zone=customer.time_zone,
        segments=customer.segments,
        parent_customer_id=customer.parent_customer_id or "",
        ancestor_ids=customer.ancestor_ids,
        account_manager_id=customer.account_manager_id,
        on_hold=customer.on_hold,
        country=customer.country,
        version=customer.version,
    )
    outbox.append(
        tx, message, aggregate_type="customer", aggregate_id=customer.customer_id,
        aggregate_version=customer.version,
    )  # fmt: skip


def invoice_finalized(tx: WriteTx, invoice: Invoice, customer: Customer, *, notify: bool) -> None:
    message = pb.InvoiceFinalized(
        invoice_id=invoice.invoice_id,
        number=invoice.number or "",
        contact=_contact(customer),
        total=to_proto_money(invoice.total),
        invoice_date=invoice.invoice_date.isoformat(),
        due_date=invoice.due_date.isoformat(),
        notify=notify,
    )
    _append_invoice_event(tx, message, invoice)


def invoice_voided(tx: WriteTx, invoice: Invoice, reason: str) -> None:
    _append_invoice_event(tx, pb.InvoiceVoided(invoice_id=invoice.invoice_id, reason=reason), invoice)


def invoice_took_payment(tx: WriteTx, invoice: Invoice, paid_now: Money, payment_id: str) -> None:
    """InvoicePaid or InvoicePartlyPaid, by what the invoice is now."""
    amount = to_proto_money(paid_now)
    if invoice.status is Status.PAID:
        paid = pb.InvoicePaid(invoice_id=invoice.invoice_id, payment_id=payment_id, amount=amount)
        _append_invoice_event(tx, paid, invoice)
    else:
        partly = pb.InvoicePartlyPaid(
            invoice_id=invoice.invoice_id, payment_id=payment_id, amount=amount,
            amount_due=to_proto_money(invoice.due),
        )  # fmt: skip
        _append_invoice_event(tx, partly, invoice)


def payment_applied(
    tx: WriteTx, payment: ReceivedPayment, allocation: Allocation, customer: Contact, *, notify: bool
) -> None:
    message = pb.PaymentApplied(
        payment_id=payment.payment_id,
        receipt_number=payment.receipt_number,
        contact=_contact(customer),
        received=to_proto_money(payment.received),
        applications=[
            pb.Application(
                invoice_id=applied.invoice.invoice_id,
                number=applied.invoice.number or "",
                amount=to_proto_money(applied.amount),
                amount_due=to_proto_money(applied.invoice.due),
            )
            for applied in allocation.applied
            if not applied.amount.is_zero
        ],
        credited=to_proto_money(allocation.credited),
        notify=notify,
        credit_used=to_proto_money(allocation.credit_used),
    )
    outbox.append(
        tx, message, aggregate_type="payment_application", aggregate_id=payment.payment_id,
        aggregate_version=1,
    )  # fmt: skip


def invoice_reopened(tx: WriteTx, invoice: Invoice, payment_id: str) -> None:
    message = pb.InvoiceReopened(
        invoice_id=invoice.invoice_id, payment_id=payment_id, amount_due=to_proto_money(invoice.due)
    )
    _append_invoice_event(tx, message, invoice)


def invoice_adjusted(tx: WriteTx, invoice: Invoice, kind: AdjustmentKind, amount: Money) -> None:
    message = pb.InvoiceAdjusted(
        invoice_id=invoice.invoice_id, kind=kind.value, amount=to_proto_money(amount),
        amount_due=to_proto_money(invoice.due),
    )  # fmt: skip
    _append_invoice_event(tx, message, invoice)


def credit_note_issued(
    tx: WriteTx, note: CreditNote, invoice: Invoice, customer: Customer, *, silent: bool
) -> None:
    message = pb.CreditNoteIssued(
        credit_note_id=note.credit_note_id,
        number=note.number,
        invoice_id=note.invoice_id,
        invoice_number=note.invoice_number,
        contact=_contact(customer),
        total=to_proto_money(note.total),
        to_credit=to_proto_money(note.to_credit),
        amount_due=to_proto_money(invoice.due),
        silent=silent,
    )
    outbox.append(
        tx, message, aggregate_type="credit_note", aggregate_id=note.credit_note_id, aggregate_version=1
    )


def payment_unapplied(
    tx: WriteTx, reversal: Reversal, undone: Undone, customer: Customer, *, aggregate_version: int
) -> None:
    message = pb.PaymentUnapplied(
        payment_id=reversal.payment_id,
        reversal_id=reversal.reversal_id,
        contact=_contact(customer),
        amount=to_proto_money(reversal.amount),
        applications=[
            pb.Application(
                invoice_id=invoice.invoice_id,
                number=invoice.number or "",
                amount=to_proto_money(undone.by_invoice[invoice.invoice_id]),
                amount_due=to_proto_money(invoice.due),
            )
            for invoice in undone.invoices
        ],
        from_credit=to_proto_money(undone.from_credit),
        kind=reversal.kind,
        forgiven=reversal.forgive,
        to_credit=reversal.to_credit,
        receipt_number=reversal.receipt_number,
        fee=None if reversal.fee is None else to_proto_money(reversal.fee),
        notify=reversal.notify,
    )
    outbox.append(
        tx, message, aggregate_type="payment_application", aggregate_id=reversal.payment_id,
        aggregate_version=aggregate_version,
    )  # fmt: skip


def external_payment_reported(tx: WriteTx, invoice: Invoice, row: Row, amount: Money) -> None:
    """An aggregate of its own: the invoice's versions are counted by the invoice's events."""
    assert row.settled_date is not None
    message = pb.ExternalPaymentReported(
        invoice_id=invoice.invoice_id,
        number=invoice.number or "",
        customer_id=invoice.customer_id,
        amount=to_proto_money(amount),
        received_on=row.settled_date.isoformat(),
        external_id=row.external_id,
    )
    outbox.append(
        tx, message, aggregate_type="external_payment",
        aggregate_id=f"xpm_{invoice.invoice_id.removeprefix('inv_')}", aggregate_version=1,
    )  # fmt: skip


def _append_invoice_event(
    tx: WriteTx,
    message: pb.InvoiceFinalized
    | pb.InvoiceVoided
    | pb.InvoicePaid
    | pb.InvoicePartlyPaid
    | pb.InvoiceReopened
    | pb.InvoiceAdjusted,
    invoice: Invoice,
) -> None:
    outbox.append(
        tx, message, aggregate_type="invoice", aggregate_id=invoice.invoice_id,
        aggregate_version=invoice.event_version,
    )  # fmt: skip


def _contact(customer: Customer | Contact) -> pb.Contact:
    return pb.Contact(
        customer_id=customer.customer_id, name=customer.name, email=customer.email, locale=customer.locale
    )
