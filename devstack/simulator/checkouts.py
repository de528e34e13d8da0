"""Hosted payment pages: what a customer does on them, and the one way each of them may end."""

import json
from dataclasses import replace
from typing import Any

from devstack.simulator import accounts, wallets
from devstack.simulator.cards import DECLINES, TestCard, by_token
from devstack.simulator.charging import Charging, terms_of
from devstack.simulator.clock import Clock
from devstack.simulator.coins import quote_for
from devstack.simulator.orders import CheckoutOrder, PaidWith, Terms
from devstack.simulator.saving import Acceptance, Saving
from devstack.simulator.store import Row, Store, new_id
from devstack.simulator.timeline import Timeline
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import HttpError

MAX_TRIES = 5
QUOTE_VALID_SECONDS = 900
_CHARGE_TO_CHECKOUT = {"succeeded": "completed", "processing": "processing", "failed": "failed"}


class Checkouts:
    """Each operation is one transaction that ends before the browser is answered."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        timeline: Timeline,
        *,
        webhooks: Webhooks,
        charging: Charging,
        saving: Saving,
    ) -> None:
        self._store = store
        self._clock = clock
        self._timeline = timeline
        self._webhooks = webhooks
        self._charging = charging
        self._saving = saving
        charging.followed_by(self._follow)
        timeline.on("expire_checkout", self._expire)

    def create(self, order: CheckoutOrder) -> str:
        """Insert an open checkout; inside the caller's transaction."""
        if order.kind == "bank_debit" and order.terms.currency not in accounts.CURRENCIES:
            raise HttpError(400, "currency_not_supported", "Bank debits are in USD or EUR.", field="currency")
        checkout_id, now = new_id("co"), self._clock.now()
        expires_at = now + order.expires_in_seconds
        details: dict[str, Any] = {}
        if order.kind == "stablecoin":
            expires_at = min(expires_at, now + QUOTE_VALID_SECONDS)
            details = quote_for(checkout_id, order.terms.amount_minor_units, order.terms.currency)
        self._store.insert(
            "checkouts",
            id=checkout_id,
            kind=order.kind,
            status="open",
            amount_minor_units=order.terms.amount_minor_units,
            currency=order.terms.currency,
            reference=order.terms.reference,
            description=order.description,
            return_url=order.return_url,
            merchant_name=order.merchant_name,
            customer_name=order.customer_name,
            line_items=json.dumps(order.line_items),
            metadata=json.dumps(order.terms.metadata),
            attempt_id=order.terms.metadata.get("attempt_id", ""),
            customer_id=order.customer_id,
            save_method=order.save_method,
            details=json.dumps(details),
            created_at=now,
            expires_at=expires_at,
        )
        self._timeline.add("expire_checkout", checkout_id, due_at=expires_at)
        return checkout_id

    def checkout(self, checkout_id: str) -> Row:
        """The checkout, expired first if its time is up; 404 when there is none."""
        row = self._store.by_id("checkouts", checkout_id)
        if row is None:
            raise HttpError(404, "not_found", "There is no such checkout.")
        if row["status"] == "open" and row["expires_at"] <= self._clock.now():
            self._expire(checkout_id)
            return self.checkout(checkout_id)
        return row

    def try_card(self, checkout_id: str, card: TestCard, exp: str, *, seen_tries: int) -> Row:
        """Pay an open checkout with a card typed on its page.

        A second click on the same form changes nothing: `seen_tries` is the number of tries the form was
        shown with, and only the first submission still finds it unchanged.
        """
        checkout = self.checkout(checkout_id)
        if checkout["status"] != "open" or checkout["tries"] != seen_tries or checkout["challenge"]:
            return checkout
        paid_with = PaidWith.card(card, exp)
        if card.challenge != "never":
            challenge = json.dumps(
                {"token": card.token, "brand": card.brand, "last4": card.last4, "exp": exp}
            )
            return self._store.change("checkouts", checkout_id, challenge=challenge)
        return self._pay(checkout, paid_with)

    def answer_challenge(self, checkout_id: str, *, approved: bool) -> Row:
        """Go on after the bank asked the card holder; nothing happens when no question is open."""
        checkout = self.checkout(checkout_id)
        if checkout["status"] != "open" or not checkout["challenge"]:
            return checkout
        asked = json.loads(checkout["challenge"])
        card = by_token(asked["token"])
        assert card is not None, "only test cards get this far"
        paid_with = PaidWith.card(card, asked["exp"])
        return self._pay(checkout, paid_with if approved else paid_with.declined("authentication_failed"))

    def debit(self, checkout_id: str, account: accounts.TestAccount, acceptance: Acceptance) -> Row:
        """Begin a debit from an account whose holder has accepted the mandate."""
        checkout = self.checkout(checkout_id)
        if checkout["status"] != "open" or checkout["kind"] != "bank_debit":
            return checkout
        with self._store.transaction():
            mandate = self._saving.mandate(
                account.scheme, checkout["merchant_name"], account.last4, acceptance
            )
            paid_with = self._saving.debit_with(
                account,
                mandate,
                customer_id=checkout["customer_id"],
                saved=bool(checkout["save_method"]),
                metadata=json.loads(checkout["metadata"]),
            )
            return self._pay(checkout, paid_with)

    def pay_by_redirect(self, checkout_id: str, *, declined: bool, webhook_after_seconds: float) -> Row:
        """The payer approved at the wallet's site; the news may come later than the payer."""
        checkout = self.checkout(checkout_id)
        if checkout["status"] != "open" or checkout["kind"] != "redirect":
            return checkout
        paid_with = PaidWith("redirect", "redirect", label="PayTest")
        with self._webhooks.delayed(webhook_after_seconds):
            return self._pay(checkout, paid_with.declined("redirect_declined" if declined else None))

    def pay_by_wallet(self, checkout_id: str, token: str) -> Row:
        """The payer touched the wallet's button."""
        checkout = self.checkout(checkout_id)
        found = wallets.resolve(self._store, token, checkout["attempt_id"])
        if checkout["status"] != "open" or checkout["kind"] != "wallet" or found is None:
            return checkout
        wallet, card = found
        return self._pay(checkout, PaidWith.card(card, wallet=wallet))

    def receive_coins(self, checkout_id: str, amount_minor_units: int) -> Row:
        """Coins reached the address: as many as quoted, fewer, more, or after the quote had ended.

        Fewer wait for the rest until the quote ends. Money that came is never sent back by itself: the charge
        says how much there is.
        """
        checkout = self.checkout(checkout_id)
        if checkout["kind"] != "stablecoin" or checkout["status"] not in ("open", "processing", "canceled"):
            return checkout
        with self._store.transaction():
            details = json.loads(checkout["details"])
            details["received_minor_units"] += amount_minor_units
            details["late"] = checkout["status"] == "canceled"
            checkout = self._store.change("checkouts", checkout_id, details=json.dumps(details))
            received = details["received_minor_units"]
            if received >= checkout["amount_minor_units"] or details["late"]:
                return self._received(checkout, received)
            checkout = self._store.change("checkouts", checkout_id, status="processing")
            return self._announce(checkout)

    def _received(self, checkout: Row, amount_minor_units: int) -> Row:
        terms = terms_of(checkout)
        terms = Terms(amount_minor_units, terms.currency, terms.reference, terms.metadata)
        coin = json.loads(checkout["details"])["coin"]
        return self._pay(checkout, PaidWith("stablecoin", "stablecoin", label=coin), terms)

    def _pay(self, checkout: Row, paid_with: PaidWith, terms: Terms | None = None) -> Row:
        terms = terms or terms_of(checkout)
        with self._store.transaction():
            paid_with = self._charging.with_fault(paid_with, terms.subject("pay_checkout"))
            if (
                paid_with.kind in ("card", "wallet")
                and checkout["save_method"]
                and not paid_with.decline_code
            ):
                paid_with = replace(paid_with, customer_id=checkout["customer_id"])
                paid_with = self._saving.save_for(paid_with, terms)
            terms = self._charging.misheard(terms, terms.subject("pay_checkout"))
            charge = self._charging.insert(terms, paid_with, checkout_id=checkout["id"])
            tries = checkout["tries"] + 1
            status = _CHARGE_TO_CHECKOUT[charge["status"]]
            if status == "failed" and tries < MAX_TRIES:
                status = "open"
            checkout = self._store.change(
                "checkouts",
                checkout["id"],
                status=status,
                tries=tries,
                challenge=None,
                charge_id=charge["id"] if status in ("completed", "processing") else None,
                decline_code=charge["decline_code"],
                cancel_reason=None,
                finished_at=None if status in ("open", "processing") else self._clock.now(),
            )
            return self._announce(checkout)

    def _follow(self, charge: Row) -> None:
        """The debit of a checkout settled or came back."""
        status = _CHARGE_TO_CHECKOUT[charge["status"]]
        checkout = self._store.change(
            "checkouts",
            charge["checkout_id"],
            status=status,
            decline_code=charge["decline_code"],
            finished_at=self._clock.now(),
        )
        self._announce(checkout)

    def _expire(self, checkout_id: str) -> None:
        checkout = self._store.by_id("checkouts", checkout_id)
        assert checkout is not None, "checkouts are never deleted"
        received = json.loads(checkout["details"]).get("received_minor_units", 0)
        if checkout["status"] == "processing" and checkout["kind"] == "stablecoin" and received:
            self._received(checkout, received)
        else:
            self.cancel(checkout_id, "expired")

    def cancel(self, checkout_id: str, reason: str) -> Row:
        """End an open checkout without a payment; a finished one is returned as it is."""
        with self._store.transaction():
            row = self._store.by_id("checkouts", checkout_id)
            if row is None:
                raise HttpError(404, "not_found", "There is no such checkout.")
            if row["status"] != "open":
                return row
            return self._end(row, status="canceled", cancel_reason=reason)

    def leave(self, checkout_id: str) -> Row:
        """The customer goes back unpaid: failed when a card was declined, else canceled."""
        checkout = self.checkout(checkout_id)
        if checkout["status"] != "open":
            return checkout
        if not checkout["decline_code"]:
            return self.cancel(checkout_id, "left_by_customer")
        with self._store.transaction():
            return self._end(checkout, status="failed")

    def _end(self, checkout: Row, **values: str) -> Row:
        checkout = self._store.change(
            "checkouts", checkout["id"], challenge=None, finished_at=self._clock.now(), **values
        )
        return self._announce(checkout)

    def _announce(self, checkout: Row) -> Row:
        """The same, with an event unless it is still open."""
        if checkout["status"] != "open":
            if checkout["status"] != "processing":
                self._timeline.drop("expire_checkout", checkout["id"])
            self._webhooks.emit(f"checkout.{checkout['status']}", checkout, version=checkout["version"])
        return checkout


def decline_message(row: Row) -> str | None:
    """Why the last card was not taken, in words for the card holder."""
    return DECLINES[row["decline_code"]] if row["decline_code"] else None
