"""Reads the fields of requests; 400 names the one that is wrong."""

import re
from typing import Any
from urllib.parse import urlsplit

from devstack.simulator.orders import KINDS, ChargeOrder, CheckoutOrder, RefundOrder, SetupOrder, Terms
from devstack.webkit.asgi import HttpError, Request

_DAY_SECONDS = 86_400
_MAX_AMOUNT = 10**15


def checkout_order(body: dict[str, Any]) -> CheckoutOrder:
    """The body of POST /v1/checkouts."""
    address = return_url(body)
    items = body.get("line_items") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise HttpError(400, "invalid", "line_items must be a list of objects.", field="line_items")
    return CheckoutOrder(
        terms=terms(body),
        kind=one_of(body, "kind", KINDS, default="card"),
        description=text(body, "description", most=500),
        return_url=address,
        merchant_name=text(body, "merchant_name") or urlsplit(address).netloc,
        customer_name=text(body, "customer_name"),
        customer_id=text(body, "customer_id"),
        save_method=flag(body, "save_method"),
        line_items=[
            {
                "description": text(item, "description", needed=True),
                "amount_minor_units": integer(item, "amount_minor_units", least=-_MAX_AMOUNT),
            }
            for item in items[:100]
        ],
        expires_in_seconds=integer(body, "expires_in_seconds", default=_DAY_SECONDS),
    )


def charge_order(body: dict[str, Any]) -> ChargeOrder:
    """The body of POST /v1/charges."""
    method_id = text(body, "method_id")
    return ChargeOrder(
        terms=terms(body),
        card_token=text(body, "card_token", needed=not method_id),
        method_id=method_id,
        customer_id=text(body, "customer_id"),
        save_method=flag(body, "save_method"),
        off_session=flag(body, "off_session"),
        return_url=return_url(body) if body.get("return_url") else "",
        merchant_name=text(body, "merchant_name"),
    )


def refund_order(body: dict[str, Any]) -> RefundOrder:
    """The body of POST /v1/refunds."""
    attempt_id = text(body, "attempt_id")
    return RefundOrder(
        charge_id=text(body, "charge_id", needed=not attempt_id),
        attempt_id=attempt_id,
        amount_minor_units=integer(body, "amount_minor_units"),
        currency=currency(body),
        reason=text(body, "reason"),
        metadata=metadata(body),
    )


def setup_order(body: dict[str, Any]) -> SetupOrder:
    """The body of POST /v1/setups."""
    address = return_url(body)
    return SetupOrder(
        kind=one_of(body, "kind", ("card", "bank_debit"), default="card"),
        customer_id=text(body, "customer_id"),
        merchant_name=text(body, "merchant_name") or urlsplit(address).netloc,
        return_url=address,
        metadata=metadata(body),
        expires_in_seconds=integer(body, "expires_in_seconds", default=_DAY_SECONDS),
    )


def terms(body: dict[str, Any]) -> Terms:
    """Amount, currency and what the merchant says about it."""
    return Terms(
        amount_minor_units=integer(body, "amount_minor_units"),
        currency=currency(body),
        reference=text(body, "reference"),
        metadata=metadata(body),
    )


def return_url(body: dict[str, Any]) -> str:
    """Where a browser is sent afterwards."""
    address = text(body, "return_url", needed=True, most=2000)
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise HttpError(400, "invalid", "return_url must be an http address.", field="return_url")
    return address


def text(body: dict[str, Any], name: str, *, needed: bool = False, most: int = 255) -> str:
    """A text, empty when it is not there."""
    value = body.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str) or len(value) > most or (needed and not value):
        raise HttpError(400, "invalid", f"{name} must be a text of up to {most} characters.", field=name)
    return value


def one_of(body: dict[str, Any], name: str, words: tuple[str, ...], *, default: str) -> str:
    """One of a few words."""
    value = text(body, name) or default
    if value not in words:
        raise HttpError(400, "invalid", f"{name} must be one of {', '.join(words)}.", field=name)
    return value


def flag(body: dict[str, Any], name: str) -> bool:
    """true or false."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise HttpError(400, "invalid", f"{name} must be true or false.", field=name)
    return value


def integer(body: dict[str, Any], name: str, *, default: int | None = None, least: int = 1) -> int:
    """A whole number."""
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MAX_AMOUNT:
        raise HttpError(400, "invalid", f"{name} must be a whole number from {least}.", field=name)
    return value


def currency(body: dict[str, Any]) -> str:
    """Three capital letters."""
    code = text(body, "currency", needed=True)
    if not re.fullmatch("[A-Z]{3}", code):
        raise HttpError(400, "invalid", "currency must be three capital letters.", field="currency")
    return code


def metadata(body: dict[str, Any]) -> dict[str, str]:
    """The merchant's own ids."""
    value = body.get("metadata") or {}
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise HttpError(400, "invalid", "metadata must be an object of texts.", field="metadata")
    return value


def needed_query(request: Request, name: str) -> str:
    """A query parameter that must be there."""
    value = request.query.get(name, "")
    if not value:
        raise HttpError(400, "invalid", f"{name} is required.", field=name)
    return value


def number_query(query: dict[str, str], name: str, default: int, most: int) -> int:
    """A query parameter that is a number."""
    value = query.get(name) or str(default)
    if not value.isdigit() or int(value) > most:
        raise HttpError(400, "invalid", f"{name} must be a whole number up to {most}.", field=name)
    return int(value)
