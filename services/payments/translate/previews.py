"""Previews and requests to pay between messages and domain."""

from chassis.errors import invalid
from services.payments.domain.payment import Method
from services.payments.domain.preview import Preview
from services.payments.domain.wish import Wish, is_card_number
from services.payments.translate.payments import (
    from_proto_day,
    from_proto_method,
    from_proto_money,
    from_proto_parts,
    to_proto_method,
    to_proto_money,
    to_proto_money_or_none,
)
from tallyport.payments.v1 import payments_pb2


def from_proto_wish(request: payments_pb2.CreatePaymentRequest) -> Wish:
    """A request to pay."""
    hosted = request.hosted_page
    token: str | None = None
    method = from_proto_method(hosted.method or payments_pb2.PAYMENT_METHOD_TYPE_CARD)
    if request.HasField("card_token"):
        token = request.card_token.token
    elif request.HasField("wallet_token"):
        token, method = request.wallet_token.token, Method.WALLET
    elif request.HasField("credit_only"):
        method = Method.CREDIT
    if token is not None and is_card_number(token):
        raise invalid(
            f"{request.WhichOneof('method')}.token", "card_number",
            "This is a card's number. Send the token that the card provider's form gave for it.",
        )  # fmt: skip
    return Wish(
        parts=from_proto_parts(request.parts),
        method=method,
        return_url=hosted.return_url or request.saved_method.return_url,
        save=hosted.save,
        card_token=token,
        wallet=request.wallet_token.wallet,
        payment_method_id=request.saved_method.payment_method_id,
        credit=from_proto_money(request.credit, "credit") if request.HasField("credit") else None,
        prepayment=from_proto_money(request.prepayment, "prepayment")
        if request.HasField("prepayment")
        else None,
        expected_amount=(
            from_proto_money(request.expected_amount, "expected_amount")
            if request.HasField("expected_amount")
            else None
        ),
        scheduled_for=from_proto_day(request.scheduled_for, "scheduled_for"),
        customer_id=request.customer_id,
        on_behalf_of=request.on_behalf_of.strip(),
    )


def to_proto_preview(preview: Preview) -> payments_pb2.PaymentPreview:
    """A preview as the contract has it."""
    plan = preview.plan
    return payments_pb2.PaymentPreview(
        parts=[
            payments_pb2.PaymentPart(
                invoice_id=part.invoice_id,
                amount=to_proto_money(part.amount),
                invoice_number=part.invoice_number,
                invoice_version=part.expected_version,
            )
            for part in plan.parts
        ],
        credit_used=to_proto_money(plan.credit_used),
        prepayment=to_proto_money(plan.rest),
        surcharge=to_proto_money(preview.surcharge),
        amount=to_proto_money(preview.amount),
        skipped=[
            payments_pb2.SkippedInvoice(
                invoice_id=one.invoice_id, invoice_number=one.number, reason=one.reason
            )
            for one in plan.skipped
        ],
        methods=[
            payments_pb2.OfferedMethod(
                method=to_proto_method(offer.method),
                surcharge=to_proto_money(offer.surcharge),
                amount=to_proto_money(offer.amount),
                refused=offer.refused,
            )
            for offer in preview.offers
        ],
        min_amount=to_proto_money(preview.min_amount),
        max_amount=to_proto_money_or_none(preview.max_amount),
        credit_available=to_proto_money(plan.credit_available),
    )
