"""The provider simulator of the dev stack, over its HTTP API."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from chassis.caller import current_call_or_none
from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import DisputeView, MethodView, Outcome
from services.payments.providers import (
    CHECKOUT_EXPIRES_SECONDS,
    Order,
    PayoutView,
    ProviderSilentError,
    ProviderUnreachableError,
    RefundOrder,
    RefundOutcome,
    RefundState,
    SetupOrder,
    SetupOutcome,
    SetupState,
    WebhookEvent,
    WebhookRefusedError,
    standard_webhooks,
)
from services.payments.providers.simulator_documents import (
    UNREADABLE,
    dispute_of,
    method_of,
    outcome_of,
    payout_of,
    refund_of,
    setup_of,
)

if TYPE_CHECKING:
    import httpx

MAX_CONNECTIONS = 64
_NOT_NOW = frozenset({408, 409, 425, 429})
"""Refusals that say nothing about whether the first try of the same key was carried out."""
_REJECTED: Mapping[str, str] = {
    "unknown_card_token": "invalid_card_token",
    "unknown_method": "payment_method_gone",
    "refund_too_large": "refund_too_large",
    "charge_not_refundable": "charge_not_refundable",
    "charge_disputed": "charge_disputed",
    "currency_mismatch": "currency_mismatch",
}
"""The simulator's error codes that mean more to us than `provider_rejected`."""


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
        if order.kind != "card":
            body["kind"] = order.kind
        return await self._charge("/v1/checkouts", body, order, timeout_seconds)

    async def charge(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """POST /v1/charges"""
        body = _common(order)
        if order.method_token:
            body["method_id"] = order.method_token
        else:
            body["card_token"] = order.card_token
        if order.return_url and not order.off_session:
            body["return_url"] = order.return_url
            body["merchant_name"] = order.merchant_name[:255]
        if order.off_session:
            body["off_session"] = True
        return await self._charge("/v1/charges", body, order, timeout_seconds)

    async def lookup(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome | None:
        """By the reference if there is one, else by our attempt's id."""
        kind = _kind(attempt)
        document: dict[str, Any] | None
        if attempt.provider_reference is not None:
            document = await self._get(f"/v1/{kind}/{attempt.provider_reference}", timeout_seconds)
        else:
            document = await self._find(kind, {"attempt_id": attempt.attempt_id}, timeout_seconds)
        if document is None:
            return None
        outcome = outcome_of(document, attempt.attempt_id)
        if outcome is None:
            raise ProviderSilentError("lookup answered with something else")
        return outcome

    async def cancel(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome:
        """POST .../{id}/cancel; 409 says that it was paid before, and carries it."""
        if attempt.provider_reference is None:
            raise ProviderSilentError("the checkout's id is not known yet")
        path = f"/v1/{_kind(attempt)}/{attempt.provider_reference}/cancel"
        status, document = await self._ask("POST", path, timeout_seconds, body={})
        outcome = outcome_of(document, attempt.attempt_id) if status in (200, 409) else None
        if outcome is None:
            raise ProviderSilentError(f"cancel answered {status}")
        return outcome

    async def refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome:
        """POST /v1/refunds"""
        body = {
            "attempt_id": order.attempt.attempt_id,
            "amount_minor_units": order.amount.minor_units,
            "currency": order.amount.currency,
            "reason": order.reason[:255],
            "metadata": {"organization_id": order.organization_id, "refund_id": order.refund_id},
        }
        answer = await self._create("/v1/refunds", body, order.refund_id, timeout_seconds)
        if isinstance(answer, str):
            return RefundOutcome(state=RefundState.FAILED, failure_code=answer)
        outcome = None if answer is None else refund_of(answer, order.refund_id)
        return outcome or RefundOutcome(state=RefundState.UNKNOWN)

    async def lookup_refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome | None:
        """GET /v1/refunds?refund_id="""
        document = await self._find("refunds", {"refund_id": order.refund_id}, timeout_seconds)
        if document is None:
            return None
        outcome = refund_of(document, order.refund_id)
        if outcome is None:
            raise ProviderSilentError("lookup answered with something else")
        return outcome

    async def start_setup(self, order: SetupOrder, *, timeout_seconds: float) -> SetupOutcome:
        """POST /v1/setups"""
        body = {
            "kind": order.kind,
            "customer_id": order.customer_token,
            "merchant_name": order.merchant_name[:255],
            "return_url": order.return_url,
            "expires_in_seconds": CHECKOUT_EXPIRES_SECONDS,
            "metadata": {"organization_id": order.organization_id, "setup_id": order.setup_id},
        }
        answer = await self._create("/v1/setups", body, order.setup_id, timeout_seconds)
        if isinstance(answer, str):
            return SetupOutcome(state=SetupState.FAILED, failure_code=answer)
        outcome = None if answer is None else setup_of(answer, order.setup_id)
        return outcome or SetupOutcome(state=SetupState.UNKNOWN)

    async def lookup_setup(self, setup_id: str, *, timeout_seconds: float) -> SetupOutcome | None:
        """GET /v1/setups?setup_id="""
        document = await self._find("setups", {"setup_id": setup_id}, timeout_seconds)
        if document is None:
            return None
        outcome = setup_of(document, setup_id)
        if outcome is None:
            raise ProviderSilentError("lookup answered with something else")
        return outcome

    async def lookup_method(self, method_token: str, *, timeout_seconds: float) -> MethodView | None:
        """GET /v1/methods/{id}; 404 says that it is gone."""
        status, document = await self._ask("GET", f"/v1/methods/{method_token}", timeout_seconds)
        if status == 404:
            return None
        try:
            return method_of(_good(status, document))
        except UNREADABLE as error:
            raise ProviderSilentError("lookup answered with something else") from error

    async def detach(self, method_token: str, *, timeout_seconds: float) -> None:
        """DELETE /v1/methods/{id}"""
        status, _ = await self._ask("DELETE", f"/v1/methods/{method_token}", timeout_seconds)
        if status not in (200, 404):
            raise ProviderSilentError(f"detach answered {status}")

    async def submit_evidence(
        self, dispute_reference: str, evidence: str, *, timeout_seconds: float
    ) -> DisputeView:
        """POST /v1/disputes/{id}/evidence"""
        body = {"text": evidence}
        return await self._dispute(f"/v1/disputes/{dispute_reference}/evidence", body, timeout_seconds)

    async def accept_dispute(self, dispute_reference: str, *, timeout_seconds: float) -> DisputeView:
        """POST /v1/disputes/{id}/accept"""
        return await self._dispute(f"/v1/disputes/{dispute_reference}/accept", {}, timeout_seconds)

    async def payouts(self, since: date, *, timeout_seconds: float) -> Sequence[PayoutView]:
        """GET /v1/payouts?since=, page by page."""
        found: list[PayoutView] = []
        token = ""
        while True:
            params = {"since": since.isoformat(), "page_token": token}
            document = await self._get("/v1/payouts", timeout_seconds, params=params)
            try:
                found += [payout_of(payout) for payout in document["payouts"]]
                token = document["next_page_token"]
            except UNREADABLE as error:
                raise ProviderSilentError("payouts answered with something else") from error
            if not token:
                return found

    async def go_to(self, organization_id: str, moment: datetime, *, timeout_seconds: float) -> int:
        """POST /v1/clocks/{organization}; it answers when its webhooks were delivered."""
        path, body = f"/v1/clocks/{organization_id}", {"now": moment.isoformat()}
        document = _good(*await self._ask("POST", path, timeout_seconds, body=body))
        if not document.get("webhooks_sent"):
            raise ProviderSilentError("webhooks are still on their way")
        return int(document.get("steps", 0))

    async def next_due_at(self, organization_id: str, *, timeout_seconds: float) -> datetime | None:
        """GET /v1/clocks/{organization}"""
        due_at = (await self._get(f"/v1/clocks/{organization_id}", timeout_seconds)).get("next_due_at")
        return datetime.fromisoformat(due_at) if isinstance(due_at, str) else None

    async def let_go(self, organization_id: str, *, timeout_seconds: float) -> None:
        """DELETE /v1/clocks/{organization}"""
        _good(*await self._ask("DELETE", f"/v1/clocks/{organization_id}", timeout_seconds))

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
                refund_id=str(metadata.get("refund_id", "")),
                setup_id=str(metadata.get("setup_id", "")),
            )
        except UNREADABLE:
            raise WebhookRefusedError("WEBHOOK_UNREADABLE", "The webhook's body cannot be read.") from None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _charge(self, path: str, body: dict[str, Any], order: Order, timeout_seconds: float) -> Outcome:
        answer = await self._create(path, body, order.attempt_id, timeout_seconds)
        if isinstance(answer, str):
            return Outcome.failed(answer)
        outcome = None if answer is None else outcome_of(answer, order.attempt_id)
        return outcome or Outcome.unknown()

    async def _dispute(self, path: str, body: dict[str, Any], timeout_seconds: float) -> DisputeView:
        """409 says that it was decided before, and carries it."""
        status, document = await self._ask("POST", path, timeout_seconds, body=body)
        if status not in (200, 409):
            raise ProviderSilentError(f"{path} answered {status}")
        try:
            return dispute_of(document)
        except UNREADABLE as error:
            raise ProviderSilentError("the answer is not a dispute") from error

    async def _create(
        self, path: str, body: dict[str, Any], key: str, timeout_seconds: float
    ) -> dict[str, Any] | str | None:
        """The object that was made; the code of a clear refusal; None when nothing is certain."""
        try:
            status, document = await self._ask("POST", path, timeout_seconds, body=body, key=key)
        except ProviderUnreachableError:
            raise
        except ProviderSilentError:
            return None
        if 400 <= status < 500 and status not in _NOT_NOW:
            error = document.get("error")
            code = str(error.get("code", "")) if isinstance(error, dict) else ""
            return _REJECTED.get(code, "provider_rejected")
        return document if status in (200, 201) else None

    async def _get(
        self, path: str, timeout_seconds: float, *, params: dict[str, str] | None = None
    ) -> dict[str, Any]:
        return _good(*await self._ask("GET", path, timeout_seconds, params=params))

    async def _find(self, kind: str, params: dict[str, str], timeout_seconds: float) -> dict[str, Any] | None:
        """The newest object of ours; None if there is none."""
        document = await self._get(f"/v1/{kind}", timeout_seconds, params=params)
        found = document.get(kind)
        if not isinstance(found, list):
            raise ProviderSilentError("lookup answered without a list")
        return found[0] if found else None

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
        call = current_call_or_none()
        if call is not None and call.caller.organization_id is not None:
            headers["simulator-account"] = call.caller.organization_id
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


def _kind(attempt: Attempt) -> str:
    """Where the attempt is found: its reference says so, else how it was begun."""
    if attempt.provider_reference is not None:
        return "checkouts" if attempt.provider_reference.startswith("co_") else "charges"
    return "checkouts" if attempt.is_hosted else "charges"


def _good(status: int, document: dict[str, Any]) -> dict[str, Any]:
    if status != 200:
        raise ProviderSilentError(f"lookup answered {status}")
    return document


def _common(order: Order) -> dict[str, Any]:
    """What every request for money says. Empty settings stay out, so that a body never changes by an update."""
    body: dict[str, Any] = {
        "amount_minor_units": order.amount.minor_units,
        "currency": order.amount.currency,
        "reference": order.payment_id,
        "metadata": {
            "organization_id": order.organization_id,
            "payment_id": order.payment_id,
            "attempt_id": order.attempt_id,
        },
    }
    if order.customer_token:
        body["customer_id"] = order.customer_token
    if order.save_method:
        body["save_method"] = True
    return body
