"""Reversals as the payments service tells of them."""

from collections.abc import Mapping

from chassis.money import Money
from services.invoicing.domain.reservation import Part
from services.invoicing.domain.reversal import Reversal
from services.invoicing.translate.values import from_proto_money
from tallyport.payments.v1 import events_pb2 as pb

_KIND: Mapping[pb.ReversalKind.ValueType, str] = {
    pb.REVERSAL_KIND_UNSPECIFIED: "refund",
    pb.REVERSAL_KIND_RETURN: "return",
    pb.REVERSAL_KIND_REFUND: "refund",
    pb.REVERSAL_KIND_CHARGEBACK: "chargeback",
    pb.REVERSAL_KIND_UNMATCHED: "unmatched",
}


def from_proto_reversal(message: pb.PaymentReversed) -> Reversal:
    amount = from_proto_money("amount", message.amount)
    return Reversal(
        reversal_id=message.reversal_id,
        payment_id=message.payment_id,
        customer_id=message.customer_id,
        kind=_KIND[message.kind],
        amount=amount,
        surcharge=(
            from_proto_money("surcharge", message.surcharge)
            if message.surcharge.minor_units
            else Money.zero(amount.currency)
        ),
        parts=[Part(part.invoice_id, from_proto_money("parts", part.amount)) for part in message.parts],
        forgive=message.forgive,
        to_credit=message.to_credit,
        whole=message.whole,
        fee=from_proto_money("fee", message.fee) if message.fee.minor_units else None,
        reason=message.reason,
        receipt_number=message.receipt_number,
        notify=message.notify,
    )
