"""E-invoices between messages and domain, and their events."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from chassis import outbox
from chassis.database import WriteTx
from services.invoicing.domain.einvoice_status import (
    ACTION_CODES,
    REASON_CODES,
    Clarification,
    Code,
    EInvoice,
    Status,
    must_be_known,
)
from services.invoicing.translate.values import from_proto_text, to_proto_time
from tallyport.invoicing.v1 import einvoices_pb2 as pb
from tallyport.invoicing.v1 import events_pb2

_CODES: Mapping["pb.EInvoiceCode.ValueType", Code] = {
    pb.E_INVOICE_CODE_ACKNOWLEDGED: Code.ACKNOWLEDGED,
    pb.E_INVOICE_CODE_IN_PROCESS: Code.IN_PROCESS,
    pb.E_INVOICE_CODE_UNDER_QUERY: Code.UNDER_QUERY,
    pb.E_INVOICE_CODE_CONDITIONALLY_ACCEPTED: Code.CONDITIONALLY_ACCEPTED,
    pb.E_INVOICE_CODE_REJECTED: Code.REJECTED,
    pb.E_INVOICE_CODE_ACCEPTED: Code.ACCEPTED,
    pb.E_INVOICE_CODE_PAID: Code.PAID,
}
_TO_CODES = {code: number for number, code in _CODES.items()}
_RECEIVED = frozenset({Code.ACKNOWLEDGED, Code.IN_PROCESS})


def from_proto_report(request: pb.ReportEInvoiceStatusRequest, now: datetime, by_name: str) -> Status:
    """VALIDATION_FAILED for codes that are in no list. What is said to be of later than now is of now."""
    said = request.occurred_at.ToDatetime(UTC) if request.HasField("occurred_at") else now
    reasons = _from_proto_clarifications("reasons", request.reasons)
    actions = _from_proto_clarifications("actions", request.actions)
    must_be_known("reasons", reasons, REASON_CODES)
    must_be_known("actions", actions, ACTION_CODES)
    return Status(
        external_id=from_proto_text("external_id", request.external_id),
        code=_CODES[request.code],
        occurred_at=min(said, now),
        reported_at=now,
        reasons=reasons,
        actions=actions,
        network=from_proto_text("network", request.network),
        recipient=from_proto_text("recipient", request.recipient),
        reported_by_name=by_name,
    )


def to_proto_einvoice(one: EInvoice, statuses: Iterable[Status], *, for_staff: bool) -> pb.EInvoice:
    return pb.EInvoice(
        document_id=one.document_id,
        number=one.number,
        invoice_id=one.invoice_id,
        customer_id=one.customer_id,
        code=_TO_CODES[one.code],
        occurred_at=to_proto_time(one.occurred_at),
        waiting=one.waits,
        statuses=[_to_proto_status(status, for_staff=for_staff) for status in statuses],
        upheld_at=to_proto_time(one.upheld_at),
        upheld_by_name=one.upheld_by_name if for_staff else "",
        uphold_reason=one.uphold_reason if for_staff else "",
    )


def _to_proto_status(status: Status, *, for_staff: bool) -> pb.EInvoiceStatus:
    return pb.EInvoiceStatus(
        external_id=status.external_id if for_staff else "",
        code=_TO_CODES[status.code],
        occurred_at=to_proto_time(status.occurred_at),
        reported_at=to_proto_time(status.reported_at),
        reasons=_to_proto_clarifications(status.reasons),
        actions=_to_proto_clarifications(status.actions),
        network=status.network,
        recipient=status.recipient,
        reported_by_name=status.reported_by_name if for_staff else "",
    )


def _from_proto_clarifications(
    field: str, messages: Iterable[pb.EInvoiceClarification]
) -> tuple[Clarification, ...]:
    return tuple(
        Clarification(one.code, from_proto_text(f"{field}[{at}].text", one.text))
        for at, one in enumerate(messages)
    )


def _to_proto_clarifications(found: Sequence[Clarification]) -> list[pb.EInvoiceClarification]:
    return [pb.EInvoiceClarification(code=one.code, text=one.text) for one in found]


def einvoice_changed(tx: WriteTx, einvoice: EInvoice, status: Status) -> None:
    """The event of news that changed where it stands."""
    news = _news(einvoice, status)
    message: (
        events_pb2.EInvoiceReceived
        | events_pb2.EInvoiceQueried
        | events_pb2.EInvoiceRejected
        | events_pb2.EInvoiceAccepted
    )
    if status.code in _RECEIVED:
        in_process = status.code is Code.IN_PROCESS
        message = events_pb2.EInvoiceReceived(einvoice=news, in_process=in_process)
    elif status.code is Code.UNDER_QUERY:
        message = events_pb2.EInvoiceQueried(einvoice=news)
    elif status.code is Code.REJECTED:
        message = events_pb2.EInvoiceRejected(einvoice=news)
    else:
        message = events_pb2.EInvoiceAccepted(
            einvoice=news,
            conditional=status.code is Code.CONDITIONALLY_ACCEPTED,
            paid=status.code is Code.PAID,
        )
    outbox.append(
        tx, message, aggregate_type="einvoice", aggregate_id=einvoice.einvoice_id,
        aggregate_version=einvoice.event_version,
    )  # fmt: skip


def einvoice_upheld(tx: WriteTx, einvoice: EInvoice, status: Status) -> None:
    """Staff let it stand in spite of `status`."""
    message = events_pb2.EInvoiceUpheld(einvoice=_news(einvoice, status), reason=einvoice.uphold_reason)
    outbox.append(
        tx, message, aggregate_type="einvoice", aggregate_id=einvoice.einvoice_id,
        aggregate_version=einvoice.event_version,
    )  # fmt: skip


def _news(einvoice: EInvoice, status: Status) -> events_pb2.EInvoiceNews:
    return events_pb2.EInvoiceNews(
        einvoice_id=einvoice.einvoice_id,
        document_id=einvoice.document_id,
        number=einvoice.number,
        invoice_id=einvoice.invoice_id,
        customer_id=einvoice.customer_id,
        occurred_at=status.occurred_at.isoformat(),
        network=status.network,
        reasons=status.reason_words(),
    )
