"""The page on which a card or a bank account is saved for later."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from devstack.simulator import accounts
from devstack.simulator.api.door import subject_of
from devstack.simulator.bank import Bank
from devstack.simulator.cards import CARDS, by_token
from devstack.simulator.checkouts import decline_message
from devstack.simulator.hosted import account_form, card_form
from devstack.simulator.hosted.ways import acceptance, back_url, form_action, on_account
from devstack.simulator.saving import mandate_text
from devstack.simulator.store import Row
from devstack.webkit.asgi import HttpError, Request, Response, Route, redirect
from devstack.webkit.pages import Pages


class SetupPages:
    """Nothing is charged here."""

    def __init__(self, bank: Bank, look: Pages) -> None:
        self._bank = bank
        self._look = look

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/setup/{id}", on_account(self._bank, "setups", self.show)),
            Route("POST", "/setup/{id}", on_account(self._bank, "setups", self.save)),
            Route("GET", "/setup/{id}/challenge", on_account(self._bank, "setups", self.show_challenge)),
            Route("POST", "/setup/{id}/challenge", on_account(self._bank, "setups", self.answer_challenge)),
            Route("POST", "/setup/{id}/leave", on_account(self._bank, "setups", self.leave)),
        ]

    async def show(self, request: Request) -> Response:
        """The form, or how it ended."""
        setup = self._bank.saving.setup(request.params["id"])
        if setup["status"] == "requires_action" and setup["challenge"]:
            return redirect(f"/setup/{setup['id']}/challenge")
        return self._state(setup, _scheme(request.query))

    async def save(self, request: Request) -> Response:
        """Save what was typed."""
        fields = await request.form()
        setup = self._bank.saving.setup(request.params["id"])
        if setup["kind"] == "bank_debit":
            scheme = _scheme(fields)
            account = account_form.AccountForm.read(fields, scheme)
            if account.errors or account.account is None:
                return self._state(setup, scheme, account, status=422)
            chosen, accepted = account.account, acceptance(request, account.holder)
            return await self._run(
                request, setup, lambda: self._bank.saving.save_account(setup["id"], chosen, accepted)
            )
        form = card_form.CardForm.read(fields, datetime.now(UTC).date())
        if form.errors or form.card is None:
            return self._state(setup, "ach", form, status=422)
        card = form.card
        return await self._run(
            request, setup, lambda: self._bank.saving.save_card(setup["id"], card, form.exp)
        )

    async def show_challenge(self, request: Request) -> Response:
        """The question of the card holder's bank."""
        setup = self._bank.saving.setup(request.params["id"])
        if setup["status"] != "requires_action" or not setup["challenge"]:
            return redirect(f"/setup/{setup['id']}")
        return self._look.page(
            "challenge.html",
            form_action=form_action(setup),
            action=f"/setup/{setup['id']}/challenge",
            merchant_name=setup["merchant_name"],
            amount=None,
            card=by_token(json.loads(setup["challenge"])["token"]),
        )

    async def answer_challenge(self, request: Request) -> Response:
        """Approve or refuse."""
        approved = (await request.form()).get("answer") == "approve"
        setup = self._bank.saving.setup(request.params["id"])
        return await self._run(
            request, setup, lambda: self._bank.saving.answer_challenge(setup["id"], approved=approved)
        )

    async def leave(self, request: Request) -> Response:
        """Back to the merchant without saving."""
        return redirect(back_url(self._bank.saving.leave(request.params["id"]), "setup"))

    async def _run(self, request: Request, setup: Row, save: Callable[[], Row]) -> Response:
        tried = self._bank.webhooks.wait_until_tried
        try:
            return await self._bank.faults.around(
                request, subject_of("pay_setup", setup), lambda: _onward(save()), tried
            )
        except HttpError as error:
            return self._look.page(
                "trouble.html",
                status=error.status,
                form_action=form_action(setup),
                address=f"/setup/{setup['id']}",
                message=error.message,
            )

    def _state(self, setup: Row, scheme: accounts.Scheme, form: Any = None, *, status: int = 200) -> Response:
        values: dict[str, Any] = {"setup": setup, "back_url": back_url(setup, "setup")}
        is_open = setup["status"] == "requires_action"
        if is_open and setup["kind"] == "bank_debit":
            values |= {
                "form": form or account_form.empty(scheme, ""),
                "mandate": mandate_text(scheme, setup["merchant_name"]),
                "accounts": accounts.of_scheme(scheme),
                "routing_number": accounts.ROUTING_NUMBER,
            }
        elif is_open:
            values |= {"form": form or card_form.empty(""), "cards": CARDS}
        return self._look.page(
            "setup.html" if is_open else "setup_closed.html",
            status=status if is_open else 200,
            form_action=form_action(setup),
            decline=decline_message(setup),
            **values,
        )


def _scheme(fields: dict[str, str]) -> accounts.Scheme:
    return "sepa" if fields.get("scheme") == "sepa" else "ach"


def _onward(setup: Row) -> Response:
    if setup["status"] == "succeeded":
        return redirect(back_url(setup, "setup"))
    if setup["challenge"]:
        return redirect(f"/setup/{setup['id']}/challenge")
    return redirect(f"/setup/{setup['id']}")
