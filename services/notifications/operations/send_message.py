"""Sends one due message: claim, put together, hand to the mail server, keep what became of it.

A crash between sending and keeping sends the mail again once the lease is over, with the same Message-ID:
mail servers and people can tell that it is the same one.
"""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from chassis import audit, telemetry
from chassis.caller import call_scope, service_call
from chassis.crashpoints import crashpoint
from chassis.database import Database, WriteTx
from chassis.telemetry import parse_traceparent, remote_span
from services.notifications.channels.channel import Channel
from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import Attachment, Contact, CreditNoteDocument, InvoiceDocument, Mail
from services.notifications.domain.message import (
    MOST_BROKEN_TRIES,
    Kind,
    Message,
    Refused,
    State,
    TryLater,
    delay_after,
)
from services.notifications.operations.announce import announce
from services.notifications.store import brands, contacts, messages
from services.notifications.translate import (
    from_payload_approval,
    from_payload_credit_note,
    from_payload_dispute,
    from_payload_dunning,
    from_payload_expiring,
    from_payload_failed,
    from_payload_invoice,
    from_payload_plan,
    from_payload_planned,
    from_payload_price_change,
    from_payload_receipt,
    from_payload_reversal,
    from_payload_upcoming,
)

SERVICE = "notifications"
_log = structlog.get_logger("notifications.mailer")


class Documents(Protocol):
    """Where PDFs and pay links come from. Raises TryLater or Refused."""

    async def invoice(self, organization_id: str, invoice_id: str) -> InvoiceDocument: ...

    async def receipt(self, organization_id: str, payment_id: str) -> Attachment: ...

    async def letter(self, organization_id: str, notice_id: str) -> Attachment: ...

    async def credit_note(self, organization_id: str, credit_note_id: str) -> CreditNoteDocument: ...


async def send_message(
    db: Database,
    documents: Documents,
    channel: Channel,
    *,
    organization_id: str,
    message_id: str,
    public_url: str,
) -> Message | None:
    """What became of the message; None when another worker has it."""
    with call_scope(service_call(SERVICE, organization_id, method="send message")):
        async with db.write(organization_id) as tx:
            message = await messages.claim_message(tx, message_id)
        if message is None:
            return None
        with remote_span(f"send {message.kind.value} mail", parse_traceparent(message.traceparent)):
            outcome = await _try(db, documents, channel, message, public_url)
            return await _keep(db, message, outcome)


async def _try(
    db: Database, documents: Documents, channel: Channel, message: Message, public_url: str
) -> Message:
    """The message as it is after this try."""
    try:
        mail = await _compose(db, documents, message, public_url)
        mail = replace(mail, dated=await db.now_of(message.organization_id))
        message = replace(message, subject=mail.subject)
        crashpoint("mail.before_send")
        with telemetry.tracer().start_as_current_span("smtp"):
            await channel.deliver(mail)
        crashpoint("mail.after_send")
    except Refused as refusal:
        return replace(message, state=State.FAILED, last_error=refusal.reason)
    except TryLater as later:
        return _postponed(message, later, now=await db.now_of(message.organization_id))
    except Exception as error:  # a defect must neither stop other mails nor repeat without pause
        _log.error("mail not put together", message_id=message.message_id, exc_info=error)
        broken = TryLater("not put together", inside=True, is_broken=True)
        return _postponed(message, broken, now=await db.now_of(message.organization_id))
    return replace(message, state=State.SENT, sent_at=await db.now_of(message.organization_id), last_error="")


def _postponed(message: Message, later: TryLater, *, now: datetime) -> Message:
    due_at = now + delay_after(message.attempts, inside=later.inside)
    is_hopeless = later.is_broken and message.attempts >= MOST_BROKEN_TRIES
    if is_hopeless or due_at > message.gives_up_at():
        return replace(message, state=State.FAILED, last_error=f"tried too often: {later.reason}")
    return replace(message, due_at=due_at, last_error=later.reason)


async def _compose(db: Database, documents: Documents, message: Message, public_url: str) -> Mail:
    from services.notifications.formats.mails import invoice_mail, receipt_mail

    async with db.read(message.organization_id) as tx:
        brand = await brands.get_brand(tx)
        contact = await contacts.get_contact(tx, message.customer_id)
    if brand is None:
        raise TryLater("the organization is not known yet", inside=True)
    if message.kind is Kind.INVOICE:
        invoice = await documents.invoice(message.organization_id, message.about_id)
        facts, locale = from_payload_invoice(message.payload)
        return invoice_mail(
            message, brand, facts, invoice, locale=locale or brand.locale, public_url=public_url
        )
    if message.kind is Kind.RECEIPT:
        receipt = await documents.receipt(message.organization_id, message.about_id)
        receipt_facts, locale = from_payload_receipt(message.payload)
        return receipt_mail(message, brand, receipt_facts, receipt, locale=locale or brand.locale)
    if message.kind is Kind.DUNNING:
        return await _dunning_mail(documents, message, brand, contact, public_url=public_url)
    if message.kind is Kind.CREDIT_NOTE:
        return await _credit_note_mail(documents, message, brand, public_url=public_url)
    return _payment_mail(message, brand, contact, public_url)


