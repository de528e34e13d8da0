"""Credit notes and other reductions between messages and domain."""

from collections.abc import Iterable, Mapping, Sequence

from chassis.errors import invalid
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.credit_note import CreditNote, CreditReason, CreditWish, LineWish
from services.invoicing.operations.read_credit_notes import Creditable
from services.invoicing.store.adjustments import MadeAdjustment
from services.invoicing.translate.values import (
    from_proto_decimal,
    from_proto_money,
    to_proto_decimal,
    to_proto_money,
    to_proto_time,
)
from tallyport.invoicing.v1 import adjustments_pb2
from tallyport.invoicing.v1 import credit_notes_pb2 as pb

_REASONS: Mapping[CreditReason, pb.CreditNoteReason.ValueType] = {
    CreditReason.RETURNED: pb.CREDIT_NOTE_REASON_RETURNED,
    CreditReason.NOT_AS_AGREED: pb.CREDIT_NOTE_REASON_NOT_AS_AGREED,
    CreditReason.CORRECTION: pb.CREDIT_NOTE_REASON_CORRECTION,
    CreditReason.DUPLICATE: pb.CREDIT_NOTE_REASON_DUPLICATE,
    CreditReason.GOODWILL: pb.CREDIT_NOTE_REASON_GOODWILL,
    CreditReason.FEE_WAIVED: pb.CREDIT_NOTE_REASON_FEE_WAIVED,
    CreditReason.OTHER: pb.CREDIT_NOTE_REASON_OTHER,
}
_FROM_REASON = {value: key for key, value in _REASONS.items()}
_KINDS: Mapping[AdjustmentKind, adjustments_pb2.InvoiceAdjustmentKind.ValueType] = {
    AdjustmentKind.FORGIVEN_REFUND: adjustments_pb2.INVOICE_ADJUSTMENT_KIND_FORGIVEN_REFUND,
    AdjustmentKind.CREDIT_NOTE: adjustments_pb2.INVOICE_ADJUSTMENT_KIND_CREDIT_NOTE,
    AdjustmentKind.EARLY_DISCOUNT: adjustments_pb2.INVOICE_ADJUSTMENT_KIND_EARLY_DISCOUNT,
    AdjustmentKind.WRITE_OFF: adjustments_pb2.INVOICE_ADJUSTMENT_KIND_WRITE_OFF,
    AdjustmentKind.HARDSHIP_DISCOUNT: adjustments_pb2.INVOICE_ADJUSTMENT_KIND_HARDSHIP_DISCOUNT,
    AdjustmentKind.RECOVERY: adjustments_pb2.INVOICE_ADJUSTMENT_KIND_RECOVERY,
}


def from_proto_reason(code: pb.CreditNoteReason.ValueType) -> CreditReason:
    return _FROM_REASON.get(code, CreditReason.OTHER)


def from_proto_wish(request: pb.CreateCreditNoteRequest | pb.PreviewCreditNoteRequest) -> CreditWish:
    """What is to be credited. VALIDATION_FAILED for lines and an amount at once."""
    if request.lines and request.HasField("amount"):
        raise invalid("amount", "alone", "Give lines or an amount, not both.")
    lines = []
    for at, line in enumerate(request.lines):
        if line.quantity and line.HasField("amount"):
            raise invalid(f"lines[{at}].amount", "alone", "Give a quantity or an amount, not both.")
        lines.append(
            LineWish(
                line.line_no,
                from_proto_decimal(line.quantity, "0") if line.quantity else None,
                from_proto_money(f"lines[{at}].amount", line.amount) if line.HasField("amount") else None,
            )
        )
    amount = from_proto_money("amount", request.amount) if request.HasField("amount") else None
    return CreditWish(invoice_id=request.invoice_id, lines=lines, amount=amount)


def to_proto_credit_note(note: CreditNote) -> pb.CreditNote:
    return pb.CreditNote(
        credit_note_id=note.credit_note_id,
        number=note.number,
        invoice_id=note.invoice_id,
        invoice_number=note.invoice_number,
        customer_id=note.customer_id,
        lines=[
            pb.CreditNoteLine(
                invoice_line_no=line.invoice_line_no or 0,
                description=line.description,
                quantity=to_proto_decimal(line.quantity),
                amount=to_proto_money(line.amount),
            )
            for line in note.lines
        ],
        taxes=[
            pb.CreditNoteTax(
                rate_percent=to_proto_decimal(tax.rate_percent),
                taxable=to_proto_money(tax.taxable),
                tax=to_proto_money(tax.tax),
                name=tax.name,
            )
            for tax in note.taxes
        ],
        subtotal=to_proto_money(note.subtotal),
        tax_total=to_proto_money(note.tax),
        total=to_proto_money(note.total),
        off_due=to_proto_money(note.total - note.to_credit),
        to_credit=to_proto_money(note.to_credit),
        reason_code=_REASONS[note.reason_code],
        reason=note.reason,
        issued_on=note.issued_on.isoformat(),
        created_at=to_proto_time(note.created_at),
    )


def to_proto_credit_note_page(notes: Sequence[CreditNote], token: str) -> pb.ListCreditNotesResponse:
    return pb.ListCreditNotesResponse(
        credit_notes=[to_proto_credit_note(note) for note in notes], next_page_token=token
    )


def to_proto_creditable(found: Creditable) -> pb.ListCreditableLinesResponse:
    return pb.ListCreditableLinesResponse(
        lines=[
            pb.CreditableLine(
                line_no=line_no,
                description=line.description,
                quantity=to_proto_decimal(line.quantity),
                amount=to_proto_money(price),
                creditable=to_proto_money(left),
            )
            for line_no, (line, price, left) in enumerate(
                zip(found.invoice.lines, found.prices, found.left, strict=True), start=1
            )
        ],
        creditable=to_proto_money(found.all_left),
    )


def to_proto_adjustments(
    made: Iterable[MadeAdjustment], *, for_staff: bool
) -> adjustments_pb2.ListInvoiceAdjustmentsResponse:
    """Reasons are for staff only."""
    return adjustments_pb2.ListInvoiceAdjustmentsResponse(
        adjustments=[
            adjustments_pb2.InvoiceAdjustment(
                adjustment_id=one.adjustment.adjustment_id,
                invoice_id=one.adjustment.invoice_id,
                kind=_KINDS[one.adjustment.kind],
                source_id=one.adjustment.source_id,
                amount=to_proto_money(one.adjustment.amount),
                reason=one.adjustment.reason if for_staff else "",
                effective_on=one.adjustment.effective_on.isoformat(),
                created_at=to_proto_time(one.created_at),
            )
            for one in made
        ]
    )
