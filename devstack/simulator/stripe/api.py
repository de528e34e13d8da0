"""The addresses of Stripe's API that this side has, and a few of its test helpers."""

import re
from collections.abc import Callable
from typing import Any

from devstack.simulator.faults import Subject
from devstack.simulator.stripe.balance import Balance
from devstack.simulator.stripe.disputes import Disputes
from devstack.simulator.stripe.door import Door, Params, form_of, moments, query_of, text, texts, tree, whole
from devstack.simulator.stripe.errors import StripeError
from devstack.simulator.stripe.ground import Ground, subject_of
from devstack.simulator.stripe.intents import Intents
from devstack.simulator.stripe.methods import Methods
from devstack.simulator.stripe.objects import Thing
from devstack.simulator.stripe.refunds import Refunds
from devstack.simulator.stripe.sessions import Sessions
from devstack.webkit.asgi import Handler, Request, Response, Route

_READ = {
    "payment_intents": "payment_intent",
    "payment_methods": "payment_method",
    "customers": "customer",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
    "mandates": "mandate",
    "setup_intents": "setup_intent",
    "payouts": "payout",
    "balance_transactions": "balance_transaction",
    "checkout/sessions": "checkout.session",
}
_FILTERS = {
    "payment_methods": "customer",
    "charges": "payment_intent",
    "refunds": "payment_intent",
    "disputes": "payment_intent",
    "setup_intents": "payment_method",
    "balance_transactions": "payout",
}
"""What a list can be narrowed by, besides `created`."""


