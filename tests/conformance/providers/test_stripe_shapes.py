"""The Stripe-shaped side and our reading of it, against the types of Stripe's own library (MIT, version as locked).

Without this, a fake and an adapter that agree with each other could both be wrong.
"""

from datetime import date
from typing import Any, cast

import pytest

from services.payments.domain.outcome import Status
from services.payments.providers import stripe_documents as reading
from services.payments.providers import stripe_requests
from services.payments.providers.stripe_amounts import from_stripe
from tests.conformance.providers.stripe_types import CLASSES, problems, typed
from tests.conformance.providers.stripe_world import AUTHORIZED, StripeWorld
from tests.conformance.providers.world import TIMEOUT_SECONDS, Act, Card, Shop, World

pytestmark = pytest.mark.needs("stripe_documents")
PATHS = {
    "balance_transactions": ("data.source",),
    "charges": (),
    "checkout/sessions": tuple(f"data.{path}" for path in (*stripe_requests.SESSION, *stripe_requests.SETUP)),
    "customers": (),
    "disputes": (),
    "mandates": (),
    "payment_intents": tuple(f"data.{path}" for path in stripe_requests.INTENT),
    "payment_methods": (),
    "payouts": (),
    "refunds": (),
    "setup_intents": ("data.mandate", "data.payment_method"),
}


async def documents(world: World, path: str) -> list[dict[str, Any]]:
    """The newest of a kind, expanded as the adapter wants it."""
    query = {"limit": "100"} | {f"expand[{at}]": one for at, one in enumerate(PATHS[path])}
    http = cast("StripeWorld", world).http
    answer = await http.get(f"/stripe/v1/{path}", params=query, headers=AUTHORIZED)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def a_busy_day(world: World, shop: Shop) -> None:
    """Something of everything that Stripe may tell us about."""
    for card in Card:
        await shop.charge(shop.order(card_token=world.card(card), save_method=card is Card.GOOD))
    for kind, act in (
        ("card", Act.PAYS),
        ("bank_debit", Act.BOUNCES),
        ("redirect", Act.PAYS),
        ("card", Act.REFUSES),
    ):
        page = await shop.open_page(shop.order(kind=kind))
        await world.pay_on_page(page.redirect_url, act)
    debit = await shop.open_page(shop.order(kind="bank_debit", currency="EUR"))
    await world.pay_on_page(debit.redirect_url, Act.BOUNCES_2_DAYS_LATER)
    for kind in ("card", "bank_debit"):
        setup = await world.provider.start_setup(shop.setup_order(kind), timeout_seconds=TIMEOUT_SECONDS)
        await world.pay_on_page(setup.redirect_url, Act.PAYS)
    order = shop.order(card_token=world.card(Card.GOOD))
    reference = (await shop.charge(order)).provider_reference
    refund = shop.refund_order(order, 1_000, reference=reference)
    await world.provider.refund(refund, timeout_seconds=TIMEOUT_SECONDS)
    await world.advance(days=12)
    await world.pay_out(shop.organization_id)
    await shop.open_page(shop.order())


def test_what_stripe_does_not_declare_is_found_out() -> None:
    payment = {
        "object": "payment_intent",
        "amount": "100",
        "next_action": {"type": "x", "page": {}},
        "paid": 1,
    }
    assert [problem.split(" ")[0] for problem in problems(payment, CLASSES["payment_intent"], "intent")] == [
        "intent.amount",
        "intent.next_action.page",
        "intent.paid",
    ]
    with pytest.raises(AssertionError, match="declare no page"):
        typed(payment)["next_action"]["page"]


async def test_what_is_told_and_what_is_read_is_what_stripe_declares(world: World, shop: Shop) -> None:
    await a_busy_day(world, shop)
    found = {path: await documents(world, path) for path in PATHS}
    wrong = [
        problem
        for path in PATHS
        for document in found[path]
        for problem in problems(document, CLASSES[document["object"]], document["object"])
    ]
    assert sorted(set(wrong)) == []
    _read(found)
    assert await world.provider.payouts(date(2020, 1, 1), timeout_seconds=TIMEOUT_SECONDS)


def _read(found: dict[str, list[dict[str, Any]]]) -> None:
    """Everything is read through the types: what Stripe does not declare cannot be asked for."""
    disputes = [typed(one) for one in found["disputes"]]
    assert {reading.dispute_of(one).reason for one in disputes} >= {"fraudulent", "insufficient_funds"}
    for intent in (one for one in found["payment_intents"] if "attempt_id" in one["metadata"]):
        outcome = reading.outcome_of_intent(typed(intent), intent["metadata"]["attempt_id"], disputes)
        assert outcome is not None
    statuses = set()
    for session in (one for one in found["checkout/sessions"] if one["client_reference_id"]):
        if session["mode"] == "setup":
            assert reading.setup_of(typed(session))
        elif (
            outcome := reading.outcome_of_session(typed(session), session["client_reference_id"])
        ) is not None:
            statuses.add(outcome.status)
    assert statuses >= {Status.SUCCEEDED, Status.FAILED, Status.REQUIRES_ACTION}
    for method in found["payment_methods"]:
        if method["type"] in reading.KINDS and method["type"] != "paypal":
            assert reading.method_of(typed(method)).method_token
    for setup in found["setup_intents"]:
        mandate = typed(setup["mandate"]) if setup["mandate"] else None
        if setup["payment_method"]:
            assert reading.method_of(typed(setup["payment_method"]), mandate=mandate)
    assert all(reading.refund_of(typed(one)).provider_reference for one in found["refunds"])
    for line in found["balance_transactions"]:
        if line["type"] != "payout":
            assert reading.payout_line_of(typed(line), {}).kind
    for payout in (typed(one) for one in found["payouts"]):
        assert from_stripe(payout["amount"], payout["currency"])
        assert payout["status"]
        assert payout["arrival_date"]
