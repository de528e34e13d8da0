"""Saved methods: cards and accounts kept for later, the pages on which they are saved, and mandates."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from devstack.simulator import accounts, cards
from devstack.simulator.clock import Clock
from devstack.simulator.orders import PaidWith, SetupOrder, Terms
from devstack.simulator.store import Row, Store, new_id
from devstack.simulator.timeline import Timeline
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import HttpError


@dataclass(frozen=True)
class Acceptance:
    """Who said yes to a mandate, as far as it is recorded."""

    holder: str
    ip: str
    user_agent: str


class Saving:
    """Methods belong to a customer of the provider, who comes into being with the first of them."""

    def __init__(self, store: Store, clock: Clock, timeline: Timeline, webhooks: Webhooks) -> None:
        self._store = store
        self._clock = clock
        self._timeline = timeline
        self._webhooks = webhooks
        timeline.on("revoke_mandate", self.revoke_mandate)
        timeline.on("expire_setup", lambda setup_id: self._end(setup_id, "expired"))

    def method(self, method_id: str) -> Row:
        """A method that can be charged; 404 when there is none, or it was detached."""
        row = self._store.by_id("methods", method_id)
        if row is None or row["status"] == "detached":
            raise HttpError(404, "not_found", "There is no such method.")
        return row

    def save_for(self, paid_with: PaidWith, terms: Terms) -> PaidWith:
        """Keep the card that is being charged; inside the caller's transaction."""
        method = self._keep(paid_with, metadata=terms.metadata, status="saved")
        return replace(paid_with, customer_id=method["customer_id"], method_id=method["id"], saved=True)

    def debit_with(
        self,
        account: accounts.TestAccount,
        mandate: dict[str, Any],
        *,
        customer_id: str,
        saved: bool,
        metadata: dict[str, str],
    ) -> PaidWith:
        """An account with its mandate, kept for later or for this one debit."""
        paid_with = replace(PaidWith.account(account), customer_id=customer_id, saved=saved)
        method = self._keep(
            paid_with, metadata=metadata, status="saved" if saved else "unsaved", mandate=mandate
        )
        return replace(paid_with, customer_id=method["customer_id"], method_id=method["id"])

    def _keep(
        self,
        paid_with: PaidWith,
        *,
        metadata: dict[str, str],
        status: str,
        mandate: dict[str, Any] | None = None,
    ) -> Row:
        method_id = new_id("pm")
        self._store.insert(
            "methods",
            id=method_id,
            customer_id=paid_with.customer_id or new_id("cus"),
            kind=paid_with.kind,
            instrument=paid_with.instrument,
            status=status,
            set_up=True,
            brand=paid_with.brand,
            last4=paid_with.last4,
            exp=paid_with.exp,
            fingerprint=hashlib.sha256(paid_with.instrument.encode()).hexdigest()[:16],
            mandate=json.dumps(mandate or {}),
            reference="",
            metadata=json.dumps(metadata),
            attempt_id=metadata.get("attempt_id", ""),
            created_at=self._clock.now(),
        )
        return self.method(method_id)

    def mandate(self, scheme: str, merchant_name: str, last4: str, acceptance: Acceptance) -> dict[str, Any]:
        """The record of a mandate that has just been accepted."""
        return {
            "reference": new_id("mndt")[:21].upper(),
            "text": mandate_text(scheme, merchant_name),
            "account_ending": last4,
            "accepted_at": self._clock.now(),
            "accepted_from": vars(acceptance),
        }

    def detach(self, method_id: str) -> Row:
        """Forget a method and revoke its mandate."""
        method = self.method(method_id)
        with self._store.transaction():
            mandate = json.loads(method["mandate"])
            if mandate:
                mandate.setdefault("revoked_at", self._clock.now())
            method = self._store.change("methods", method_id, status="detached", mandate=json.dumps(mandate))
            self._webhooks.emit("method.detached", method, version=method["version"])
        return method

    def revoke_mandate(self, method_id: str) -> Row:
        """The account holder no longer allows debits; harmless a second time."""
        method = self._store.by_id("methods", method_id)
        if method is None:
            raise HttpError(404, "not_found", "There is no such method.")
        mandate = json.loads(method["mandate"])
        if not mandate or mandate.get("revoked_at"):
            return method
        with self._store.transaction():
            mandate["revoked_at"] = self._clock.now()
            method = self._store.change("methods", method_id, mandate=json.dumps(mandate))
            self._webhooks.emit("method.mandate_revoked", method, version=method["version"])
        return method

    def renew_card(self, method_id: str, *, exp: str) -> Row:
        """The bank sent a new card: the same number with another expiry date."""
        if self.method(method_id)["kind"] != "card":
            raise HttpError(400, "invalid", "Only cards expire.", field="exp")
        with self._store.transaction():
            method = self._store.change("methods", method_id, exp=exp)
            self._webhooks.emit("method.updated", method, version=method["version"])
        return method

    def create_setup(self, order: SetupOrder) -> str:
        """Open a page on which a method is saved; inside the caller's transaction."""
        setup_id, now = new_id("seti"), self._clock.now()
        expires_at = now + order.expires_in_seconds
        self._store.insert(
            "setups",
            id=setup_id,
            setup_id=order.metadata.get("setup_id", ""),
            kind=order.kind,
            status="requires_action",
            customer_id=order.customer_id,
            merchant_name=order.merchant_name,
            return_url=order.return_url,
            reference="",
            metadata=json.dumps(order.metadata),
            attempt_id="",
            created_at=now,
            expires_at=expires_at,
        )
        self._timeline.add("expire_setup", setup_id, due_at=expires_at)
        return setup_id

    def setup(self, setup_id: str) -> Row:
        """The setup; 404 when there is none."""
        row = self._store.by_id("setups", setup_id)
        if row is None:
            raise HttpError(404, "not_found", "There is no such setup.")
        return row

    def save_card(self, setup_id: str, card: cards.TestCard, exp: str) -> Row:
        """Save a card typed on the setup's page; the bank may ask first or decline."""
        setup = self.setup(setup_id)
        if setup["status"] != "requires_action" or setup["challenge"]:
            return setup
        if card.challenge != "never":
            challenge = json.dumps({"token": card.token, "exp": exp})
            return self._store.change("setups", setup_id, challenge=challenge)
        return self._try_to_save(setup, card, exp)

    def answer_challenge(self, setup_id: str, *, approved: bool) -> Row:
        """Go on after the bank asked the card holder; nothing happens when no question is open."""
        setup = self.setup(setup_id)
        if setup["status"] != "requires_action" or not setup["challenge"]:
            return setup
        asked = json.loads(setup["challenge"])
        card = cards.by_token(asked["token"])
        if not approved or card is None:
            return self._store.change(
                "setups", setup_id, challenge=None, decline_code="authentication_failed"
            )
        return self._try_to_save(setup, card, asked["exp"])

    def _try_to_save(self, setup: Row, card: cards.TestCard, exp: str) -> Row:
        # A card that asks first and is then declined shows that only when it is charged.
        if card.decline_code and not card.charges_only and card.challenge == "never":
            return self._store.change("setups", setup["id"], decline_code=card.decline_code)
        paid_with = replace(PaidWith.card(card, exp), customer_id=setup["customer_id"])
        return self._saved(setup, paid_with, None)

    def save_account(self, setup_id: str, account: accounts.TestAccount, acceptance: Acceptance) -> Row:
        """Save an account whose holder has accepted the mandate."""
        setup = self.setup(setup_id)
        if setup["status"] != "requires_action":
            return setup
        mandate = self.mandate(account.scheme, setup["merchant_name"], account.last4, acceptance)
        paid_with = replace(PaidWith.account(account), customer_id=setup["customer_id"])
        return self._saved(setup, paid_with, mandate)

    def _saved(self, setup: Row, paid_with: PaidWith, mandate: dict[str, Any] | None) -> Row:
        with self._store.transaction():
            metadata = json.loads(setup["metadata"])
            method = self._keep(paid_with, metadata=metadata, status="saved", mandate=mandate)
            self._timeline.drop("expire_setup", setup["id"])
            setup = self._store.change(
                "setups",
                setup["id"],
                status="succeeded",
                challenge=None,
                decline_code=None,
                method_id=method["id"],
                customer_id=method["customer_id"],
            )
            self._webhooks.emit("setup.succeeded", setup, version=setup["version"])
        return setup

    def leave(self, setup_id: str) -> Row:
        """The customer goes back without saving anything."""
        return self._end(setup_id, "left_by_customer")

    def _end(self, setup_id: str, code: str) -> Row:
        setup = self.setup(setup_id)
        if setup["status"] != "requires_action":
            return setup
        with self._store.transaction():
            self._timeline.drop("expire_setup", setup_id)
            code = setup["decline_code"] or code
            setup = self._store.change("setups", setup_id, status="failed", failure_code=code, challenge=None)
            self._webhooks.emit("setup.failed", setup, version=setup["version"])
        return setup


def mandate_text(scheme: str, merchant_name: str) -> str:
    """What an account holder agrees to."""
    if scheme == "sepa":
        return (
            f"I authorise (A) {merchant_name} to send instructions to my bank to debit my account and (B) my bank"
            f" to debit my account in accordance with the instructions from {merchant_name}. As part of my rights,"
            " I am entitled to a refund from my bank under the terms of my agreement with it. A refund must be"
            " claimed within eight weeks starting from the date on which my account was debited."
        )
    return (
        f"I authorize {merchant_name} to debit the bank account given above for the amounts I owe, in accordance"
        " with the terms under which I buy, until I revoke this authorization. I may revoke it at any time by"
        f" notifying {merchant_name} at least three business days before the next debit."
    )