class Api(Door):
    """Parameters are read strictly: what is missing or unknown to it is a 400 in Stripe's words."""

    def __init__(self, ground: Ground, secret: str) -> None:
        super().__init__(ground, secret)
        self.methods = Methods(ground)
        self.balance = Balance(ground)
        self.intents = Intents(ground, self.methods, self.balance)
        self.sessions = Sessions(ground, self.methods, self.intents)
        self.refunds = Refunds(ground, self.methods, self.balance)
        self.disputes = Disputes(ground, self.methods, self.balance)

    def routes(self) -> list[Route]:
        """Everything under /stripe/v1."""
        posts: dict[str, Handler] = {
            "customers": self.create_customer,
            "payment_methods/{id}/attach": self.attach,
            "payment_methods/{id}/detach": self.detach,
            "payment_intents": self.create_intent,
            "payment_intents/{id}/cancel": self.cancel_intent,
            "checkout/sessions": self.create_session,
            "checkout/sessions/{id}/expire": self.expire_session,
            "refunds": self.create_refund,
            "disputes/{id}": self.update_dispute,
            "disputes/{id}/close": self.close_dispute,
            "test_helpers/disputes": self.open_dispute,
            "test_helpers/disputes/{id}/decide": self.decide_dispute,
            "test_helpers/refunds/{id}/fail": self.fail_refund,
            "test_helpers/payment_methods/{id}/revoke_mandate": self.revoke_mandate,
            "test_helpers/payouts": self.pay_out,
        }
        gets: dict[str, Handler] = {"charges/search": self.search_charges}
        for path, kind in _READ.items():
            gets[path] = self._lister(path, kind)
            gets[f"{path}/{{id}}"] = self._reader(kind)
        return [
            *(Route("POST", f"/stripe/v1/{path}", self.guarded(do)) for path, do in posts.items()),
            *(Route("GET", f"/stripe/v1/{path}", self.guarded(do)) for path, do in gets.items()),
        ]

    def _reader(self, kind: str) -> Handler:
        async def show(request: Request) -> Response:
            return await self.read(request, lambda: self.ground.objects.get(kind, request.params["id"]))

        return show

    def _lister(self, path: str, kind: str) -> Handler:
        async def show(request: Request) -> Response:
            params = query_of(request)
            parent = text(params, _FILTERS[path]) or None if path in _FILTERS else None
            found = self.ground.objects.of(kind, parent, created=moments(params, "created"))
            if kind == "payment_intent" and (customer := text(params, "customer")):
                found = [intent for intent in found if intent["customer"] == customer]
            if kind == "payout":
                since = moments(params, "arrival_date").get("gte", 0)
                found = [payout for payout in found if payout["arrival_date"] >= since]
            return self.listed(request, found)

        return show

    async def search_charges(self, request: Request) -> Response:
        """GET /v1/charges/search?query=metadata['attempt_id']:'...'"""
        query = text(query_of(request), "query", needed=True)
        match = re.fullmatch(r"metadata\['attempt_id'\]:'([^']+)'", query)
        if match is None:
            raise StripeError("We were unable to parse your search query.", param="query")
        return self.listed(request, self.ground.objects.of_attempt("charge", match[1]))

    async def create_customer(self, request: Request) -> Response:
        """POST /v1/customers"""
        params = await form_of(request)
        metadata = tree(params, "metadata")
        return await self.change(
            request,
            Subject("create_customer", "", metadata),
            params,
            lambda: self.methods.create_customer(metadata, text(params, "name"), text(params, "email")),
        )

    async def attach(self, request: Request) -> Response:
        """POST /v1/payment_methods/{id}/attach"""
        params = await form_of(request)
        customer = text(params, "customer", needed=True)
        return await self._on(
            request, params, "attach_method", lambda id_: self.methods.attach(id_, customer)
        )

    async def detach(self, request: Request) -> Response:
        """POST /v1/payment_methods/{id}/detach"""
        return await self._on(request, await form_of(request), "detach_method", self.methods.detach)

    async def create_intent(self, request: Request) -> Response:
        """POST /v1/payment_intents"""
        params = await form_of(request)
        metadata = tree(params, "metadata")
        subject = Subject("create_charge", metadata.get("payment_id", ""), metadata)
        return await self.change(request, subject, params, lambda: self._create_intent(params, metadata))

    def _create_intent(self, params: Params, metadata: dict[str, str]) -> Thing:
        customer = text(params, "customer") or None
        if customer is not None:
            self.ground.objects.get("customer", customer, param="customer", status=400)
        if (
            text(params, "confirm") == "true"
            and text(params, "off_session") == "true"
            and params.get("return_url")
        ):
            raise StripeError("You cannot set `return_url` with `off_session`.", param="off_session")
        values = {
            "amount": whole(params, "amount"),
            "currency": text(params, "currency", needed=True),
            "customer": customer,
            "metadata": metadata,
            "setup_future_usage": text(params, "setup_future_usage") or None,
            "types": texts(params, "payment_method_types"),
        }
        method = self._method_of(params, customer)
        intent = self.intents.create(values)
        if text(params, "confirm") != "true":
            return intent
        if method is None:
            raise StripeError(
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
            )
        off_session = text(params, "off_session") == "true"
        return self.intents.confirm(
            intent, method, off_session=off_session, return_url=text(params, "return_url")
        )

    def _method_of(self, params: Params, customer: str | None) -> Thing | None:
        if name := text(params, "payment_method"):
            return self.methods.to_charge(name, customer)
        if data := tree(params, "payment_method_data"):
            return self.methods.from_token(text(tree(data, "card"), "token", needed=True))
        return None

    async def cancel_intent(self, request: Request) -> Response:
        """POST /v1/payment_intents/{id}/cancel"""
        get = self.ground.objects.get
        return await self._on(
            request,
            await form_of(request),
            "cancel_charge",
            lambda id_: self.intents.cancel(get("payment_intent", id_)),
        )

    async def create_session(self, request: Request) -> Response:
        """POST /v1/checkout/sessions"""
        params = await form_of(request)
        metadata = tree(params, "metadata")
        operation = "create_setup" if text(params, "mode") == "setup" else "create_checkout"
        subject = Subject(operation, metadata.get("payment_id", ""), metadata)
        return await self.change(request, subject, params, lambda: self._create_session(params, metadata))

    def _create_session(self, params: Params, metadata: dict[str, str]) -> Thing:
        mode = text(params, "mode", needed=True)
        if mode not in ("payment", "setup"):
            raise StripeError("Only payment and setup are possible here.", param="mode")
        data = tree(params, "setup_intent_data" if mode == "setup" else "payment_intent_data")
        lines = _lines(params) if mode == "payment" else []
        values: dict[str, Any] = {
            "mode": mode,
            "amount_total": sum(line["amount"] for line in lines) if lines else None,
            "amount_subtotal": sum(line["amount"] for line in lines) if lines else None,
            "currency": lines[0]["currency"] if lines else None,
            "client_reference_id": text(params, "client_reference_id") or None,
            "customer": text(params, "customer") or None,
            "customer_creation": text(params, "customer_creation") or "if_required",
            "metadata": metadata,
            "payment_method_types": texts(params, "payment_method_types") or ["card"],
            "success_url": text(params, "success_url", needed=True),
            "cancel_url": text(params, "cancel_url") or None,
        }
        inside = {
            "intent_metadata": tree(data, "metadata"),
            "setup_future_usage": text(data, "setup_future_usage") or None,
            "lines": lines,
        }
        return self.sessions.create(values, inside)

    async def expire_session(self, request: Request) -> Response:
        """POST /v1/checkout/sessions/{id}/expire"""
        return await self._on(request, await form_of(request), "cancel_checkout", self.sessions.expire)

    async def create_refund(self, request: Request) -> Response:
        """POST /v1/refunds"""
        params = await form_of(request)
        metadata = tree(params, "metadata")
        amount = whole(params, "amount") if "amount" in params else None
        return await self.change(
            request,
            Subject("create_refund", metadata.get("payment_id", ""), metadata),
            params,
            lambda: self.refunds.create(
                text(params, "payment_intent", needed=True), amount, metadata, text(params, "reason")
            ),
        )

    async def update_dispute(self, request: Request) -> Response:
        """POST /v1/disputes/{id}"""
        params = await form_of(request)
        submit = text(params, "submit") == "true"
        return await self._on(
            request,
            params,
            "answer_dispute",
            lambda id_: self.disputes.update(id_, tree(params, "evidence"), submit=submit),
        )

    async def close_dispute(self, request: Request) -> Response:
        """POST /v1/disputes/{id}/close"""
        return await self._on(request, await form_of(request), "answer_dispute", self.disputes.close)

    async def open_dispute(self, request: Request) -> Response:
        """POST /v1/test_helpers/disputes: attempt_id, reason?; a debit comes back, a card is charged back."""
        params = await form_of(request)
        intents = self.ground.objects.of_attempt("payment_intent", text(params, "attempt_id", needed=True))
        reason = text(params, "reason") or "fraudulent"
        if not intents:
            raise StripeError("No such payment.", status=404, param="attempt_id")
        return await self.change(
            request,
            subject_of("open_dispute", intents[0]),
            params,
            lambda: self.disputes.open(intents[0], reason),
        )

    async def decide_dispute(self, request: Request) -> Response:
        """POST /v1/test_helpers/disputes/{id}/decide"""
        return await self._on(request, await form_of(request), "decide_dispute", self.disputes.decide_now)

    async def fail_refund(self, request: Request) -> Response:
        """POST /v1/test_helpers/refunds/{id}/fail"""

        def fail(refund_id: str) -> Thing:
            self.refunds.fail(refund_id)
            return self.ground.objects.get("refund", refund_id)

        return await self._on(request, await form_of(request), "fail_refund", fail)

    async def revoke_mandate(self, request: Request) -> Response:
        """POST /v1/test_helpers/payment_methods/{id}/revoke_mandate"""

        def revoke(method_id: str) -> Thing:
            self.methods.revoke_mandate(method_id)
            return self.ground.objects.get("payment_method", method_id)

        return await self._on(request, await form_of(request), "revoke_mandate", revoke)

    async def pay_out(self, request: Request) -> Response:
        """POST /v1/test_helpers/payouts: what is there goes to the bank now."""
        return self.listed(request, self.balance.pay_out())

    async def _on(
        self, request: Request, params: Params, operation: str, work: Callable[[str], Thing]
    ) -> Response:
        """Change one object that is there."""
        object_id = request.params["id"]
        found = self.ground.objects.find(object_id)
        subject = subject_of(operation, found) if found is not None else Subject(operation)
        return await self.change(request, subject, params, lambda: work(object_id))


def _lines(params: Params) -> list[dict[str, Any]]:
    """What is bought, with the amount of each line."""
    found = []
    for item in params.get("line_items") or []:
        price = tree(item, "price_data")
        found.append(
            {
                "description": text(tree(price, "product_data"), "name", needed=True),
                "amount": whole(price, "unit_amount") * whole(item, "quantity", 1),
                "currency": text(price, "currency", needed=True),
            }
        )
    if not found:
        raise StripeError(
            "`line_items` is required in payment mode.", code="parameter_missing", param="line_items"
        )
    return found
