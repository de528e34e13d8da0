"""The provider's API: checkouts, charges, the ledger, and the fault switch."""

import hmac
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from devstack.simulator import cards
from devstack.simulator.charging import ChargeOrder, Charging, CheckoutOrder, Terms
from devstack.simulator.faults import Faults, Subject, fault_document, fault_from
from devstack.simulator.settings import Settings
from devstack.simulator.store import Row, Store, charge_document, checkout_document
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import Handler, HttpError, Request, Response, Route, json_response

_DAY_SECONDS = 86_400
_MAX_AMOUNT = 10**15
_LIST_LIMIT = 100
_PAGE_LIMIT = 1000


class Api:
    """Translates between HTTP and the operations; every answer is read back from the store."""

    def __init__(
        self, settings: Settings, store: Store, faults: Faults, charging: Charging, webhooks: Webhooks
    ) -> None:
        self._settings = settings
        self._store = store
        self._faults = faults
        self._charging = charging
        self._webhooks = webhooks

    def routes(self) -> list[Route]:
        guard = self._guarded
        return [
            Route("POST", "/v1/checkouts", guard(self.create_checkout)),
            Route("GET", "/v1/checkouts", guard(self.list_checkouts)),
            Route("GET", "/v1/checkouts/{id}", guard(self.get_checkout)),
            Route("POST", "/v1/checkouts/{id}/cancel", guard(self.cancel_checkout)),
            Route("POST", "/v1/charges", guard(self.create_charge)),
            Route("GET", "/v1/charges", guard(self.list_charges)),
            Route("GET", "/v1/charges/{id}", guard(self.get_charge)),
            Route("GET", "/v1/ledger", guard(self.ledger)),
            Route("POST", "/faults", self.add_fault),
            Route("GET", "/faults", self.list_faults),
            Route("DELETE", "/faults", self.clear_faults),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        expected = f"Bearer {self._settings.secret}".encode()

        async def guarded(request: Request) -> Response:
            given = (request.header("authorization") or "").encode()
            if not hmac.compare_digest(given, expected):
                raise HttpError(401, "unauthenticated", "The API key is missing or wrong.")
            return await handler(request)

        return guarded

    async def _around(self, request: Request, subject: Subject, work: Callable[[], Response]) -> Response:
        return await self._faults.around(request, subject, work, self._webhooks.wait_until_tried)

    async def create_checkout(self, request: Request) -> Response:
        """POST /v1/checkouts"""
        key, body = _idempotency_key(request), await request.json_object()
        order = _checkout_order(body)

        def work() -> Response:
            checkout_id, replayed = self._charging.once(
                "checkouts", key, body, lambda: self._charging.create_checkout(order)
            )
            document = self._checkout(self._charging.checkout(checkout_id))
            return json_response(document, headers=_replayed(replayed))

        return await self._around(request, order.terms.subject("create_checkout"), work)

    async def create_charge(self, request: Request) -> Response:
        """POST /v1/charges"""
        key, body = _idempotency_key(request), await request.json_object()
        order = _charge_order(body)

        def work() -> Response:
            charge_id, replayed = self._charging.once(
                "charges", key, body, lambda: self._charging.create_charge(order)
            )
            return json_response(self._charge(charge_id), headers=_replayed(replayed))

        return await self._around(request, order.terms.subject("create_charge"), work)

    async def get_checkout(self, request: Request) -> Response:
        """GET /v1/checkouts/{id}"""
        return await self._read(
            request, lambda: self._checkout(self._charging.checkout(request.params["id"]))
        )

    async def get_charge(self, request: Request) -> Response:
        """GET /v1/charges/{id}"""
        return await self._read(request, lambda: self._charge(request.params["id"]))

    async def _read(self, request: Request, read: Callable[[], dict[str, Any]]) -> Response:
        document = read()
        subject = Subject("read", document["reference"], document["metadata"])
        return await self._around(request, subject, lambda: json_response(read()))

    async def cancel_checkout(self, request: Request) -> Response:
        """POST /v1/checkouts/{id}/cancel; 409 with the object when it was paid before."""
        checkout_id = request.params["id"]
        document = self._checkout(self._charging.checkout(checkout_id))

        def work() -> Response:
            checkout = self._charging.cancel(checkout_id, "canceled_by_merchant")
            status = 409 if checkout["status"] == "completed" else 200
            return json_response(self._checkout(checkout), status=status)

        subject = Subject("cancel_checkout", document["reference"], document["metadata"])
        return await self._around(request, subject, work)

    async def list_checkouts(self, request: Request) -> Response:
        """GET /v1/checkouts?attempt_id=; newest first."""
        attempt_id = _needed_query(request, "attempt_id")
        subject = Subject("read", metadata={"attempt_id": attempt_id})

        def work() -> Response:
            ids = self._store.all(
                "SELECT id FROM checkouts WHERE attempt_id = :attempt_id ORDER BY seq DESC LIMIT :limit",
                attempt_id=attempt_id,
                limit=_LIST_LIMIT,
            )
            found = [self._checkout(self._charging.checkout(row["id"])) for row in ids]
            return json_response({"checkouts": found})

        return await self._around(request, subject, work)

    async def list_charges(self, request: Request) -> Response:
        """GET /v1/charges?attempt_id=; newest first, cards declined on a hosted page included."""
        attempt_id = _needed_query(request, "attempt_id")
        subject = Subject("read", metadata={"attempt_id": attempt_id})

        def work() -> Response:
            rows = self._store.all(
                "SELECT * FROM charges WHERE attempt_id = :attempt_id ORDER BY seq DESC LIMIT :limit",
                attempt_id=attempt_id,
                limit=_LIST_LIMIT,
            )
            return json_response({"charges": [charge_document(row) for row in rows]})

        return await self._around(request, subject, work)

    async def ledger(self, request: Request) -> Response:
        """GET /v1/ledger: successful charges, oldest first, of one payment or attempt if told."""
        query = request.query
        size = _number(query, "page_size", 100, _PAGE_LIMIT)
        rows = self._store.all(
            "SELECT * FROM charges WHERE status = 'succeeded' AND seq > :after"
            " AND (:attempt_id = '' OR attempt_id = :attempt_id)"
            " AND (:payment_id = '' OR json_extract(metadata, '$.payment_id') = :payment_id)"
            " ORDER BY seq LIMIT :limit",
            after=_number(query, "page_token", 0, 2**62),
            attempt_id=query.get("attempt_id", ""),
            payment_id=query.get("payment_id", ""),
            limit=size + 1,
        )
        token = str(rows[size - 1]["seq"]) if len(rows) > size else ""
        page = [charge_document(row) for row in rows[:size]]
        return json_response({"charges": page, "next_page_token": token})

    async def add_fault(self, request: Request) -> Response:
        """POST /faults"""
        # A JSON body only: another site's form cannot send one, so no page elsewhere can break this one.
        if not (request.header("content-type") or "").startswith("application/json"):
            raise HttpError(415, "not_json", "Send the fault as application/json.")
        fault, times, seconds, match = fault_from(await request.json_object())
        self._faults.add(fault, times=times, seconds=seconds, match=match)
        return json_response(fault_document(self._faults.armed()[-1]), status=201)

    async def list_faults(self, _request: Request) -> Response:
        """GET /faults: those that will still happen."""
        return json_response({"faults": [fault_document(fault) for fault in self._faults.armed()]})

    async def clear_faults(self, _request: Request) -> Response:
        """DELETE /faults"""
        self._faults.clear()
        return json_response({"faults": []})

    def _checkout(self, row: Row) -> dict[str, Any]:
        return checkout_document(self._store, row, self._settings.public_url)

    def _charge(self, charge_id: str) -> dict[str, Any]:
        row = self._store.one("SELECT * FROM charges WHERE id = :id", id=charge_id)
        if row is None:
            raise HttpError(404, "not_found", "There is no such charge.")
        return charge_document(row)


def _replayed(replayed: bool) -> tuple[tuple[str, str], ...]:
    return (("idempotent-replayed", "true"),) if replayed else ()


def _idempotency_key(request: Request) -> str:
    key = request.header("idempotency-key") or ""
    if not 1 <= len(key) <= 255:
        raise HttpError(
            400, "idempotency_key_missing", "Idempotency-Key is required, at most 255 characters."
        )
    return key


def _needed_query(request: Request, name: str) -> str:
    value = request.query.get(name, "")
    if not value:
        raise HttpError(400, "invalid", f"{name} is required.", field=name)
    return value


def _number(query: dict[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdigit() or int(text) > most:
        raise HttpError(400, "invalid", f"{name} must be a whole number up to {most}.", field=name)
    return int(text)


def _checkout_order(body: dict[str, Any]) -> CheckoutOrder:
    return_url = _text(body, "return_url", needed=True, most=2000)
    parts = urlsplit(return_url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise HttpError(400, "invalid", "return_url must be an http address.", field="return_url")
    items = body.get("line_items") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise HttpError(400, "invalid", "line_items must be a list of objects.", field="line_items")
    return CheckoutOrder(
        terms=_terms(body),
        description=_text(body, "description", most=500),
        return_url=return_url,
        merchant_name=_text(body, "merchant_name") or parts.netloc,
        customer_name=_text(body, "customer_name"),
        line_items=[
            {
                "description": _text(item, "description", needed=True),
                "amount_minor_units": _integer(item, "amount_minor_units", least=-_MAX_AMOUNT),
            }
            for item in items[:100]
        ],
        expires_in_seconds=_integer(body, "expires_in_seconds", default=_DAY_SECONDS),
    )


def _charge_order(body: dict[str, Any]) -> ChargeOrder:
    card = cards.by_token(_text(body, "card_token", needed=True))
    if card is None:
        raise HttpError(400, "unknown_card_token", "There is no card with this token.", field="card_token")
    return ChargeOrder(terms=_terms(body), card=card)


def _terms(body: dict[str, Any]) -> Terms:
    return Terms(
        amount_minor_units=_integer(body, "amount_minor_units"),
        currency=_currency(body),
        reference=_text(body, "reference"),
        metadata=_metadata(body),
    )


def _text(body: dict[str, Any], name: str, *, needed: bool = False, most: int = 255) -> str:
    value = body.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str) or len(value) > most or (needed and not value):
        raise HttpError(400, "invalid", f"{name} must be a text of up to {most} characters.", field=name)
    return value


def _integer(body: dict[str, Any], name: str, *, default: int | None = None, least: int = 1) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MAX_AMOUNT:
        raise HttpError(400, "invalid", f"{name} must be a whole number from {least}.", field=name)
    return value


def _currency(body: dict[str, Any]) -> str:
    currency = _text(body, "currency", needed=True)
    if not re.fullmatch("[A-Z]{3}", currency):
        raise HttpError(400, "invalid", "currency must be three capital letters.", field="currency")
    return currency


def _metadata(body: dict[str, Any]) -> dict[str, str]:
    value = body.get("metadata") or {}
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise HttpError(400, "invalid", "metadata must be an object of texts.", field="metadata")
    return value
