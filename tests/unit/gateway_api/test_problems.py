"""What the API says when it refuses."""

from google.protobuf.json_format import MessageToJson

from chassis.errors import Kind, ServiceError
from services.gateway.api.codecs import Codecs
from services.gateway.api.problems import problem
from tallyport.common.v1.money_pb2 import Money
from tallyport.payments.v1.payments_pb2 import PaymentPart, PaymentPreview


def test_a_changed_preview_comes_in_the_shape_in_which_previews_are_answered() -> None:
    part = PaymentPart(invoice_id="inv_1", amount=Money(minor_units=5_000, currency="USD"), invoice_version=3)
    preview = PaymentPreview(parts=[part], amount=part.amount, credit_used=Money(currency="USD"))
    error = ServiceError(Kind.ABORTED, "PREVIEW_CHANGED", "Changed.", payment_id="pay_1")
    error.metadata["preview"] = MessageToJson(preview, preserving_proto_field_name=True, indent=None)
    body = problem(error, request_id="r", public_url="https://p.example", instance="/v1/payments")
    assert body["preview"] == Codecs().of(PaymentPreview.DESCRIPTOR).encode(preview)
    assert body["preview"]["amount"] == {"minor_units": 5_000, "currency": "USD"}
    assert body["preview"]["credit_used"]["minor_units"] == 0
    assert body["metadata"] == {"payment_id": "pay_1"}
