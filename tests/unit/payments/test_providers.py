"""The instant provider, and settings that would be dangerous."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from chassis.money import Money
from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import Status
from services.payments.providers import Order, OrderLine, WebhookRefusedError
from services.payments.providers.instant import DECLINED_TOKEN, Instant
from services.payments.settings import Settings

SUM = Money(5_000, "USD")


def order(attempt_id: str = "att_1", token: str | None = "tok_visa") -> Order:
    return Order(
        organization_id="org_1",
        payment_id="pay_1",
        attempt_id=attempt_id,
        amount=SUM,
        merchant_name="Harbor",
        return_url="https://portal.example/back",
        card_token=token,
        lines=(OrderLine("Invoice 1", SUM),),
    )


def attempt(attempt_id: str = "att_1") -> Attempt:
    return Attempt(
        attempt_id=attempt_id, payment_id="pay_1", provider="instant", state=Status.SUBMITTING, amount=SUM,
        is_hosted=False, created_at=datetime(2026, 11, 21, tzinfo=UTC),
    )  # fmt: skip


async def test_the_instant_provider_charges_an_attempt_once() -> None:
    provider = Instant()
    first = await provider.charge(order(), timeout_seconds=1)
    assert first.status is Status.SUCCEEDED
    assert await provider.charge(order(), timeout_seconds=1) is first
    assert await provider.lookup(attempt(), timeout_seconds=1) is first
    assert await provider.lookup(attempt("att_2"), timeout_seconds=1) is None


async def test_the_instant_provider_declines_and_sends_payers_back() -> None:
    provider = Instant()
    declined = await provider.charge(order(token=DECLINED_TOKEN), timeout_seconds=1)
    assert (declined.status, declined.failure_code) == (Status.FAILED, "card_declined")
    page = await provider.create_checkout(order("att_2", None), timeout_seconds=1)
    assert (page.status, page.redirect_url) == (Status.REQUIRES_ACTION, "https://portal.example/back")
    found = await provider.lookup(attempt("att_2"), timeout_seconds=1)
    assert found is not None
    assert found.status is Status.SUCCEEDED
    with pytest.raises(WebhookRefusedError):
        provider.verify_webhook({}, b"", now=datetime(2026, 11, 21, tzinfo=UTC))


def test_production_refuses_a_provider_that_charges_nobody() -> None:
    assert Settings(provider="instant").provider == "instant"
    with pytest.raises(ValidationError, match="charges nobody"):
        Settings(provider="instant", environment="production", public_url="https://portal.example")
    assert Settings().allows_return_to("https://anywhere.example/")
    assert not Settings(environment="production").allows_return_to("https://anywhere.example/")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://portal.example/payments/1", True),
        ("http://portal.example/payments/1", False),
        ("https://portal.example.evil/payments/1", False),
        ("https://portal.example@evil/payments/1", False),
        ("javascript:alert(1)", False),
        ("//portal.example/", False),
    ],
)
def test_payers_are_sent_back_to_the_portal_only(url: str, allowed: bool) -> None:
    assert Settings(public_url="https://portal.example").allows_return_to(url) is allowed