async def _credit_note_mail(documents: Documents, message: Message, brand: Brand, *, public_url: str) -> Mail:
    from services.notifications.formats.credit_note_mails import credit_note_mail
    from services.notifications.formats.payment_mails import Portal

    facts, contact = from_payload_credit_note(message.payload)
    document = await documents.credit_note(message.organization_id, facts.credit_note_id)
    portal = Portal(locale=contact.locale or brand.locale, public_url=public_url)
    return credit_note_mail(message, brand, facts, document, contact, portal=portal)


async def _dunning_mail(
    documents: Documents, message: Message, brand: Brand, contact: Contact, *, public_url: str
) -> Mail:
    """A reminder of what is still due now; Refused when it was paid since."""
    from services.notifications.formats.dunning_mails import dunning_mail

    facts, locale = from_payload_dunning(message.payload)
    invoice = await documents.invoice(message.organization_id, message.about_id)
    if invoice.amount_due.minor_units <= 0:
        raise Refused("paid before the reminder left")
    letter = await documents.letter(message.organization_id, facts.notice_id) if facts.has_letter else None
    contact = replace(contact, locale=locale or contact.locale)
    return dunning_mail(message, brand, facts, invoice, letter, contact=contact, public_url=public_url)


def _payment_mail(message: Message, brand: Brand, contact: Contact, public_url: str) -> Mail:
    """Mails without documents: all they say stands in the event, and in the contact as it is now."""
    from services.notifications.formats import dispute_mails, payment_mails, plan_mails, schedule_mails

    payload = message.payload
    if message.kind is Kind.REVERSAL:
        reversal, contact = from_payload_reversal(payload)
    portal = payment_mails.Portal(locale=contact.locale or brand.locale, public_url=public_url)
    match message.kind:
        case Kind.REVERSAL:
            return payment_mails.reversal_mail(message, brand, reversal, contact, portal=portal)
        case Kind.AUTOPAY_ANNOUNCED:
            planned = from_payload_planned(payload)
            return payment_mails.planned_mail(message, brand, planned, contact, portal=portal)
        case Kind.AUTOPAY_FAILED:
            failed = from_payload_failed(payload)
            return payment_mails.failed_mail(message, brand, failed, contact, portal=portal)
        case Kind.CARD_EXPIRING:
            expiring = from_payload_expiring(payload)
            return payment_mails.expiring_mail(message, brand, expiring, contact, portal=portal)
        case Kind.PLAN_OFFERED | Kind.PLAN_ACTIVE | Kind.INSTALMENT_DUE | Kind.PLAN_BROKEN as kind:
            plan = from_payload_plan(kind, payload)
            return plan_mails.MAILS[kind](message, brand, plan, contact, portal=portal)
        case Kind.DISPUTE_OPENED | Kind.DISPUTE_ANSWERED | Kind.DISPUTE_RESOLVED as kind:
            dispute = from_payload_dispute(kind, payload)
            return dispute_mails.dispute_mail(message, brand, dispute, contact, portal=portal)
        case Kind.INVOICE_UPCOMING:
            upcoming = from_payload_upcoming(payload)
            return schedule_mails.upcoming_mail(message, brand, upcoming, contact, portal=portal)
        case Kind.PRICE_CHANGE:
            change = from_payload_price_change(payload)
            return schedule_mails.price_change_mail(message, brand, change, contact, portal=portal)
        case _:
            approval = from_payload_approval(payload)
            return payment_mails.approval_mail(message, brand, approval, contact, portal=portal)


async def _keep(db: Database, before: Message, after: Message) -> Message:
    if after.state is not State.QUEUED:
        after = replace(after, version=before.version + 1)

    async def keep(tx: WriteTx) -> bool:
        kept = await messages.settle_message(tx, after, leased_until=before.leased_until)
        if kept and after.state is not State.QUEUED:
            audit.record(tx, f"message.{after.state.value}", after.message_id, reason=after.last_error)
            announce(tx, after)
        return kept

    if not await db.run_write(after.organization_id, keep):
        _log.warning("the lease was over before the mail was kept", message_id=after.message_id)
    elif after.state is not State.SENT:
        _log.warning(
            "mail not sent",
            message_id=after.message_id,
            state=after.state.value,
            attempts=after.attempts,
            error=after.last_error,
        )
    return after
