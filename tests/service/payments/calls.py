"""Callers, for operations that a test runs in its own process."""

from contextlib import AbstractContextManager

from chassis.caller import Audience, Call, Caller, call_scope, fingerprint


def as_customer(
    organization_id: str, *, key: str, customer_id: str = "cus_1"
) -> AbstractContextManager[Call]:
    """A customer's call to CreatePayment."""
    caller = Caller(
        audience=Audience.CUSTOMER,
        peer="gateway",
        organization_id=organization_id,
        subject_id="per_1",
        subject_name="Ada",
        customer_id=customer_id,
        permissions=frozenset({"payments.create", "payments.read"}),
    )
    method = "/tallyport.payments.v1.Payments/CreatePayment"
    return call_scope(
        Call(
            caller=caller,
            method=method,
            request_id=f"test-{key}",
            idempotency_key=key,
            fingerprint=fingerprint(method, key.encode()),
        )
    )
