"""Between messages and domain: refunds, chargebacks, and the news of money that goes back."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from chassis.money import Money
from services.payments.domain.chargeback import Chargeback
from services.payments.domain.outcome import DisputeState
from services.payments.domain.payment import Part, Payment
from services.payments.domain.refund import Destination, Refund, RefundLine, RefundStatus
from services.payments.domain.refund_lines import LineWish
from services.payments.domain.refund_request import RefundWish
from services.payments.domain.reversal import ReversalKind, Standing, Taking
from services.payments.translate.payments import (
    from_proto_money,
    to_proto_money,
    to_proto_money_or_none,
    to_proto_time,
)
from tallyport.payments.v1 import chargebacks_pb2, events_pb2, refunds_pb2

_STATUS: Mapping[RefundStatus, "refunds_pb2.RefundStatus.ValueType"] = {
    RefundStatus.SUBMITTING: refunds_pb2.REFUND_STATUS_PROCESSING,
    RefundStatus.UNKNOWN: refunds_pb2.REFUND_STATUS_UNKNOWN,
    RefundStatus.PROCESSING: refunds_pb2.REFUND_STATUS_PROCESSING,
    RefundStatus.SUCCEEDED: refunds_pb2.REFUND_STATUS_SUCCEEDED,
    RefundStatus.FAILED: refunds_pb2.REFUND_STATUS_FAILED,
}
_DESTINATION: Mapping[Destination, "refunds_pb2.RefundDestination.ValueType"] = {
    Destination.METHOD: refunds_pb2.REFUND_DESTINATION_METHOD,
    Destination.CREDIT: refunds_pb2.REFUND_DESTINATION_CREDIT,
    Destination.MANUAL: refunds_pb2.REFUND_DESTINATION_MANUAL,
}
_DESTINATION_OF: Mapping[int, Destination] = {int(number): one for one, number in _DESTINATION.items()}
_DISPUTE: Mapping[DisputeState, "chargebacks_pb2.ChargebackStatus.ValueType"] = {
    DisputeState.OPEN: chargebacks_pb2.CHARGEBACK_STATUS_OPEN,
    DisputeState.UNDER_REVIEW: chargebacks_pb2.CHARGEBACK_STATUS_UNDER_REVIEW,
    DisputeState.WON: chargebacks_pb2.CHARGEBACK_STATUS_WON,
    DisputeState.LOST: chargebacks_pb2.CHARGEBACK_STATUS_LOST,
}
_KIND: Mapping[ReversalKind, "events_pb2.ReversalKind.ValueType"] = {
    ReversalKind.REFUND: events_pb2.REVERSAL_KIND_REFUND,
    ReversalKind.RETURN: events_pb2.REVERSAL_KIND_RETURN,
    ReversalKind.CHARGEBACK: events_pb2.REVERSAL_KIND_CHARGEBACK,
}


def from_proto_wish(request: refunds_pb2.CreateRefundRequest) -> RefundWish:
    """What staff ask for: back to the method and the invoices forgiven, if nothing else is said."""
    return RefundWish(
        payment_id=request.payment_id,
        amount=from_proto_money(request.amount, "amount") if request.HasField("amount") else None,
        parts=tuple(
            Part(part.invoice_id, from_proto_money(part.amount, f"parts[{index}].amount"))
            for index, part in enumerate(request.parts)
        ),
        destination=_DESTINATION_OF.get(request.destination, Destination.METHOD),
        forgives=request.invoice_effect != refunds_pb2.INVOICE_EFFECT_REOPEN,
        reason=request.reason,
    )


def from_proto_line_wishes(request: refunds_pb2.CreateRefundRequest) -> list[LineWish]:
    """The lines that staff name."""
    return [
        LineWish(
            invoice_id=line.invoice_id,
            line_no=line.line_no,
            quantity=Decimal(line.quantity) if line.quantity else None,
            amount=from_proto_money(line.amount, f"lines[{index}].amount")
            if line.HasField("amount")
            else None,
        )
        for index, line in enumerate(request.lines)
    ]


def to_proto_refund(refund: Refund) -> refunds_pb2.Refund:
    """A refund as its callers see it."""
    effect = refunds_pb2.INVOICE_EFFECT_FORGIVE if refund.forgives else refunds_pb2.INVOICE_EFFECT_REOPEN
    return refunds_pb2.Refund(
        refund_id=refund.refund_id,
        payment_id=refund.payment_id,
        customer_id=refund.customer_id,
        amount=to_proto_money(refund.amount),
        surcharge=to_proto_money(refund.surcharge),
        parts=[
            refunds_pb2.RefundPart(
                invoice_id=part.invoice_id,
                amount=to_proto_money(part.amount),
                invoice_number=part.invoice_number,
            )
            for part in refund.parts
        ],
        destination=_DESTINATION[refund.destination],
        invoice_effect=effect,
        status=_STATUS[refund.status],
        reason=refund.reason,
        failure_code=refund.failure_code,
        requested_by=refund.requested_by,
        created_at=to_proto_time(refund.created_at),
        finished_at=to_proto_time(refund.finished_at),
        lines=[_line(line, refund) for line in refund.lines],
    )


def _line(line: RefundLine, refund: Refund) -> refunds_pb2.RefundLine:
    numbers = {part.invoice_id: part.invoice_number for part in refund.parts}
    return refunds_pb2.RefundLine(
        invoice_id=line.invoice_id,
        line_no=line.line_no,
        quantity="" if line.quantity is None else f"{line.quantity.normalize():f}",
        amount=to_proto_money(line.amount),
        description=line.description,
        invoice_number=numbers[line.invoice_id],
    )


def to_proto_chargeback(chargeback: Chargeback) -> chargebacks_pb2.Chargeback:
    """A chargeback as staff see it."""
    return chargebacks_pb2.Chargeback(
        chargeback_id=chargeback.chargeback_id,
        payment_id=chargeback.payment_id,
        customer_id=chargeback.customer_id,
        amount=to_proto_money(chargeback.amount),
        fee=to_proto_money(chargeback.fee),
        reason=chargeback.reason,
        status=_DISPUTE[chargeback.state],
        evidence_due_at=to_proto_time(chargeback.evidence_due_at),
        created_at=to_proto_time(chargeback.opened_at),
        closed_at=to_proto_time(chargeback.closed_at),
        evidence=chargeback.evidence,
    )


def to_reversed(
    payment: Payment, standing: Standing, taking: Taking, *, fee: Money | None
) -> events_pb2.PaymentReversed:
    """The news that money went back. `fee` is what the customer owes for it."""
    refund = standing.refund(taking.cause_id)
    is_unmatch = (
        taking.kind is ReversalKind.RETURN and standing.returned is not None and standing.returned.is_unmatch
    )
    return events_pb2.PaymentReversed(
        payment_id=payment.payment_id,
        customer_id=payment.customer_id,
        reversal_id=taking.reversal_id,
        kind=events_pb2.REVERSAL_KIND_UNMATCHED if is_unmatch else _KIND[taking.kind],
        amount=to_proto_money(taking.amount),
        surcharge=to_proto_money(taking.surcharge),
        parts=_parts(refund.parts if refund is not None else ()),
        forgive=refund is not None and refund.forgives,
        to_credit=refund is not None and not refund.leaves,
        whole=taking.kind is ReversalKind.RETURN,
        fee=to_proto_money_or_none(fee),
        reason=_reason(standing, taking),
        receipt_number=payment.receipt_number,
        notify=not is_unmatch,
    )


def to_reinstated(payment: Payment, standing: Standing, taking: Taking) -> events_pb2.PaymentReinstated:
    """The news that a reversal was taken back."""
    refund = standing.refund(taking.cause_id)
    return events_pb2.PaymentReinstated(
        payment_id=payment.payment_id,
        customer_id=payment.customer_id,
        reversal_id=taking.reversal_id,
        amount=to_proto_money(taking.amount),
        surcharge=to_proto_money(taking.surcharge),
        receipt_number=payment.receipt_number,
        reason=refund.failure_code if refund is not None else taking.kind.value,
    )


def _reason(standing: Standing, taking: Taking) -> str:
    refund = standing.refund(taking.cause_id)
    if refund is not None:
        return refund.reason
    if standing.returned is not None and taking.kind is ReversalKind.RETURN:
        return standing.returned.code
    return next((one.reason for one in standing.chargebacks if one.chargeback_id == taking.cause_id), "")


def _parts(parts: Iterable[Part]) -> list[events_pb2.PaidPart]:
    return [
        events_pb2.PaidPart(invoice_id=part.invoice_id, amount=to_proto_money(part.amount)) for part in parts
    ]
