"""Payouts with their settlement reports."""

from datetime import date

from devstack.simulator.api import fields
from devstack.simulator.api.door import Door
from devstack.simulator.faults import Subject
from devstack.webkit.asgi import HttpError, Request, Response, Route, json_response

_PAGE_LIMIT = 100


class PayoutsApi(Door):
    """What went to the merchants' banks."""

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/payouts", self.guarded(self.list)),
            Route("POST", "/v1/payouts", self.guarded(self.pay_out)),
        ]

    async def list(self, request: Request) -> Response:
        """GET /v1/payouts?since=2026-01-31&organization_id=&page_size=&page_token=; oldest first."""
        query = request.query
        since, organization_id = query.get("since") or "0001-01-01", query.get("organization_id", "")
        try:
            date.fromisoformat(since)
        except ValueError:
            raise HttpError(
                400, "invalid", "since must be a day such as 2026-01-31.", field="since"
            ) from None
        size = max(1, min(fields.number_query(query, "page_size", _PAGE_LIMIT, 10**6), _PAGE_LIMIT))
        after = fields.number_query(query, "page_token", 0, 2**62)
        metadata = {"organization_id": organization_id} if organization_id else {}

        def work() -> Response:
            rows = self.bank.store.all(
                "SELECT * FROM payouts WHERE arrives_on >= :since AND seq > :after"
                " AND (:organization_id = '' OR organization_id = :organization_id)"
                " ORDER BY seq LIMIT :limit",
                since=since,
                after=after,
                organization_id=organization_id,
                limit=size + 1,
            )
            token = str(rows[size - 1]["seq"]) if len(rows) > size else ""
            page = [self.bank.documents.payout(row) for row in rows[:size]]
            return json_response({"payouts": page, "next_page_token": token})

        return await self.around(request, Subject("read", metadata=metadata), work)

    async def pay_out(self, request: Request) -> Response:
        """POST /v1/payouts {"organization_id"?}: pay out now instead of at midnight."""
        organization_id = fields.text(await request.json_object(), "organization_id") or None
        made = self.bank.balance.pay_out(organization_id)
        rows = [self.bank.store.by_id("payouts", payout_id) for payout_id in made]
        return json_response(
            {"payouts": [self.bank.documents.payout(row) for row in rows if row is not None]}
        )
