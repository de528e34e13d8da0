"""Our orders as parameters of Stripe's API. The same order always gives the same parameters."""

from typing import Any

from services.payments.providers import Order, RefundOrder, SetupOrder
from services.payments.providers.stripe_amounts import AmountNotChargeableError, to_stripe

INTENT = ("latest_charge", "payment_method")
SESSION = ("payment_intent.latest_charge", "payment_intent.payment_method")
SETUP = ("setup_intent.payment_method", "setup_intent.mandate")
"""What is expanded in answers."""
NOT_CHARGEABLE = (AmountNotChargeableError, KeyError)
"""What making parameters raises when Stripe has no such amount, currency or kind of method."""
_DEBITS = {
    "USD": "us_bank_account",
    "EUR": "sepa_debit",
    "GBP": "bacs_debit",
    "AUD": "au_becs_debit",
    "CAD": "acss_debit",
}
_PAGES = {"card": "card", "wallet": "card", "redirect": "paypal", "stablecoin": "crypto"}
"""Stripe's page for cards offers the wallets that a browser has."""
_MOST_NAME = 250


def checkout(order: Order) -> dict[str, Any]:
    """POST /v1/checkout/sessions, mode payment. Raises one of NOT_CHARGEABLE."""
    intent: dict[str, Any] = {"metadata": metadata(order)}
    currency = order.amount.currency
    page = _DEBITS[currency] if order.kind == "bank_debit" else _PAGES[order.kind]
    params: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": order.attempt_id,
        "metadata": metadata(order),
        "payment_intent_data": intent,
        "payment_method_types": [page],
        "line_items": _line_items(order),
        "success_url": order.return_url,
        "cancel_url": order.return_url,
        "expand": list(SESSION),
    }
    if order.save_method:
        intent["setup_future_usage"] = "off_session"
    if order.customer_token:
        params["customer"] = order.customer_token
    elif order.save_method:
        params["customer_creation"] = "always"
    return params


def charge(order: Order, customer: str) -> dict[str, Any]:
    """POST /v1/payment_intents, confirmed at once. Raises one of NOT_CHARGEABLE."""
    currency = order.amount.currency
    kept = bool(order.method_token)
    by_debit, by_redirect = kept and order.kind == "bank_debit", kept and order.kind == "redirect"
    params: dict[str, Any] = {
        "amount": to_stripe(order.amount),
        "currency": currency.lower(),
        "confirm": True,
        "metadata": metadata(order),
        "payment_method_types": [_DEBITS[currency] if by_debit else "paypal" if by_redirect else "card"],
        "expand": list(INTENT),
    }
    token = order.card_token or ""
    if not order.method_token and token.startswith("tok_"):
        params["payment_method_data"] = {"type": "card", "card": {"token": token}}
    else:
        params["payment_method"] = order.method_token or token
    if customer:
        params["customer"] = customer
    if order.save_method:
        params["setup_future_usage"] = "off_session"
    if order.off_session:
        params["off_session"] = True
    elif order.return_url:
        params["return_url"] = order.return_url
    return params


def refund(order: RefundOrder, intent_id: str) -> dict[str, Any]:
    """POST /v1/refunds. Raises one of NOT_CHARGEABLE."""
    return {
        "payment_intent": intent_id,
        "amount": to_stripe(order.amount),
        "metadata": {
            "organization_id": order.organization_id,
            "attempt_id": order.attempt.attempt_id,
            "refund_id": order.refund_id,
        },
    }


def setup(order: SetupOrder, customer: str) -> dict[str, Any]:
    """POST /v1/checkout/sessions, mode setup."""
    return {
        "mode": "setup",
        "customer": customer,
        "client_reference_id": order.setup_id,
        "metadata": setup_metadata(order),
        "setup_intent_data": {"metadata": setup_metadata(order)},
        "payment_method_types": ["card"] if order.kind == "card" else ["us_bank_account", "sepa_debit"],
        "success_url": order.return_url,
        "cancel_url": order.return_url,
        "expand": list(SETUP),
    }


def metadata(order: Order) -> dict[str, str]:
    """Our ids, kept with everything that a payment makes at Stripe."""
    return {
        "organization_id": order.organization_id,
        "payment_id": order.payment_id,
        "attempt_id": order.attempt_id,
    }


def setup_metadata(order: SetupOrder) -> dict[str, str]:
    """Our ids, kept with a setup."""
    return {"organization_id": order.organization_id, "setup_id": order.setup_id}


def _line_items(order: Order) -> list[dict[str, Any]]:
    """The invoices, if they add up to the charge; else (credit, surcharges) one line for the whole."""
    lines = [(line.description, line.amount) for line in order.lines]
    if sum(amount.minor_units for _, amount in lines) != order.amount.minor_units or any(
        amount.minor_units <= 0 for _, amount in lines
    ):
        lines = [(", ".join(name for name, _ in lines), order.amount)]
    return [
        {
            "quantity": 1,
            "price_data": {
                "currency": order.amount.currency.lower(),
                "unit_amount": to_stripe(amount),
                "product_data": {"name": name[:_MOST_NAME] or order.merchant_name},
            },
        }
        for name, amount in lines
    ]
