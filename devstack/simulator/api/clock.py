"""Time on demand."""

import math
from datetime import datetime
from typing import Any

from devstack.simulator.api import fields
from devstack.simulator.api.door import Door
from devstack.simulator.documents import clock_document, rfc3339
from devstack.webkit.asgi import HttpError, Request, Response, Route, json_response

MAX_STEP_SECONDS = 3660 * 86_400
WEBHOOKS_WAIT_SECONDS = 10.0


class ClockApi(Door):
    """Forward only. The answer comes when all that was due has happened and every event was sent once."""

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/clock", self.guarded(self.show)),
            Route("POST", "/v1/clock", self.guarded(self.advance)),
            Route("GET", "/v1/clocks/{account}", self.guarded(self.show_account)),
            Route("POST", "/v1/clocks/{account}", self.guarded(self.advance_account)),
            Route("DELETE", "/v1/clocks/{account}", self.guarded(self.let_go)),
        ]

    async def show(self, _request: Request) -> Response:
        """GET /v1/clock"""
        return json_response(self._document())

    async def advance(self, request: Request) -> Response:
        """POST /v1/clock {"advance_seconds": 86400} or {"now": "2026-02-01T00:00:00Z"}"""
        moment = self._target(await request.json_object())
        steps = self.bank.timeline.advance_to(moment)
        told = await self.bank.webhooks.wait_until_all_tried(WEBHOOKS_WAIT_SECONDS)
        return json_response(self._document() | {"steps": steps, "webhooks_sent": told})

    async def show_account(self, request: Request) -> Response:
        """GET /v1/clocks/{account}; an account without a clock lives by everybody's."""
        return json_response(self._account_document(request.params["account"]))

    async def advance_account(self, request: Request) -> Response:
        """POST /v1/clocks/{account} {"now": ...}: the account's time stands there. A moment in its past is none."""
        account, body = request.params["account"], await request.json_object()
        steps = self.bank.timeline.advance_account(account, _moment(body))
        self.bank.balance.pay_out_next_midnight(account)
        told = await self.bank.webhooks.wait_until_all_tried(WEBHOOKS_WAIT_SECONDS)
        return json_response(self._account_document(account) | {"steps": steps, "webhooks_sent": told})

    async def let_go(self, request: Request) -> Response:
        """DELETE /v1/clocks/{account}"""
        self.bank.clock.let_go(request.params["account"])
        return json_response(self._account_document(request.params["account"]))

    def _account_document(self, account: str) -> dict[str, Any]:
        clock = self.bank.clock
        next_due_at = self.bank.timeline.next_due_at(account) if account in clock.clocked else None
        return {
            "account": account,
            "now": rfc3339(clock.now_of(account)),
            "next_due_at": None if next_due_at is None else rfc3339(math.ceil(next_due_at)),
        }

    def _target(self, body: dict[str, Any]) -> float:
        now = self.bank.clock.now()
        target = _moment(body) if "now" in body else now + fields.integer(body, "advance_seconds")
        if not now <= target <= now + MAX_STEP_SECONDS:
            raise HttpError(400, "invalid", "Time goes forward only, ten years at once at most.", field="now")
        return target

    def _document(self) -> dict[str, Any]:
        clock = self.bank.clock
        return clock_document(clock.now(), clock.ahead_seconds, self.bank.timeline.next_due_at())


def _moment(body: dict[str, Any]) -> float:
    try:
        moment = datetime.fromisoformat(fields.text(body, "now", needed=True))
    except ValueError:
        raise HttpError(400, "invalid", "now must be an RFC 3339 moment.", field="now") from None
    if moment.tzinfo is None:
        raise HttpError(400, "invalid", "now must name its time zone.", field="now")
    return moment.timestamp()
