"""The hosted pages: Checkout in both modes, and the bank's question about a card."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from devstack.simulator import accounts
from devstack.simulator.cards import CARDS, by_token
from devstack.simulator.hosted import account_form, card_form
from devstack.simulator.saving import mandate_text
from devstack.simulator.stripe import instruments
from devstack.simulator.stripe.api import Api
from devstack.simulator.stripe.errors import StripeError
from devstack.simulator.stripe.ground import subject_of
from devstack.simulator.stripe.instruments import Instrument
from devstack.simulator.stripe.objects import Thing
from devstack.webkit.asgi import HttpError, Request, Response, Route, redirect
from devstack.webkit.pages import Pages

_WALLETS = {"tok_apple_pay": "Apple Pay", "tok_google_pay": "Google Pay"}
_APPROVED = {"paypal": "PayPal", "crypto": "your stablecoin wallet"}
_SCHEMES: dict[str, accounts.Scheme] = {"us_bank_account": "ach", "sepa_debit": "sepa"}


class StripePages:
    """What a customer sees at Stripe; every form leads to an operation and then on."""

    def __init__(self, api: Api, look: Pages) -> None:
        self._api = api
        self._look = look

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/stripe/c/pay/{id}", self.show),
            Route("POST", "/stripe/c/pay/{id}", self.pay),
            Route("GET", "/stripe/c/pay/{id}/challenge", self.show_challenge),
            Route("POST", "/stripe/c/pay/{id}/challenge", self.answer_challenge),
            Route("POST", "/stripe/c/pay/{id}/leave", self.leave),
            Route("GET", "/stripe/3ds/{id}", self.show_question),
            Route("POST", "/stripe/3ds/{id}", self.answer_question),
        ]

    def _session(self, request: Request) -> Thing:
        found = self._api.ground.objects.find(request.params["id"])
        if found is None or found["object"] != "checkout.session":
            raise HttpError(404, "not_found", "There is no such page.")
        return found

    async def show(self, request: Request) -> Response:
        """The form, or how it ended."""
        session = self._session(request)
        if session["status"] == "open" and self._card_asked_about(session) is not None:
            return redirect(f"/stripe/c/pay/{session.id}/challenge")
        return self._state(session, _scheme(session, request.query))

    async def pay(self, request: Request) -> Response:
        """Pay, or save, as the form says."""
        session, fields = self._session(request), await request.form()
        acceptance = {
            "user_agent": (request.header("user-agent") or "")[:300],
            "name": fields.get("name", ""),
        }
        acceptance["ip"] = str((request.scope.get("client") or ("", 0))[0])
        type_ = session["payment_method_types"][0]
        exp, instrument = "12/2034", Instrument(type_, type_)
        if type_ in _SCHEMES:
            scheme = _scheme(session, fields)
            account = account_form.AccountForm.read(fields, scheme)
            if account.errors or account.account is None:
                return self._state(session, scheme, account, status=422)
            instrument = instruments.of_account(account.account)
            acceptance["name"] = account.holder
        elif type_ == "card" and (wallet := instruments.by_name(fields.get("token", ""))) is not None:
            instrument = wallet
        elif type_ == "card":
            form = card_form.CardForm.read(fields, datetime.now(UTC).date())
            if form.errors or form.card is None:
                return self._state(session, "ach", form, status=422)
            exp, instrument = form.exp, instruments.of_card(form.card)
        elif fields.get("behaviour") == "declined":
            return self._state(session, "ach", note="The payment was declined. Nothing was charged.")
        answer = await self._run(
            request,
            session,
            lambda: self._api.sessions.pay(session.id, instrument, exp=exp, acceptance=acceptance),
        )
        return (
            self._state(self._session(request), "ach")
            if fields.get("behaviour") == "never_returns"
            else answer
        )

    async def _run(self, request: Request, session: Thing, pay: Callable[[], Thing]) -> Response:
        operation = "pay_setup" if session["mode"] == "setup" else "pay_checkout"
        ground = self._api.ground
        try:
            return await ground.faults.around(
                request,
                subject_of(operation, session),
                lambda: self._onward(pay()),
                ground.events.wait_until_tried,
            )
        except StripeError as error:
            raise HttpError(error.status, "refused", str(error)) from error

    def _onward(self, session: Thing) -> Response:
        if session["status"] == "complete":
            return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session.id))
        if session["status"] == "open" and self._card_asked_about(session) is not None:
            return redirect(f"/stripe/c/pay/{session.id}/challenge")
        return redirect(f"/stripe/c/pay/{session.id}")

    def _card_asked_about(self, session: Thing) -> Any:
        """The card whose bank waits for an answer."""
        method_id = session.inside.get("asked_about", "")
        intent = self._api.sessions.intent_of(session) if session["mode"] == "payment" else None
        if intent is not None and intent["status"] == "requires_action":
            method_id = intent["payment_method"]
        method = self._api.ground.objects.find(method_id) if method_id else None
        return by_token(method.inside["key"]) if method is not None else None

    async def show_challenge(self, request: Request) -> Response:
        """The question of the card holder's bank."""
        session = self._session(request)
        card = self._card_asked_about(session)
        if session["status"] != "open" or card is None:
            return redirect(f"/stripe/c/pay/{session.id}")
        return self._question(session["success_url"], f"/stripe/c/pay/{session.id}/challenge", card, session)

    async def answer_challenge(self, request: Request) -> Response:
        """Approve or refuse."""
        approved = (await request.form()).get("answer") == "approve"
        session = self._session(request)
        return await self._run(
            request, session, lambda: self._api.sessions.answer(session.id, approved=approved)
        )

    async def leave(self, request: Request) -> Response:
        """Back to the merchant; the session stays as it is."""
        session = self._session(request)
        return redirect(session["cancel_url"] or session["success_url"])

    def _intent(self, request: Request) -> Thing:
        found = self._api.ground.objects.find(request.params["id"])
        if found is None or found["object"] != "payment_intent" or not found.inside.get("return_url"):
            raise HttpError(404, "not_found", "Nobody was asked about this payment.")
        return found

    async def show_question(self, request: Request) -> Response:
        """The bank's question about a payment without a page."""
        intent = self._intent(request)
        if intent["status"] != "requires_action":
            return redirect(intent.inside["return_url"])
        method = self._api.ground.objects.get("payment_method", intent["payment_method"])
        card = by_token(method.inside["key"])
        return self._question(intent.inside["return_url"], f"/stripe/3ds/{intent.id}", card, intent)

    async def answer_question(self, request: Request) -> Response:
        """Approve or refuse."""
        approved = (await request.form()).get("answer") == "approve"
        intent, ground = self._intent(request), self._api.ground

        def work() -> Response:
            self._api.intents.answer(intent, approved=approved)
            return redirect(intent.inside["return_url"])

        subject = subject_of("pay_checkout", intent)
        return await ground.faults.around(request, subject, work, ground.events.wait_until_tried)

    def _question(self, home: str, action: str, card: Any, about: Thing) -> Response:
        units = about.document.get("amount_total") or about.document.get("amount")
        return self._look.page(
            "challenge.html",
            form_action=_form_action(home),
            action=action,
            merchant_name=urlsplit(home).netloc,
            amount=(units, about["currency"].upper()) if units else None,
            card=card,
        )

    def _state(
        self, session: Thing, scheme: accounts.Scheme, form: Any = None, *, status: int = 200, note: str = ""
    ) -> Response:
        home, type_ = session["success_url"], session["payment_method_types"][0]
        is_debit = type_ in _SCHEMES
        merchant = urlsplit(home).netloc
        if form is None:
            form = account_form.empty(scheme, "") if is_debit else card_form.empty("")
        page = SimpleNamespace(
            id=session.id, mode=session["mode"], status=session["status"], type=type_,
            amount=(session["amount_total"], (session["currency"] or "").upper()), merchant=merchant,
            lines=session.inside["lines"], decline=note or session.inside.get("decline", ""),
            saves=bool(session.inside.get("setup_future_usage")), paid=session["payment_status"] == "paid",
            both_schemes=len(session["payment_method_types"]) > 1, home=home,
        )  # fmt: skip
        return self._look.page(
            "stripe_checkout.html" if session["status"] == "open" else "stripe_closed.html",
            status=status if session["status"] == "open" else 200,
            form_action=_form_action(home),
            page=page,
            form=form,
            mandate=mandate_text(scheme, merchant) if is_debit else "",
            accounts=accounts.of_scheme(scheme) if is_debit else [],
            routing_number=accounts.ROUTING_NUMBER,
            cards=CARDS,
            wallets=_WALLETS,
            approved_by=_APPROVED.get(type_, ""),
        )


def _scheme(session: Thing, fields: dict[str, str]) -> accounts.Scheme:
    """Which kind of account the page asks for."""
    types = session["payment_method_types"]
    asked = {"ach": "us_bank_account", "sepa": "sepa_debit"}.get(fields.get("scheme", ""), "")
    return _SCHEMES.get(asked if asked in types else types[0], "ach")


def _form_action(home: str) -> str:
    parts = urlsplit(home)
    return f"'self' {parts.scheme}://{parts.netloc}"
