"""Between messages of the contracts and domain objects."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.money import Money
from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import (
    AppliedPart,
    ApprovalFacts,
    Attachment,
    Contact,
    CreditNoteDocument,
    CreditNoteFacts,
    DisputeFacts,
    DunningFacts,
    ExpiringFacts,
    FailedFacts,
    InvoiceDocument,
    InvoiceFacts,
    PlanFacts,
    PlannedFacts,
    PriceChangeFacts,
    ReceiptFacts,
    ReversalFacts,
    UpcomingFacts,
)
from services.notifications.domain.message import Kind, Message, State
from tallyport.common.v1 import money_pb2
from tallyport.identity.v1 import events_pb2 as identity_events_pb2
from tallyport.invoicing.v1 import documents_pb2, dunning_pb2, invoices_pb2, reservations_pb2
from tallyport.invoicing.v1 import events_pb2 as invoicing_events_pb2
from tallyport.notifications.v1 import events_pb2, messages_pb2
from tallyport.payments.v1 import events_pb2 as payments_events_pb2
from tallyport.payments.v1 import payments_pb2

_PROTO_STATES = {
    State.QUEUED: messages_pb2.MESSAGE_STATE_QUEUED,
    State.SENT: messages_pb2.MESSAGE_STATE_SENT,
    State.FAILED: messages_pb2.MESSAGE_STATE_FAILED,
}
_STATES: Mapping[int, State] = {number: state for state, number in _PROTO_STATES.items()}
_PROTO_KINDS = {
    Kind.INVOICE: messages_pb2.MESSAGE_KIND_INVOICE,
    Kind.RECEIPT: messages_pb2.MESSAGE_KIND_RECEIPT,
    Kind.AUTOPAY_ANNOUNCED: messages_pb2.MESSAGE_KIND_AUTOPAY_ANNOUNCED,
    Kind.AUTOPAY_FAILED: messages_pb2.MESSAGE_KIND_AUTOPAY_FAILED,
    Kind.CARD_EXPIRING: messages_pb2.MESSAGE_KIND_CARD_EXPIRING,
    Kind.APPROVAL_REQUESTED: messages_pb2.MESSAGE_KIND_APPROVAL_REQUESTED,
    Kind.REVERSAL: messages_pb2.MESSAGE_KIND_REVERSAL,
    Kind.INVOICE_UPCOMING: messages_pb2.MESSAGE_KIND_INVOICE_UPCOMING,
    Kind.PRICE_CHANGE: messages_pb2.MESSAGE_KIND_PRICE_CHANGE,
    Kind.PLAN_OFFERED: messages_pb2.MESSAGE_KIND_PLAN_OFFERED,
    Kind.PLAN_ACTIVE: messages_pb2.MESSAGE_KIND_PLAN_ACTIVE,
    Kind.INSTALMENT_DUE: messages_pb2.MESSAGE_KIND_INSTALMENT_DUE,
    Kind.PLAN_BROKEN: messages_pb2.MESSAGE_KIND_PLAN_BROKEN,
    Kind.DISPUTE_OPENED: messages_pb2.MESSAGE_KIND_DISPUTE_OPENED,
    Kind.DISPUTE_ANSWERED: messages_pb2.MESSAGE_KIND_DISPUTE_ANSWERED,
    Kind.DISPUTE_RESOLVED: messages_pb2.MESSAGE_KIND_DISPUTE_RESOLVED,
    Kind.DUNNING: messages_pb2.MESSAGE_KIND_DUNNING,
    Kind.CREDIT_NOTE: messages_pb2.MESSAGE_KIND_CREDIT_NOTE,
}


def from_proto_state(number: int) -> State | None:
    """None for unspecified."""
    return _STATES.get(number)


def from_proto_money(message: money_pb2.Money) -> Money:
    return Money(message.minor_units, message.currency)


def from_proto_brand(event: identity_events_pb2.OrganizationChanged, *, version: int) -> Brand:
    organization = event.organization
    brand = organization.brand
    return Brand(
        organization_id=organization.organization_id,
        name=organization.name,
        display_name=brand.display_name or organization.name,
        primary_color=brand.primary_color,
        logo=brand.logo if brand.logo_media_type == "image/png" else b"",
        locale=organization.locale,
        contact_email=organization.contact_email,
        contact_phone=organization.contact_phone,
        version=version,
    )


def from_payload_invoice(payload: bytes) -> tuple[InvoiceFacts, str]:
    """The facts of a kept InvoiceFinalized, and the reader's language."""
    event = invoicing_events_pb2.InvoiceFinalized.FromString(payload)
    facts = InvoiceFacts(
        contact_name=event.contact.name,
        number=event.number,
        total=from_proto_money(event.total),
        invoice_date=date.fromisoformat(event.invoice_date),
        due_date=date.fromisoformat(event.due_date),
    )
    return facts, event.contact.locale


