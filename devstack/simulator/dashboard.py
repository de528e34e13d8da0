"""The developer's page at `/`: what happened lately, and buttons for what may happen next."""

from collections.abc import Callable
from typing import Any

from devstack.simulator.bank import Bank
from devstack.simulator.clock import DAY_SECONDS
from devstack.simulator.faults import MEANINGS, OPERATIONS, fault_document, fault_from
from devstack.webkit.asgi import HttpError, Request, Response, Route, redirect
from devstack.webkit.pages import Pages

_ROWS = 15
_TONES = {
    "open": "quiet", "requires_action": "quiet", "processing": "quiet", "under_review": "quiet", "pending": "quiet",
    "completed": "good", "succeeded": "good", "won": "good", "saved": "good", "delivered": "good",
    "failed": "bad", "lost": "bad", "given_up": "bad",
    "canceled": "warn", "detached": "warn", "unsaved": "quiet", "withheld": "warn",
}  # fmt: skip
_TABLES = ("checkouts", "charges", "refunds", "disputes", "setups", "methods", "payouts", "events")


class Dashboard:
    """Reads the store; its forms arm faults, send events again, and do what banks and card holders do."""

    def __init__(self, bank: Bank, look: Pages) -> None:
        self._bank = bank
        self._look = look

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self.show),
            Route("POST", "/dashboard/faults", self.arm),
            Route("POST", "/dashboard/faults/clear", self.disarm),
            Route("POST", "/dashboard/events/{id}/send", self.send_again),
            Route("POST", "/dashboard/clock", self.advance),
            Route("POST", "/dashboard/payouts", self.pay_out),
            Route("POST", "/dashboard/{table}/{id}/{action}", self.act),
        ]

    async def show(self, _request: Request) -> Response:
        """The latest of everything."""
        totals = self._bank.store.all(
            "SELECT currency, count(*) AS charges, sum(amount_minor_units) AS minor_units"
            " FROM charges WHERE status = 'succeeded' GROUP BY currency ORDER BY currency"
        )
        latest: dict[str, Any] = {table: self._latest(table) for table in _TABLES}
        return self._look.page(
            "dashboard.html",
            totals=totals,
            now=self._bank.clock.now(),
            ahead_seconds=self._bank.clock.ahead_seconds,
            faults=[fault_document(fault) for fault in self._bank.faults.armed()],
            meanings=MEANINGS,
            operations=sorted(OPERATIONS),
            tones=_TONES,
            **latest,
        )

    def _latest(self, table: str) -> list[object]:
        return list(self._bank.store.all(f"SELECT * FROM {table} ORDER BY seq DESC LIMIT {_ROWS}"))  # noqa: S608

    async def act(self, request: Request) -> Response:
        """Do to an object what its button says."""
        _same_origin(request)
        table, object_id, action = (request.params[name] for name in ("table", "id", "action"))
        actions: dict[tuple[str, str], Callable[[], object]] = {
            ("charges", "settle"): lambda: self._bank.charging.settle(object_id),
            ("charges", "return"): lambda: self._bank.charging.give_back(object_id),
            ("charges", "dispute"): lambda: self._bank.disputing.open(object_id, "fraudulent"),
            ("refunds", "settle"): lambda: self._bank.refunding.settle(object_id),
            ("refunds", "fail"): lambda: self._bank.refunding.fail(object_id, "lost_or_stolen_card"),
            ("disputes", "win"): lambda: self._bank.disputing.close(object_id, won=True),
            ("disputes", "lose"): lambda: self._bank.disputing.close(object_id, won=False),
            ("methods", "revoke"): lambda: self._bank.saving.revoke_mandate(object_id),
        }
        if (table, action) not in actions:
            raise HttpError(404, "not_found", "There is nothing at this address.")
        actions[table, action]()
        return redirect(f"/#{table}")

    async def advance(self, request: Request) -> Response:
        """Put the clock forward by days."""
        _same_origin(request)
        days = (await request.form()).get("days", "")
        if not (days.isascii() and days.isdigit() and 1 <= int(days) <= 366):
            raise HttpError(400, "invalid", "Time goes forward by 1 to 366 days.", field="days")
        self._bank.timeline.advance_to(self._bank.clock.now() + int(days) * DAY_SECONDS)
        return redirect("/#clock")

    async def pay_out(self, request: Request) -> Response:
        """Pay out now."""
        _same_origin(request)
        self._bank.balance.pay_out()
        return redirect("/#payouts")

    async def arm(self, request: Request) -> Response:
        """Arm one fault."""
        _same_origin(request)
        fields = await request.form()
        match = {
            name: fields[name].strip()
            for name in ("attempt_id", "reference", "operation")
            if fields.get(name)
        }
        times = fields.get("times", "1")
        seconds = fields.get("seconds", "").strip()
        fault, count, wait_seconds, wanted = fault_from(
            {
                "fault": fields.get("fault"),
                "times": int(times) if times.isascii() and times.isdigit() else 0,
                "seconds": float(seconds) if seconds.replace(".", "", 1).isdigit() else None,
                "match": match,
            }
        )
        self._bank.faults.add(fault, times=count, seconds=wait_seconds, match=wanted)
        return redirect("/#faults")

    async def disarm(self, request: Request) -> Response:
        """Disarm all faults."""
        _same_origin(request)
        self._bank.faults.clear()
        return redirect("/#faults")

    async def send_again(self, request: Request) -> Response:
        """Deliver one event once more."""
        _same_origin(request)
        self._bank.webhooks.send_again(request.params["id"])
        return redirect("/#events")


def _same_origin(request: Request) -> None:
    """Refuse a form that another site's page made the browser send."""
    if request.header("sec-fetch-site") not in {None, "same-origin", "none"}:
        raise HttpError(403, "foreign_form", "This form was sent by another site.")
