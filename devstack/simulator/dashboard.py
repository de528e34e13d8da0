"""The developer's page at `/`: what happened lately, and buttons for the faults."""

from devstack.simulator.faults import MEANINGS, OPERATIONS, Faults, fault_document, fault_from
from devstack.simulator.store import Store
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import HttpError, Request, Response, Route, redirect
from devstack.webkit.pages import Pages

_ROWS = 15
_CHECKOUT_TONES = {"open": "quiet", "completed": "good", "failed": "bad", "canceled": "warn"}
_EVENT_TONES = {"pending": "quiet", "delivered": "good", "given_up": "bad", "withheld": "warn"}


class Dashboard:
    """Reads the store; its forms only arm faults and send events again."""

    def __init__(self, look: Pages, store: Store, faults: Faults, webhooks: Webhooks) -> None:
        self._look = look
        self._store = store
        self._faults = faults
        self._webhooks = webhooks

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self.show),
            Route("POST", "/dashboard/faults", self.arm),
            Route("POST", "/dashboard/faults/clear", self.disarm),
            Route("POST", "/dashboard/events/{id}/send", self.send_again),
        ]

    async def show(self, _request: Request) -> Response:
        """The latest of everything."""
        totals = self._store.all(
            "SELECT currency, count(*) AS charges, sum(amount_minor_units) AS minor_units"
            " FROM charges WHERE status = 'succeeded' GROUP BY currency ORDER BY currency"
        )
        return self._look.page(
            "dashboard.html",
            totals=totals,
            checkouts=self._latest("checkouts"),
            charges=self._latest("charges"),
            events=self._latest("events"),
            faults=[fault_document(fault) for fault in self._faults.armed()],
            meanings=MEANINGS,
            operations=sorted(OPERATIONS),
            checkout_tones=_CHECKOUT_TONES,
            event_tones=_EVENT_TONES,
        )

    def _latest(self, table: str) -> list[object]:
        return list(self._store.all(f"SELECT * FROM {table} ORDER BY seq DESC LIMIT {_ROWS}"))  # noqa: S608

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
        self._faults.add(fault, times=count, seconds=wait_seconds, match=wanted)
        return redirect("/#faults")

    async def disarm(self, request: Request) -> Response:
        """Disarm all faults."""
        _same_origin(request)
        self._faults.clear()
        return redirect("/#faults")

    async def send_again(self, request: Request) -> Response:
        """Deliver one event once more."""
        _same_origin(request)
        self._webhooks.send_again(request.params["id"])
        return redirect("/#events")


def _same_origin(request: Request) -> None:
    """Refuse a form that another site's page made the browser send."""
    if request.header("sec-fetch-site") not in {None, "same-origin", "none"}:
        raise HttpError(403, "foreign_form", "This form was sent by another site.")
