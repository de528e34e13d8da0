"""What tests of paying ask for, over the till."""

import json
import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from google.protobuf.json_format import Parse

from chassis.caller import Audience, call_scope, service_call
from chassis.errors import ServiceError
from services.payments.domain.outcome import MethodView
from services.payments.operations.start_payment import start_scheduled_payments
from services.payments.store import payment_methods
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import payments_pb2, policies_pb2, policies_pb2_grpc
from tests.service.payments.till import Till, pay_request

SUCCEEDED = payments_pb2.PAYMENT_STATUS_SUCCEEDED
FAILED = payments_pb2.PAYMENT_STATUS_FAILED
CANCELED = payments_pb2.PAYMENT_STATUS_CANCELED
SCHEDULED = payments_pb2.PAYMENT_STATUS_SCHEDULED
REQUIRES_ACTION = payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION
CARD = payments_pb2.PAYMENT_METHOD_TYPE_CARD
CREDIT = payments_pb2.PAYMENT_METHOD_TYPE_CREDIT
BANK_DEBIT = payments_pb2.PAYMENT_METHOD_TYPE_BANK_DEBIT


def usd(units: int) -> money_pb2.Money:
    """So many cents."""
    return money_pb2.Money(minor_units=units, currency="USD")


def rule(method: int = CARD, **more: Any) -> policies_pb2.MethodRule:
    """A rule that allows a method."""
    return policies_pb2.MethodRule(**{"method": method, "allowed": True, **more})


async def set_policy(till: Till, *rules: policies_pb2.MethodRule, **more: Any) -> policies_pb2.PaymentPolicy:
    """Replace the organization's policy; parts and prepayments are allowed if nothing else is said."""
    stub = policies_pb2_grpc.PaymentPoliciesStub(till.channel)
    metadata = till.by(Audience.STAFF, permissions=frozenset({"payments.read", "organization.write"}))
    now = await stub.GetPaymentPolicy(policies_pb2.GetPaymentPolicyRequest(), metadata=metadata)
    values: dict[str, Any] = {"allow_part_payment": True, "allow_prepayment": True, **more}
    policy = policies_pb2.PaymentPolicy(rules=rules or now.rules, version=now.version, **values)
    return await stub.UpdatePaymentPolicy(
        policies_pb2.UpdatePaymentPolicyRequest(policy=policy), metadata=metadata
    )


async def preview(till: Till, metadata: Any = None, **question: Any) -> payments_pb2.PaymentPreview:
    """Ask what a payment would do."""
    request = payments_pb2.PreviewPaymentRequest(**question)
    return await till.payments.PreviewPayment(request, metadata=metadata or till.as_customer())


async def create(
    till: Till, parts: dict[str, int], metadata: Any = None, *, token: str | None = "tok_visa", **more: Any
) -> payments_pb2.Payment:
    """Pay; fields of the request beside the parts in `more` (with token "" none is set)."""
    request = pay_request(parts, token)
    if token == "":
        request.ClearField("card_token")
    request.MergeFrom(payments_pb2.CreatePaymentRequest(**more))
    metadata = metadata or till.as_customer(key=uuid.uuid4().hex)
    return await till.payments.CreatePayment(request, metadata=metadata)


async def confirm(till: Till, shown: payments_pb2.PaymentPreview, **more: Any) -> payments_pb2.Payment:
    """Pay with a card exactly what a preview showed."""
    request = payments_pb2.CreatePaymentRequest(
        parts=shown.parts,
        credit=shown.credit_used,
        prepayment=shown.prepayment,
        expected_amount=shown.amount,
        **more,
    )
    if request.WhichOneof("method") is None:
        request.card_token.token = "tok_visa"
    return await till.payments.CreatePayment(request, metadata=till.as_customer(key=uuid.uuid4().hex))


def shown_anew(refused: pytest.ExceptionInfo[ServiceError]) -> payments_pb2.PaymentPreview:
    """The new preview that came with PREVIEW_CHANGED."""
    assert refused.value.reason == "PREVIEW_CHANGED"
    document = refused.value.metadata["preview"]
    json.loads(document)
    return Parse(document, payments_pb2.PaymentPreview())


async def saved_card(till: Till, token: str = "pm_test", provider: str = "simulator") -> str:
    """A saved card of the customer."""
    view = MethodView(
        method_token=token, customer_token="pcus_1", kind="card", brand="Visa", last_digits="4242",
        expiry_month=12, expiry_year=2039, fingerprint=token,
    )  # fmt: skip
    async with till.db.write(till.organization_id) as tx:
        return await payment_methods.remember(
            tx, view, customer_id="cus_1", provider=provider, accepted_by="Ada"
        )


async def let_days_pass(till: Till, days: int, desk: Any = None) -> None:
    """Let time pass and begin what is due."""
    till.clock.advance(days=days)
    with call_scope(service_call("payments", None, method="start scheduled payments")):
        await start_scheduled_payments(desk or till.desk)


def in_days(till: Till, days: int) -> str:
    """A day from today on, in the zone of an organization that has told none."""
    today: date = till.clock.now().date()
    return (today + timedelta(days=days)).isoformat()
