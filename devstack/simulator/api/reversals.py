"""Refunds and disputes."""

from typing import Any

from devstack.simulator.api import fields
from devstack.simulator.api.door import Door, subject_of
from devstack.simulator.disputing import REASONS
from devstack.simulator.faults import Subject
from devstack.simulator.store import Row
from devstack.webkit.asgi import HttpError, Request, Response, Route, json_response

_LIST_LIMIT = 100


class ReversalsApi(Door):
    """Money out."""

    def routes(self) -> list[Route]:
        guard = self.guarded
        return [
            Route("POST", "/v1/refunds", guard(self.create_refund)),
            Route("GET", "/v1/refunds", guard(self.list_refunds)),
            Route("GET", "/v1/refunds/{id}", guard(self.get_refund)),
            Route("POST", "/v1/refunds/{id}/settle", guard(self.settle_refund)),
            Route("POST", "/v1/refunds/{id}/fail", guard(self.fail_refund)),
            Route("POST", "/v1/charges/{id}/disputes", guard(self.open_dispute)),
            Route("GET", "/v1/disputes/{id}", guard(self.get_dispute)),
            Route("POST", "/v1/disputes/{id}/evidence", guard(self.submit_evidence)),
            Route("POST", "/v1/disputes/{id}/accept", guard(self.accept_dispute)),
            Route("POST", "/v1/disputes/{id}/close", guard(self.close_dispute)),
        ]

    async def create_refund(self, request: Request) -> Response:
        """POST /v1/refunds"""
        body = await request.json_object()
        order = fields.refund_order(body)
        charge = self.bank.refunding.charge_of(order)
        known = subject_of("create_refund", charge).metadata if charge is not None else {}
        reference = charge["reference"] if charge is not None else ""
        return await self.create(
            request,
            Subject("create_refund", reference, known | order.metadata),
            body,
            kind="refunds",
            make=lambda: self.bank.refunding.create(order),
            show=self._refund,
        )

    async def list_refunds(self, request: Request) -> Response:
        """GET /v1/refunds?refund_id=; newest first."""
        refund_id = fields.needed_query(request, "refund_id")
        subject = Subject("read", metadata={"refund_id": refund_id})

        def work() -> Response:
            rows = self.bank.store.all(
                "SELECT * FROM refunds WHERE refund_id = :refund_id ORDER BY seq DESC LIMIT :limit",
                refund_id=refund_id,
                limit=_LIST_LIMIT,
            )
            return json_response({"refunds": [self.bank.documents.refund(row) for row in rows]})

        return await self.around(request, subject, work)

    async def get_refund(self, request: Request) -> Response:
        """GET /v1/refunds/{id}"""
        return await self.read(request, lambda: self._refund(request.params["id"]))

    async def settle_refund(self, request: Request) -> Response:
        """POST /v1/refunds/{id}/settle: a refund on its way arrives now."""
        return json_response(self._refund(self.bank.refunding.settle(request.params["id"])["id"]))

    async def fail_refund(self, request: Request) -> Response:
        """POST /v1/refunds/{id}/fail: the payer's bank does not take it."""
        code = fields.text(await request.json_object(), "failure_code") or "lost_or_stolen_card"
        return json_response(self._refund(self.bank.refunding.fail(request.params["id"], code)["id"]))

    async def open_dispute(self, request: Request) -> Response:
        """POST /v1/charges/{id}/disputes"""
        body = await request.json_object()
        reason = fields.one_of(body, "reason", REASONS, default="fraudulent")
        given = "amount_minor_units" in body
        amount = fields.integer(body, "amount_minor_units") if given else None
        return json_response(self._dispute(self.bank.disputing.open(request.params["id"], reason, amount)))

    async def get_dispute(self, request: Request) -> Response:
        """GET /v1/disputes/{id}"""
        return await self.read(
            request, lambda: self._dispute(self.bank.disputing.dispute(request.params["id"]))
        )

    async def submit_evidence(self, request: Request) -> Response:
        """POST /v1/disputes/{id}/evidence; 409 with the dispute when it was decided before."""
        text = fields.text(await request.json_object(), "text", needed=True, most=20_000)
        return await self._answer(
            request, lambda dispute_id: self.bank.disputing.submit_evidence(dispute_id, text)
        )

    async def accept_dispute(self, request: Request) -> Response:
        """POST /v1/disputes/{id}/accept: lost."""
        return await self._answer(
            request, lambda dispute_id: self.bank.disputing.close(dispute_id, won=False)
        )

    async def _answer(self, request: Request, answer: Any) -> Response:
        dispute_id = request.params["id"]
        subject = subject_of("answer_dispute", self.bank.disputing.dispute(dispute_id))

        def work() -> Response:
            decided = self.bank.disputing.dispute(dispute_id)["closed_at"] is not None
            return json_response(self._dispute(answer(dispute_id)), status=409 if decided else 200)

        return await self.around(request, subject, work)

    async def close_dispute(self, request: Request) -> Response:
        """POST /v1/disputes/{id}/close {"status": "won" | "lost"}: the bank decides now."""
        status = fields.text(await request.json_object(), "status", needed=True)
        if status not in ("won", "lost"):
            raise HttpError(400, "invalid", "status must be won or lost.", field="status")
        dispute = self.bank.disputing.close(request.params["id"], won=status == "won")
        return json_response(self._dispute(dispute))

    def _refund(self, refund_id: str) -> dict[str, Any]:
        return self.bank.documents.refund(self.bank.refunding.refund(refund_id))

    def _dispute(self, row: Row) -> dict[str, Any]:
        return self.bank.documents.dispute(row)
