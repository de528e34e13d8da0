"""One payment is one trace, from the request over every service and NATS to the mail."""

import secrets
import uuid
from typing import Any

import pytest

from tests.support.shop import AMOUNT, Shop
from tests.support.wait import until

pytestmark = pytest.mark.xdist_group("mesh")

SERVICES = {"gateway", "payments", "invoicing", "payments-work", "invoicing-work", "notifications-work"}


async def test_a_payment_is_one_trace_from_the_request_to_the_mail(shop: Shop) -> None:
    request_id = f"trace-{secrets.token_hex(8)}"
    answer = await shop.http.post(
        "/v1/payments",
        json={
            "parts": [
                {
                    "invoice_id": shop.invoices[0],
                    "amount": {"minor_units": AMOUNT, "currency": "USD"},
                }
            ],
            "card_token": {"token": "tok_visa"},
        },
        headers=shop.headers(key=uuid.uuid4().hex) | {"x-request-id": request_id},
    )
    assert answer.json()["status"] == "succeeded"
    assert answer.headers["x-request-id"] == request_id
    trace: dict[str, Any] = {}

    async def whole() -> bool:
        trace.update(await _the_trace(shop, request_id))  # each process sends its spans in its own time
        return (
            bool(trace)
            and set(trace["services"]) >= SERVICES
            and "smtp" in _names(trace)
            and len(_roots(trace)) == 1
        )

    await until(whole, timeout_seconds=30)
    spans = trace["spans"]
    assert trace["root_service"] == "gateway"
    seen = {(span["service"], span["name"]) for span in spans}
    assert ("payments", "provider.charge") in seen
    assert ("payments-work", "publish tallyport.payments.v1.PaymentSucceeded") in seen
    assert ("invoicing-work", "consume tallyport.payments.v1.PaymentSucceeded") in seen
    assert ("invoicing-work", "publish tallyport.invoicing.v1.PaymentApplied") in seen
    assert ("notifications-work", "consume tallyport.invoicing.v1.PaymentApplied") in seen
    assert ("notifications-work", "smtp") in seen
    with_sql = {
        span["service"] for span in spans if "sqlalchemy" in span["scope"] or span["scope"] == "chassis.wire"
    }
    assert {"payments", "invoicing", "invoicing-work", "notifications-work"} <= with_sql


def _names(trace: dict[str, Any]) -> set[str]:
    return {span["name"] for span in trace["spans"]}


def _roots(trace: dict[str, Any]) -> list[str]:
    """Names of spans whose parent is not in the trace."""
    ids = {span["span_id"] for span in trace["spans"]}
    return [span["name"] for span in trace["spans"] if span["parent_span_id"] not in ids]


async def _the_trace(shop: Shop, request_id: str) -> dict[str, Any]:
    """The request's only trace, with its spans."""
    page = shop.stack.tool("traces")
    found = (await shop.http.get(f"{page}/api/traces", params={"request_id": request_id})).json()["traces"]
    if not found:
        return {}
    assert len(found) == 1, "the request left more than one trace"
    trace: dict[str, Any] = (await shop.http.get(f"{page}/api/traces/{found[0]['trace_id']}")).json()
    return trace
