"""What happened to an invoice, in the order in which it did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from services.gateway.web.languages import date_text, instant_text, money_text
from services.gateway.web.languages import gettext as _
from services.gateway.web.rendering import money_of
from tallyport.invoicing.v1.invoices_pb2 import Allocation, Invoice, InvoiceStatus
from tallyport.notifications.v1.messages_pb2 import Message, MessageState


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of the history. `day` sorts it, `when` is shown, `tone` is good, bad, info or empty."""

    day: str
    when: str
    icon: str
    tone: str
    words: str
    href: str = ""


def invoice_history(
    invoice: Invoice, allocations: Sequence[Allocation], messages: Sequence[Message], zone: str
) -> list[Step]:
    """The oldest first."""
    imported = invoice.HasField("finalized_at") and invoice.created_at.seconds > invoice.finalized_at.seconds
    first = ("upload", _("Imported")) if imported else ("pencil", _("Draft written"))
    steps = [_at(invoice.created_at, zone, first[0], "", first[1])]
    if invoice.HasField("finalized_at"):
        words = _("Finalized as %(number)s") % {"number": invoice.number}
        steps.append(_at(invoice.finalized_at, zone, "invoice", "info", words))
    steps += [_mail(message, zone) for message in messages]
    steps += [_payment(allocation) for allocation in allocations]
    if invoice.HasField("paid_at"):
        steps.append(_at(invoice.paid_at, zone, "check-circle", "good", _("Paid in full")))
    if invoice.status == InvoiceStatus.INVOICE_STATUS_VOID:
        steps.append(Step(day="9999", when="", icon="ban", tone="bad", words=_("Voided")))
    return sorted((step for step in steps if step.day), key=lambda step: step.day)


def _at(moment: Timestamp, zone: str, icon: str, tone: str, words: str) -> Step:
    if not moment.seconds:
        return Step(day="", when="", icon=icon, tone=tone, words=words)
    local = moment.ToDatetime(tzinfo=UTC).astimezone(ZoneInfo(zone))
    return Step(day=_sortable(local), when=instant_text(local, zone), icon=icon, tone=tone, words=words)


def _sortable(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def _mail(message: Message, zone: str) -> Step:
    to = {"address": message.recipient}
    if message.state == MessageState.MESSAGE_STATE_SENT:
        return _at(message.sent_at, zone, "mail", "good", _("Mailed to %(address)s") % to)
    if message.state == MessageState.MESSAGE_STATE_FAILED:
        return _at(message.created_at, zone, "mail", "bad", _("Could not be mailed to %(address)s") % to)
    return _at(message.created_at, zone, "mail", "", _("Waiting to be mailed to %(address)s") % to)


def _payment(allocation: Allocation) -> Step:
    words = _("%(amount)s paid, receipt %(number)s") % {
        "amount": money_text(money_of(allocation.amount)),
        "number": allocation.receipt_number or "–",
    }
    return Step(
        day=f"{allocation.received_on}T23",
        when=date_text(allocation.received_on),
        icon="payments",
        tone="good",
        words=words,
        href=f"/console/payments/{allocation.payment_id}",
    )