def from_payload_receipt(payload: bytes) -> tuple[ReceiptFacts, str]:
    """The facts of a kept PaymentApplied, and the reader's language."""
    event = invoicing_events_pb2.PaymentApplied.FromString(payload)
    received = from_proto_money(event.received)
    has_credit = event.HasField("credited") and bool(event.credited.currency)
    facts = ReceiptFacts(
        contact_name=event.contact.name,
        receipt_number=event.receipt_number,
        received=received,
        parts=tuple(
            AppliedPart(
                number=part.number,
                amount=from_proto_money(part.amount),
                amount_due=from_proto_money(part.amount_due),
            )
            for part in event.applications
        ),
        credited=from_proto_money(event.credited) if has_credit else Money.zero(received.currency),
    )
    return facts, event.contact.locale


def from_proto_contact(message: invoicing_events_pb2.Contact) -> Contact:
    return Contact(
        customer_id=message.customer_id,
        email=message.email.strip(),
        name=message.name,
        locale=message.locale,
    )


def from_payload_planned(payload: bytes) -> PlannedFacts:
    """The facts of a kept AutopayAnnounced."""
    event = payments_events_pb2.AutopayAnnounced.FromString(payload)
    amounts = [from_proto_money(part.amount) for part in event.parts]
    return PlannedFacts(
        amount=from_proto_money(event.amount),
        pay_on=date.fromisoformat(event.pay_on),
        parts=tuple(zip(event.invoice_numbers, amounts, strict=True)),
        method=event.method_summary,
        needs_confirmation=event.needs_confirmation,
    )


def from_payload_failed(payload: bytes) -> FailedFacts:
    """The facts of a kept AutopayFailed."""
    event = payments_events_pb2.AutopayFailed.FromString(payload)
    return FailedFacts(
        amount=from_proto_money(event.amount),
        failure_code=event.failure_code,
        next_try_on=date.fromisoformat(event.next_try_on) if event.next_try_on else None,
        method=event.method_summary,
    )


def from_payload_expiring(payload: bytes) -> ExpiringFacts:
    """The facts of a kept PaymentMethodExpiring."""
    event = payments_events_pb2.PaymentMethodExpiring.FromString(payload)
    return ExpiringFacts(
        method=event.summary,
        month=date(event.expiry_year, event.expiry_month, 1),
        used_by_autopay=event.used_by_autopay,
    )


def from_payload_upcoming(payload: bytes) -> UpcomingFacts:
    """The facts of a kept InvoiceUpcoming."""
    event = invoicing_events_pb2.InvoiceUpcoming.FromString(payload)
    return UpcomingFacts(
        name=event.name,
        invoice_on=date.fromisoformat(event.invoice_on),
        total=from_proto_money(event.total),
        more_by_usage=event.more_by_usage,
    )


