"""Saved methods, the pages on which they are saved, and wallets."""

import re
from typing import Any

from devstack.simulator import wallets
from devstack.simulator.api import fields
from devstack.simulator.api.door import Door, subject_of
from devstack.simulator.faults import Subject
from devstack.webkit.asgi import HttpError, Request, Response, Route, json_response

_LIST_LIMIT = 100


class MethodsApi(Door):
    """What is kept for later."""

    def routes(self) -> list[Route]:
        guard = self.guarded
        return [
            Route("POST", "/v1/setups", guard(self.create_setup)),
            Route("GET", "/v1/setups", guard(self.list_setups)),
            Route("GET", "/v1/setups/{id}", guard(self.get_setup)),
            Route("GET", "/v1/methods/{id}", guard(self.get_method)),
            Route("POST", "/v1/methods/{id}/renew", guard(self.renew_card)),
            Route("POST", "/v1/methods/{id}/revoke", guard(self.revoke_mandate)),
            Route("DELETE", "/v1/methods/{id}", guard(self.detach)),
            Route("POST", "/v1/tokens", guard(self.make_wallet_token)),
            Route("GET", "/v1/wallets/apple-pay/domain-association", self.domain_association),
        ]

    async def create_setup(self, request: Request) -> Response:
        """POST /v1/setups"""
        body = await request.json_object()
        order = fields.setup_order(body)
        return await self.create(
            request,
            Subject("create_setup", metadata=order.metadata),
            body,
            kind="setups",
            make=lambda: self.bank.saving.create_setup(order),
            show=self._setup,
        )

    async def list_setups(self, request: Request) -> Response:
        """GET /v1/setups?setup_id=; newest first."""
        setup_id = fields.needed_query(request, "setup_id")
        subject = Subject("read", metadata={"setup_id": setup_id})

        def work() -> Response:
            rows = self.bank.store.all(
                "SELECT * FROM setups WHERE setup_id = :setup_id ORDER BY seq DESC LIMIT :limit",
                setup_id=setup_id,
                limit=_LIST_LIMIT,
            )
            return json_response({"setups": [self.bank.documents.setup(row) for row in rows]})

        return await self.around(request, subject, work)

    async def get_setup(self, request: Request) -> Response:
        """GET /v1/setups/{id}"""
        return await self.read(request, lambda: self._setup(request.params["id"]))

    async def get_method(self, request: Request) -> Response:
        """GET /v1/methods/{id}; 404 once it is detached."""
        return await self.read(request, lambda: self._method(request.params["id"]))

    async def renew_card(self, request: Request) -> Response:
        """POST /v1/methods/{id}/renew {"exp": "04/2040"}: the bank sent a new card."""
        exp = fields.text(await request.json_object(), "exp", needed=True)
        if not re.fullmatch(r"(0[1-9]|1[0-2])/20\d\d", exp, re.ASCII):
            raise HttpError(400, "invalid", "exp must be such as 04/2040.", field="exp")
        method = self.bank.saving.renew_card(request.params["id"], exp=exp)
        return json_response(self.bank.documents.method(method))

    async def revoke_mandate(self, request: Request) -> Response:
        """POST /v1/methods/{id}/revoke: the account holder no longer allows debits."""
        method = self.bank.saving.revoke_mandate(request.params["id"])
        return json_response(self.bank.documents.method(method))

    async def detach(self, request: Request) -> Response:
        """DELETE /v1/methods/{id}"""
        method_id = request.params["id"]
        subject = subject_of("detach_method", self.bank.saving.method(method_id))

        def work() -> Response:
            return json_response(self.bank.documents.method(self.bank.saving.detach(method_id)))

        return await self.around(request, subject, work)

    async def make_wallet_token(self, request: Request) -> Response:
        """POST /v1/tokens {"wallet": "apple_pay", "card": "tok_visa"}: what a wallet hands to a page."""
        body = await request.json_object()
        wallet, card = fields.text(body, "wallet"), fields.text(body, "card") or "tok_visa"
        token = wallets.make_token(self.bank.store, wallet, card)
        return json_response({"token": token, "object": "wallet_token", "wallet": wallet}, status=201)

    async def domain_association(self, _request: Request) -> Response:
        """The file that proves a merchant's domain; public, as the merchant serves it."""
        return Response(wallets.DOMAIN_ASSOCIATION.encode(), content_type="text/plain; charset=utf-8")

    def _setup(self, setup_id: str) -> dict[str, Any]:
        return self.bank.documents.setup(self.bank.saving.setup(setup_id))

    def _method(self, method_id: str) -> dict[str, Any]:
        return self.bank.documents.method(self.bank.saving.method(method_id))
