"""Checkouts, charges and the ledger of what was charged."""

from typing import Any

from devstack.simulator.api import fields
from devstack.simulator.api.door import Door, subject_of
from devstack.simulator.faults import Subject
from devstack.webkit.asgi import Request, Response, Route, json_response

_LIST_LIMIT = 100
_PAGE_LIMIT = 1000


class PaymentsApi(Door):
    """Money in."""

    def routes(self) -> list[Route]:
        guard = self.guarded
        return [
            Route("POST", "/v1/checkouts", guard(self.create_checkout)),
            Route("GET", "/v1/checkouts", guard(self.list_checkouts)),
            Route("GET", "/v1/checkouts/{id}", guard(self.get_checkout)),
            Route("POST", "/v1/checkouts/{id}/cancel", guard(self.cancel_checkout)),
            Route("POST", "/v1/checkouts/{id}/coins", guard(self.receive_coins)),
            Route("POST", "/v1/charges", guard(self.create_charge)),
            Route("GET", "/v1/charges", guard(self.list_charges)),
            Route("GET", "/v1/charges/{id}", guard(self.get_charge)),
            Route("POST", "/v1/charges/{id}/cancel", guard(self.cancel_charge)),
            Route("POST", "/v1/charges/{id}/settle", guard(self.settle_charge)),
            Route("POST", "/v1/charges/{id}/return", guard(self.return_charge)),
            Route("GET", "/v1/ledger", guard(self.ledger)),
        ]

    async def create_checkout(self, request: Request) -> Response:
        """POST /v1/checkouts"""
        body = await request.json_object()
        order = fields.checkout_order(body)
        return await self.create(
            request,
            order.terms.subject("create_checkout"),
            body,
            kind="checkouts",
            make=lambda: self.bank.checkouts.create(order),
            show=self._checkout,
        )

    async def create_charge(self, request: Request) -> Response:
        """POST /v1/charges"""
        body = await request.json_object()
        order = fields.charge_order(body)
        return await self.create(
            request,
            order.terms.subject("create_charge"),
            body,
            kind="charges",
            make=lambda: self.bank.charging.create_charge(order),
            show=self._charge,
        )

    async def get_checkout(self, request: Request) -> Response:
        """GET /v1/checkouts/{id}"""
        return await self.read(request, lambda: self._checkout(request.params["id"]))

    async def get_charge(self, request: Request) -> Response:
        """GET /v1/charges/{id}"""
        return await self.read(request, lambda: self._charge(request.params["id"]))

    async def cancel_checkout(self, request: Request) -> Response:
        """POST /v1/checkouts/{id}/cancel; 409 with the object when it was paid before."""
        checkout_id = request.params["id"]
        subject = subject_of("cancel_checkout", self.bank.checkouts.checkout(checkout_id))

        def work() -> Response:
            checkout = self.bank.checkouts.cancel(checkout_id, "canceled_by_merchant")
            status = 409 if checkout["status"] in ("completed", "processing") else 200
            return json_response(self._checkout(checkout_id), status=status)

        return await self.around(request, subject, work)

    async def cancel_charge(self, request: Request) -> Response:
        """POST /v1/charges/{id}/cancel; 409 with the object when it was charged before."""
        charge_id = request.params["id"]
        subject = subject_of("cancel_charge", self.bank.charging.charge(charge_id))

        def work() -> Response:
            charge = self.bank.charging.cancel(charge_id)
            status = 409 if charge["status"] in ("succeeded", "processing") else 200
            return json_response(self._charge(charge_id), status=status)

        return await self.around(request, subject, work)

    async def receive_coins(self, request: Request) -> Response:
        """POST /v1/checkouts/{id}/coins: coins reach the address of a quote."""
        amount = fields.integer(await request.json_object(), "amount_minor_units")
        return json_response(
            self._checkout(self.bank.checkouts.receive_coins(request.params["id"], amount)["id"])
        )

    async def settle_charge(self, request: Request) -> Response:
        """POST /v1/charges/{id}/settle: a debit on its way goes through now."""
        return json_response(self._charge(self.bank.charging.settle(request.params["id"])["id"]))

    async def return_charge(self, request: Request) -> Response:
        """POST /v1/charges/{id}/return: a debit comes back now, with the code given or the account's own."""
        code = fields.text(await request.json_object(), "return_code", most=10)
        return json_response(self._charge(self.bank.charging.give_back(request.params["id"], code)["id"]))

    async def list_checkouts(self, request: Request) -> Response:
        """GET /v1/checkouts?attempt_id=; newest first."""
        return await self._list(request, "checkouts", self._checkout)

    async def list_charges(self, request: Request) -> Response:
        """GET /v1/charges?attempt_id=; newest first, cards declined on a hosted page included."""
        return await self._list(request, "charges", self._charge)

    async def _list(self, request: Request, table: str, show: Any) -> Response:
        attempt_id = fields.needed_query(request, "attempt_id")
        subject = Subject("read", metadata={"attempt_id": attempt_id})

        def work() -> Response:
            ids = self.bank.store.all(
                f"SELECT id FROM {table} WHERE attempt_id = :attempt_id ORDER BY seq DESC LIMIT :limit",  # noqa: S608
                attempt_id=attempt_id,
                limit=_LIST_LIMIT,
            )
            return json_response({table: [show(row["id"]) for row in ids]})

        return await self.around(request, subject, work)

    async def ledger(self, request: Request) -> Response:
        """GET /v1/ledger: every successful charge, oldest first."""
        query = request.query
        size = fields.number_query(query, "page_size", 100, _PAGE_LIMIT)
        rows = self.bank.store.all(
            "SELECT * FROM charges WHERE status = 'succeeded' AND seq > :after"
            " AND (:attempt_id = '' OR attempt_id = :attempt_id)"
            " AND (:payment_id = '' OR json_extract(metadata, '$.payment_id') = :payment_id)"
            " ORDER BY seq LIMIT :limit",
            after=fields.number_query(query, "page_token", 0, 2**62),
            attempt_id=query.get("attempt_id", ""),
            payment_id=query.get("payment_id", ""),
            limit=size + 1,
        )
        token = str(rows[size - 1]["seq"]) if len(rows) > size else ""
        page = [self.bank.documents.charge(row) for row in rows[:size]]
        return json_response({"charges": page, "next_page_token": token})

    def _checkout(self, checkout_id: str) -> dict[str, Any]:
        return self.bank.documents.checkout(self.bank.checkouts.checkout(checkout_id))

    def _charge(self, charge_id: str) -> dict[str, Any]:
        return self.bank.documents.charge(self.bank.charging.charge(charge_id))
