"""The provider simulator of the dev stack, over its HTTP API."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chassis.money import Money
from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import Outcome, Status
from services.payments.providers import (
    CHECKOUT_EXPIRES_SECONDS,
    Order,
    ProviderSilentError,
    ProviderUnreachableError,
    WebhookEvent,
    WebhookRefusedError,
    standard_webhooks,
)

if TYPE_CHECKING:
    import httpx

MAX_CONNECTIONS = 64
_CHECKOUT_STATUS: Mapping[str, Status] = {
    "open": Status.REQUIRES_ACTION,
    "completed": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "canceled": Status.CANCELED,
}
_CHARGE_STATUS: Mapping[str, Status] = {"succeeded": Status.SUCCEEDED, "failed": Status.FAILED}
_NOT_NOW = frozenset({408, 409, 425, 429})
"""Refusals that say nothing about whether the first try of the same key was carried out."""
_REJECTED: Mapping[str, str] = {"unknown_card_token": "invalid_card_token"}


class Simulator:
    """One client for the process; every call has a time limit."""

    name = "simulator"

    def __init__(self, url: str, secret: str, webhook_secrets: tuple[str, ...]) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self._webhook_keys = [standard_webhooks.decode_secret(secret) for secret in webhook_secrets]
        self._client: httpx.AsyncClient | None = None

    async def create_checkout(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """POST /v1/checkouts"""
        body = _common(order) | {
            "return_url": order.return_url,
            "description": f"{len(order.lines)} invoices"
            if len(order.lines) > 1
            else order.lines[0].description,
            "merchant_name": order.merchant_name[:255],
            "line_items": [
                {"description": line.description, "amount_minor_units": line.amount.minor_units}
                for line in order.lines
            ],
            "expires_in_seconds": CHECKOUT_EXPIRES_SECONDS,
        }
        return await self._create("/v1/checkouts", body, order, timeout_seconds)

    async def charge(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """POST /v1/charges"""
        body = _common(order) | {"card_token": order.card_token}
        return await self._create("/v1/charges", body, order, timeout_seconds)

    async def lookup(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome | None:
        """By the reference if there is one, else by our attempt's id."""
        kind = "checkouts" if attempt.is_hosted else "charges"
        if attempt.provider_reference is not None:
            path, params = f"/v1/{kind}/{attempt.provider_reference}", {}
        else:
            path, params = f"/v1/{kind}", {"attempt_id": attempt.attempt_id}
        status, document = await self._ask("GET", path, timeout_seconds, params=params)
        if status != 200:
            raise ProviderSilentError(f"lookup answered {status}")
        if attempt.provider_reference is None:
            found = document.get(kind)
            if not isinstance(found, list):
                raise ProviderSilentError("lookup answered without a list")
            if not found:
                return None
            document = found[0]
        outcome = _outcome(document, attempt.attempt_id)
        if outcome is None:
            raise ProviderSilentError("lookup answered with something else")
        return outcome

    async def cancel(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome:
        """POST /v1/checkouts/{id}/cancel; 409 says that it was paid before, and carries it."""
        if attempt.provider_reference is None:
            raise ProviderSilentError("the checkout's id is not known yet")
        path = f"/v1/checkouts/{attempt.provider_reference}/cancel"
        status, document = await self._ask("POST", path, timeout_seconds, body={})
        outcome = _outcome(document, attempt.attempt_id) if status in (200, 409) else None
        if outcome is None:
            raise ProviderSilentError(f"cancel answered {status}")
        return outcome

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> WebhookEvent:
        """Standard Webhooks; the body names our ids in `data.metadata`."""
        event_id = standard_webhooks.verify(headers, body, keys=self._webhook_keys, now=now)
        try:
            document = json.loads(body)
            metadata = document["data"]["metadata"]
            return WebhookEvent(
                event_id=event_id,
                type=str(document["type"]),
                organization_id=str(metadata.get("organization_id", "")),
                attempt_id=str(metadata.get("attempt_id", "")),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WebhookRefusedError("WEBHOOK_UNREADABLE", "The webhook's body cannot be read.") from None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _create(self, path: str, body: dict[str, Any], order: Order, timeout_seconds: float) -> Outcome:
        try:
            status, document = await self._ask("POST", path, timeout_seconds, body=body, key=order.attempt_id)
        except ProviderUnreachableError:
            raise
        except ProviderSilentError:
            return Outcome.unknown()
        if 400 <= status < 500 and status not in _NOT_NOW:
            error = document.get("error")
            code = str(error.get("code", "")) if isinstance(error, dict) else ""
            return Outcome.failed(_REJECTED.get(code, "provider_rejected"))
        outcome = _outcome(document, order.attempt_id) if status in (200, 201) else None
        return outcome or Outcome.unknown()

    async def _ask(
        self,
        method: str,
        path: str,
        timeout_seconds: float,
        *,
        params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> tuple[int, dict[str, Any]]:
        import httpx

        headers = {"idempotency-key": key} if key is not None else {}
        try:
            async with asyncio.timeout(timeout_seconds):  # httpx limits each read, not the whole
                answer = await self._http().request(
                    method, path, params=params, json=body, headers=headers, timeout=timeout_seconds
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ProviderUnreachableError(str(error)) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise ProviderSilentError(f"{type(error).__name__}: {error}") from error
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise ProviderSilentError(f"{answer.status_code} without a readable body")
        return answer.status_code, document

    def _http(self) -> "httpx.AsyncClient":
        if self._client is None:
            import httpx

            self._client = httpx.AsyncClient(
                base_url=self._url,
                headers={"authorization": f"Bearer {self._secret}"},
                limits=httpx.Limits(
                    max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS
                ),
                trust_env=False,
                follow_redirects=False,
            )
        return self._client


def _common(order: Order) -> dict[str, Any]:
    return {
        "amount_minor_units": order.amount.minor_units,
        "currency": order.amount.currency,
        "reference": order.payment_id,
        "metadata": {
            "organization_id": order.organization_id,
            "payment_id": order.payment_id,
            "attempt_id": order.attempt_id,
        },
    }


def _outcome(document: Mapping[str, Any], attempt_id: str) -> Outcome | None:
    """A checkout or charge in our words; None if it cannot be one, or not ours."""
    try:
        statuses = _CHECKOUT_STATUS if document["object"] == "checkout" else _CHARGE_STATUS
        status = statuses[document["status"]]
        if document["metadata"].get("attempt_id") != attempt_id:
            return None
        charge = document.get("charge") if document["object"] == "checkout" else document
        return Outcome(
            status=status,
            amount=_amount_of(document, charge),
            provider_reference=str(document["id"]),
            redirect_url=document["url"] if status is Status.REQUIRES_ACTION else "",
            failure_code=(document.get("decline_code") or "card_declined") if status is Status.FAILED else "",
            method_summary=_card(charge),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _amount_of(document: Mapping[str, Any], charge: Mapping[str, Any] | None) -> Money:
    """What was charged, where something was; else what was asked for."""
    source = charge or document
    return Money(source["amount_minor_units"], source["currency"])


def _card(charge: Mapping[str, Any] | None) -> str:
    """Brand and last four digits, for people: Visa 4242."""
    card = (charge or {}).get("card")
    if not card:
        return ""
    brand = {"amex": "American Express"}.get(card["brand"], str(card["brand"]).title())
    return f"{brand} {card['last4']}"
