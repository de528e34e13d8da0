"""The page of a checkout: one form for each way to pay, and the way back in every state."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from devstack.simulator import accounts, wallets
from devstack.simulator.bank import Bank
from devstack.simulator.cards import CARDS
from devstack.simulator.charging import terms_of
from devstack.simulator.checkouts import MAX_TRIES, decline_message
from devstack.simulator.coins import coins_for
from devstack.simulator.hosted import account_form, card_form
from devstack.simulator.hosted.ways import acceptance, back_url, form_action, on_account, whole
from devstack.simulator.saving import mandate_text
from devstack.simulator.store import Row
from devstack.webkit.asgi import HttpError, Request, Response, Route, redirect
from devstack.webkit.pages import Pages

BEHAVIOURS = {
    "as_usual": "as usual",
    "return_before_webhook": "come back before the webhook is sent (5 s later)",
    "webhook_before_return": "come back after the webhook was sent",
    "never_returns": "pay, but never come back",
    "declined": "be declined",
}
"""What the test switch of the redirect page does."""
_WEBHOOK_LATE_SECONDS = 5.0
_TEMPLATES = {
    "card": "checkout.html",
    "bank_debit": "bank_debit.html",
    "redirect": "redirect.html",
    "wallet": "wallet.html",
    "stablecoin": "stablecoin.html",
}


class CheckoutPages:
    """Every form leads to an operation and then home, or back to a page that says what happened."""

    def __init__(self, bank: Bank, look: Pages) -> None:
        self._bank = bank
        self._look = look

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/checkout/{id}", on_account(self._bank, "checkouts", self.show)),
            Route("POST", "/checkout/{id}", on_account(self._bank, "checkouts", self.pay)),
            Route(
                "GET", "/checkout/{id}/challenge", on_account(self._bank, "checkouts", self.show_challenge)
            ),
            Route(
                "POST", "/checkout/{id}/challenge", on_account(self._bank, "checkouts", self.answer_challenge)
            ),
            Route("POST", "/checkout/{id}/leave", on_account(self._bank, "checkouts", self.leave)),
        ]

    async def show(self, request: Request) -> Response:
        """The form of an open checkout, or how it ended."""
        checkout = self._bank.checkouts.checkout(request.params["id"])
        if checkout["status"] == "open" and checkout["challenge"]:
            return redirect(f"/checkout/{checkout['id']}/challenge")
        return self._state(checkout)

    async def pay(self, request: Request) -> Response:
        """Pay as the form says."""
        fields = await request.form()
        checkout = self._bank.checkouts.checkout(request.params["id"])
        if checkout["status"] == "completed":
            return redirect(_home(checkout))
        pay = {
            "card": self._pay_by_card,
            "bank_debit": self._debit,
            "redirect": self._redirect,
            "wallet": self._wallet,
            "stablecoin": self._coins,
        }[checkout["kind"]]
        return await pay(request, checkout, fields)

    async def _pay_by_card(self, request: Request, checkout: Row, fields: dict[str, str]) -> Response:
        form = card_form.CardForm.read(fields, datetime.now(UTC).date())
        if form.errors or form.card is None:
            return self._state(checkout, form, status=422)
        card, seen_tries = form.card, whole(fields.get("tries", ""))
        return await self._run(
            request,
            checkout,
            lambda: self._bank.checkouts.try_card(checkout["id"], card, form.exp, seen_tries=seen_tries),
        )

    async def _debit(self, request: Request, checkout: Row, fields: dict[str, str]) -> Response:
        form = account_form.AccountForm.read(fields, accounts.CURRENCIES[checkout["currency"]])
        if form.errors or form.account is None:
            return self._state(checkout, form, status=422)
        account, accepted = form.account, acceptance(request, form.holder)
        return await self._run(
            request, checkout, lambda: self._bank.checkouts.debit(checkout["id"], account, accepted)
        )

    async def _redirect(self, request: Request, checkout: Row, fields: dict[str, str]) -> Response:
        behaviour = fields.get("behaviour", "as_usual")
        late = behaviour == "return_before_webhook"
        answer = await self._run(
            request,
            checkout,
            lambda: self._bank.checkouts.pay_by_redirect(
                checkout["id"],
                declined=behaviour == "declined",
                webhook_after_seconds=_WEBHOOK_LATE_SECONDS if late else 0.0,
            ),
        )
        if behaviour == "webhook_before_return":
            await self._bank.webhooks.wait_until_tried(checkout["attempt_id"], _WEBHOOK_LATE_SECONDS)
        if behaviour == "never_returns":
            return self._look.page("stranded.html", checkout=checkout)
        return answer

    async def _wallet(self, request: Request, checkout: Row, fields: dict[str, str]) -> Response:
        token = fields.get("token", "")
        if token not in wallets.STANDING_TOKENS:
            raise HttpError(400, "invalid", "There is no such wallet.", field="token")
        return await self._run(
            request, checkout, lambda: self._bank.checkouts.pay_by_wallet(checkout["id"], token)
        )

    async def _coins(self, request: Request, checkout: Row, fields: dict[str, str]) -> Response:
        amount = whole(fields.get("amount_minor_units", ""))
        if amount < 1:
            raise HttpError(400, "invalid", "Send at least something.", field="amount_minor_units")
        return await self._run(
            request, checkout, lambda: self._bank.checkouts.receive_coins(checkout["id"], amount)
        )

    async def show_challenge(self, request: Request) -> Response:
        """The question of the card holder's bank."""
        checkout = self._bank.checkouts.checkout(request.params["id"])
        if checkout["status"] != "open" or not checkout["challenge"]:
            return redirect(f"/checkout/{checkout['id']}")
        return self._look.page(
            "challenge.html",
            form_action=form_action(checkout),
            action=f"/checkout/{checkout['id']}/challenge",
            merchant_name=checkout["merchant_name"],
            amount=(checkout["amount_minor_units"], checkout["currency"]),
            card=json.loads(checkout["challenge"]),
        )

    async def answer_challenge(self, request: Request) -> Response:
        """Approve or refuse."""
        approved = (await request.form()).get("answer") == "approve"
        checkout = self._bank.checkouts.checkout(request.params["id"])
        return await self._run(
            request,
            checkout,
            lambda: self._bank.checkouts.answer_challenge(checkout["id"], approved=approved),
        )

    async def leave(self, request: Request) -> Response:
        """Back to the merchant without paying."""
        return redirect(_home(self._bank.checkouts.leave(request.params["id"])))

    async def _run(self, request: Request, checkout: Row, pay: Callable[[], Row]) -> Response:
        subject = terms_of(checkout).subject("pay_checkout")
        tried = self._bank.webhooks.wait_until_tried
        try:
            return await self._bank.faults.around(request, subject, lambda: _onward(pay()), tried)
        except HttpError as error:
            return self._look.page(
                "trouble.html",
                status=error.status,
                form_action=form_action(checkout),
                address=f"/checkout/{checkout['id']}",
                message=error.message,
            )

    def _state(self, checkout: Row, form: Any = None, *, status: int = 200) -> Response:
        details = json.loads(checkout["details"])
        waits_for_coins = checkout["kind"] == "stablecoin" and checkout["status"] == "processing"
        is_open = checkout["status"] == "open" or waits_for_coins
        values: dict[str, Any] = {
            "checkout": checkout,
            "items": json.loads(checkout["line_items"]),
            "decline": decline_message(checkout),
            "tries_left": MAX_TRIES - checkout["tries"],
            "back_url": _home(checkout),
            "details": details,
            "paid": self._paid(checkout),
        }
        if is_open:
            values |= self._values_of(checkout, form, details)
        return self._look.page(
            _TEMPLATES[checkout["kind"]] if is_open else "closed.html",
            status=status if is_open else 200,
            form_action=form_action(checkout),
            **values,
        )

    def _paid(self, checkout: Row) -> int:
        if not checkout["charge_id"]:
            return int(checkout["amount_minor_units"])
        return int(self._bank.charging.charge(checkout["charge_id"])["amount_minor_units"])

    def _values_of(self, checkout: Row, form: Any, details: dict[str, Any]) -> dict[str, Any]:
        """What the page of this way to pay shows beside what all show."""
        kind, amount = checkout["kind"], checkout["amount_minor_units"]
        if kind == "bank_debit":
            scheme = accounts.CURRENCIES[checkout["currency"]]
            return {
                "form": form or account_form.empty(scheme, checkout["customer_name"]),
                "mandate": mandate_text(scheme, checkout["merchant_name"]),
                "accounts": accounts.of_scheme(scheme),
                "routing_number": accounts.ROUTING_NUMBER,
            }
        if kind == "redirect":
            return {"behaviours": BEHAVIOURS}
        if kind == "wallet":
            return {"wallets": {"tok_apple_pay": "Apple Pay", "tok_google_pay": "Google Pay"}}
        if kind == "stablecoin":
            left = amount - details["received_minor_units"]
            return {
                "coins_left": coins_for(left, checkout["currency"]),
                "minutes_left": max(0, int((checkout["expires_at"] - self._bank.clock.now()) // 60) + 1),
                "amounts": {"Send exactly that": left, "Send a tenth less": left - left // 10,
                            "Send a tenth more": left + max(left // 10, 1)},
            }  # fmt: skip
        return {"form": form or card_form.empty(checkout["customer_name"]), "cards": CARDS}


def _home(checkout: Row) -> str:
    return back_url(checkout, "checkout")


def _onward(checkout: Row) -> Response:
    """Where a browser goes after a form: home when paid, else to the page that says what happened."""
    waits_at_the_bank = checkout["status"] == "processing" and checkout["kind"] != "stablecoin"
    if checkout["status"] == "completed" or waits_at_the_bank:
        return redirect(_home(checkout))
    if checkout["status"] == "open" and checkout["challenge"]:
        return redirect(f"/checkout/{checkout['id']}/challenge")
    return redirect(f"/checkout/{checkout['id']}")
