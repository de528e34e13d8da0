"""The hosted card page: what a customer sees at the provider, on the provider's own origin."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from devstack.simulator.card_form import CardForm, empty
from devstack.simulator.cards import CARDS
from devstack.simulator.charging import MAX_TRIES, Charging, decline_message, terms_of
from devstack.simulator.faults import Faults
from devstack.simulator.store import Row
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import HttpError, Request, Response, Route, redirect
from devstack.webkit.pages import Pages


class HostedPage:
    """Card form, 3-D Secure question, and the way back to the merchant in every state."""

    def __init__(self, look: Pages, faults: Faults, charging: Charging, webhooks: Webhooks) -> None:
        self._look = look
        self._faults = faults
        self._charging = charging
        self._webhooks = webhooks

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/checkout/{id}", self.show),
            Route("POST", "/checkout/{id}", self.pay),
            Route("GET", "/checkout/{id}/challenge", self.show_challenge),
            Route("POST", "/checkout/{id}/challenge", self.answer_challenge),
            Route("POST", "/checkout/{id}/leave", self.leave),
        ]

    async def show(self, request: Request) -> Response:
        """The form of an open checkout, or how it ended."""
        checkout = self._charging.checkout(request.params["id"])
        if checkout["status"] == "open" and checkout["challenge"]:
            return redirect(f"/checkout/{checkout['id']}/challenge")
        return self._state(checkout, empty(checkout["customer_name"]))

    async def pay(self, request: Request) -> Response:
        """Try the card typed in."""
        fields = await request.form()
        checkout = self._charging.checkout(request.params["id"])
        if checkout["status"] == "completed":
            return redirect(back_url(checkout))
        form = CardForm.read(fields, datetime.now(UTC).date())
        if form.errors or form.card is None:
            return self._state(checkout, form, status=422)
        card, seen_tries = form.card, _whole(fields.get("tries", ""))

        def work() -> Response:
            tried = self._charging.try_card(checkout["id"], card, form.exp, seen_tries=seen_tries)
            return _onward(tried)

        return await self._run(request, checkout, work)

    async def show_challenge(self, request: Request) -> Response:
        """The question of the card holder's bank."""
        checkout = self._charging.checkout(request.params["id"])
        if checkout["status"] != "open" or not checkout["challenge"]:
            return redirect(f"/checkout/{checkout['id']}")
        return self._look.page(
            "challenge.html",
            form_action=_form_action(checkout),
            checkout=checkout,
            card=json.loads(checkout["challenge"]),
        )

    async def answer_challenge(self, request: Request) -> Response:
        """Approve or refuse."""
        approved = (await request.form()).get("answer") == "approve"
        checkout = self._charging.checkout(request.params["id"])

        def work() -> Response:
            return _onward(self._charging.answer_challenge(checkout["id"], approved=approved))

        return await self._run(request, checkout, work)

    async def leave(self, request: Request) -> Response:
        """Back to the merchant without paying."""
        return redirect(back_url(self._charging.leave(request.params["id"])))

    async def _run(self, request: Request, checkout: Row, work: Any) -> Response:
        subject = terms_of(checkout).subject("pay_checkout")
        try:
            return await self._faults.around(request, subject, work, self._webhooks.wait_until_tried)
        except HttpError as error:
            return self._look.page(
                "trouble.html",
                status=error.status,
                form_action=_form_action(checkout),
                checkout=checkout,
                message=error.message,
            )

    def _state(self, checkout: Row, form: CardForm, *, status: int = 200) -> Response:
        template = "checkout.html" if checkout["status"] == "open" else "closed.html"
        return self._look.page(
            template,
            status=status if checkout["status"] == "open" else 200,
            form_action=_form_action(checkout),
            checkout=checkout,
            items=json.loads(checkout["line_items"]),
            form=form,
            cards=CARDS,
            decline=decline_message(checkout),
            tries_left=MAX_TRIES - checkout["tries"],
            back_url=back_url(checkout),
        )


def back_url(checkout: Row) -> str:
    """The merchant's return address; it carries only the id, since the result is always asked of the API."""
    parts = urlsplit(checkout["return_url"])
    query = "&".join(part for part in (parts.query, urlencode({"checkout": checkout["id"]})) if part)
    return str(urlunsplit(parts._replace(query=query)))


def _onward(checkout: Row) -> Response:
    """Where a browser goes after a form: home when paid, else to the page that says what happened."""
    if checkout["status"] == "completed":
        return redirect(back_url(checkout))
    if checkout["status"] == "open" and checkout["challenge"]:
        return redirect(f"/checkout/{checkout['id']}/challenge")
    return redirect(f"/checkout/{checkout['id']}")


def _form_action(checkout: Row) -> str:
    """Browsers apply form-action to the redirect after a form as well, so the merchant's origin is named."""
    parts = urlsplit(checkout["return_url"])
    return f"'self' {parts.scheme}://{parts.netloc}"


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
