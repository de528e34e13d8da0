"""Time on demand."""

from datetime import datetime
from typing import Any

from devstack.simulator.api import fields
from devstack.simulator.api.door import Door
from devstack.simulator.documents import clock_document
from devstack.webkit.asgi import HttpError, Request, Response, Route, json_response

MAX_STEP_SECONDS = 3660 * 86_400
WEBHOOKS_WAIT_SECONDS = 10.0


class ClockApi(Door):
    """Forward only. The answer comes when all that was due has happened and every event was sent once."""

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/clock", self.guarded(self.show)),
            Route("POST", "/v1/clock", self.guarded(self.advance)),
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

    def _target(self, body: dict[str, Any]) -> float:
        now = self.bank.clock.now()
        if "now" in body:
            try:
                moment = datetime.fromisoformat(fields.text(body, "now", needed=True))
            except ValueError:
                raise HttpError(400, "invalid", "now must be an RFC 3339 moment.", field="now") from None
            if moment.tzinfo is None:
                raise HttpError(400, "invalid", "now must name its time zone.", field="now")
            target = moment.timestamp()
        else:
            target = now + fields.integer(body, "advance_seconds")
        if not now <= target <= now + MAX_STEP_SECONDS:
            raise HttpError(400, "invalid", "Time goes forward only, ten years at once at most.", field="now")
        return target

    def _document(self) -> dict[str, Any]:
        clock = self.bank.clock
        return clock_document(clock.now(), clock.ahead_seconds, self.bank.timeline.next_due_at())