def from_payload_plan(kind: Kind, payload: bytes) -> PlanFacts:
    """The facts of a kept event of an instalment plan."""
    if kind is Kind.PLAN_OFFERED:
        offered = invoicing_events_pb2.InstalmentPlanOffered.FromString(payload)
        return _plan_facts(
            offered.plan, amount=offered.first_amount, day=offered.offered_until,
            first_on=date.fromisoformat(offered.first_due_on), text=offered.note,
            discount=from_proto_money(offered.hardship_discount)
            if offered.HasField("hardship_discount")
            else None,
        )  # fmt: skip
    if kind is Kind.PLAN_ACTIVE:
        begun = invoicing_events_pb2.InstalmentPlanActivated.FromString(payload)
        return _plan_facts(
            begun.plan, amount=begun.first_amount, day=begun.last_due_on,
            first_on=date.fromisoformat(begun.first_due_on), text=begun.terms_text,
        )  # fmt: skip
    if kind is Kind.INSTALMENT_DUE:
        due = invoicing_events_pb2.InstalmentDue.FromString(payload)
        return _plan_facts(due.plan, amount=due.amount, day=due.due_on, number=due.number)
    broken = invoicing_events_pb2.InstalmentPlanBroken.FromString(payload)
    return _plan_facts(broken.plan, amount=broken.missed, day="")


def _plan_facts(
    plan: invoicing_events_pb2.InstalmentNews, *, amount: money_pb2.Money, day: str, **more: Any
) -> PlanFacts:
    return PlanFacts(
        plan_id=plan.plan_id,
        invoice_numbers=tuple(plan.invoice_numbers),
        total=from_proto_money(plan.total),
        open=from_proto_money(plan.open),
        instalments=plan.instalments,
        amount=from_proto_money(amount),
        day=date.fromisoformat(day) if day else date.min,
        **more,
    )


def from_payload_dispute(kind: Kind, payload: bytes) -> DisputeFacts:
    """The facts of a kept event of a dispute."""
    if kind is Kind.DISPUTE_OPENED:
        opened = invoicing_events_pb2.DisputeOpened.FromString(payload)
        return _dispute_facts(opened.dispute, rest=from_proto_money(opened.undisputed_due))
    if kind is Kind.DISPUTE_ANSWERED:
        answer = invoicing_events_pb2.DisputeMessageAdded.FromString(payload)
        return _dispute_facts(answer.dispute, text=answer.text)
    resolved = invoicing_events_pb2.DisputeResolved.FromString(payload)
    return _dispute_facts(
        resolved.dispute,
        rest=from_proto_money(resolved.amount_due),
        credited=from_proto_money(resolved.credited) if resolved.HasField("credited") else None,
        text=resolved.text,
        outcome=resolved.outcome,
    )


def _dispute_facts(dispute: invoicing_events_pb2.DisputeNews, **more: Any) -> DisputeFacts:
    return DisputeFacts(
        dispute_id=dispute.dispute_id,
        invoice_number=dispute.invoice_number,
        amount=from_proto_money(dispute.amount),
        **more,
    )


def from_payload_dunning(payload: bytes) -> tuple[DunningFacts, str]:
    """The facts of a kept reminder, and its language."""
    notice = invoicing_events_pb2.DunningNoticeIssued.FromString(payload)
    facts = DunningFacts(
        notice_id=notice.notice_id,
        invoice_number=notice.invoice_number,
        title=notice.title,
        text=notice.text,
        amount=from_proto_money(notice.amount),
        due_date=date.fromisoformat(notice.due_date),
        deadline_on=date.fromisoformat(notice.deadline_on),
        has_letter=notice.letter,
    )
    return facts, notice.contact.locale


def from_proto_letter(message: dunning_pb2.DunningLetterPdf) -> Attachment:
    return Attachment(file_name=message.file_name, content=message.content)


def from_payload_credit_note(payload: bytes) -> tuple[CreditNoteFacts, Contact]:
    """The facts of a kept CreditNoteIssued, and whom it is for."""
    event = invoicing_events_pb2.CreditNoteIssued.FromString(payload)
    facts = CreditNoteFacts(
        credit_note_id=event.credit_note_id,
        number=event.number,
        invoice_id=event.invoice_id,
        invoice_number=event.invoice_number,
        total=from_proto_money(event.total),
        to_credit=from_proto_money(event.to_credit),
    )
    return facts, from_proto_contact(event.contact)


def from_proto_credit_note_delivery(message: documents_pb2.CreditNoteDelivery) -> CreditNoteDocument:
    return CreditNoteDocument(
        amount_due=from_proto_money(message.amount_due),
        pdf=Attachment(file_name=message.file_name, content=message.pdf),
    )


def from_payload_price_change(payload: bytes) -> PriceChangeFacts:
    """The facts of a kept ScheduleChanged that tells of a price."""
    event = invoicing_events_pb2.ScheduleChanged.FromString(payload)
    return PriceChangeFacts(
        name=event.name,
        line=event.line_description,
        old_price=from_proto_money(event.old_unit_price),
        new_price=from_proto_money(event.new_unit_price),
        effective_on=date.fromisoformat(event.effective_on),
    )


def from_payload_approval(payload: bytes) -> ApprovalFacts:
    """The facts of a kept PaymentApprovalRequested."""
    event = payments_events_pb2.PaymentApprovalRequested.FromString(payload)
    return ApprovalFacts(amount=from_proto_money(event.amount), requested_by=event.requested_by)


def from_payload_reversal(payload: bytes) -> tuple[ReversalFacts, Contact]:
    """The facts of a kept PaymentUnapplied, and whom it is for."""
    event = invoicing_events_pb2.PaymentUnapplied.FromString(payload)
    amount = from_proto_money(event.amount)
    zero = Money.zero(amount.currency)
    facts = ReversalFacts(
        kind=event.kind,
        receipt_number=event.receipt_number,
        amount=amount,
        parts=tuple(
            AppliedPart(
                number=part.number,
                amount=from_proto_money(part.amount),
                amount_due=from_proto_money(part.amount_due),
            )
            for part in event.applications
        ),
        from_credit=from_proto_money(event.from_credit) if event.from_credit.currency else zero,
        fee=from_proto_money(event.fee) if event.fee.currency else zero,
        forgiven=event.forgiven,
        to_credit=event.to_credit,
    )
    return facts, from_proto_contact(event.contact)


def from_proto_invoice_delivery(message: reservations_pb2.InvoiceDelivery) -> InvoiceDocument:
    return InvoiceDocument(
        pay_link_token=message.pay_link_token,
        amount_due=from_proto_money(message.amount_due),
        pdf=Attachment(file_name=message.file_name, content=message.pdf),
        late_fee_for=message.about_invoice_number
        if message.kind == invoices_pb2.INVOICE_KIND_LATE_FEE
        else "",
        early_discount=from_proto_money(message.early_discount)
        if message.HasField("early_discount")
        else None,
        early_discount_until=date.fromisoformat(message.early_discount_until)
        if message.early_discount_until
        else None,
    )


def from_proto_receipt(message: payments_pb2.ReceiptDocument) -> Attachment:
    return Attachment(file_name=message.file_name, content=message.content)


def to_proto_outcome(message: Message) -> events_pb2.MessageSent | events_pb2.MessageFailed:
    """The event that tells what became of a message."""
    if message.state is State.SENT:
        return events_pb2.MessageSent(message_id=message.message_id, about_id=message.about_id)
    return events_pb2.MessageFailed(
        message_id=message.message_id, about_id=message.about_id, reason=message.last_error
    )


def to_proto_message(message: Message) -> messages_pb2.Message:
    return messages_pb2.Message(
        message_id=message.message_id,
        kind=_PROTO_KINDS[message.kind],
        state=_PROTO_STATES[message.state],
        customer_id=message.customer_id,
        recipient=message.recipient,
        subject=message.subject,
        about_id=message.about_id,
        attempts=message.attempts,
        last_error=message.last_error,
        created_at=_timestamp(message.created_at),
        sent_at=_timestamp(message.sent_at) if message.sent_at is not None else None,
    )


def _timestamp(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp
