"""What the provider does with money: checkouts, charges, and the one way each of them may end."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devstack.simulator.cards import DECLINES, TestCard, fee_minor_units
from devstack.simulator.faults import Faults, Subject
from devstack.simulator.store import Row, Store, new_id
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import HttpError

MAX_TRIES = 5
TOKEN_EXPIRY = "12/2034"  # noqa: S105


@dataclass(frozen=True)
class Terms:
    """How much is charged and for what."""

    amount_minor_units: int
    currency: str
    reference: str
    metadata: dict[str, str]

    def subject(self, operation: str) -> Subject:
        """What faults are matched with."""
        return Subject(operation, self.reference, self.metadata)


@dataclass(frozen=True)
class CheckoutOrder:
    """What a merchant asks a customer to pay on the hosted page."""

    terms: Terms
    description: str
    return_url: str
    merchant_name: str
    customer_name: str
    line_items: list[dict[str, Any]]
    expires_in_seconds: int


@dataclass(frozen=True)
class ChargeOrder:
    """What a merchant charges to a card it holds a token of."""

    terms: Terms
    card: TestCard


@dataclass(frozen=True)
class PaidWith:
    """A card as far as it is ever stored, and what will become of the charge."""

    brand: str
    last4: str
    exp: str
    decline_code: str | None

    @classmethod
    def of(cls, card: TestCard, exp: str) -> "PaidWith":
        return cls(card.brand, card.last4, exp, card.decline_code)


class Charging:
    """The operations of the provider; each is one transaction that ends before the caller is answered."""

    def __init__(self, store: Store, faults: Faults, webhooks: Webhooks) -> None:
        self._store = store
        self._faults = faults
        self._webhooks = webhooks

    def once(
        self, operation: str, key: str, body: dict[str, Any], create: Callable[[], str]
    ) -> tuple[str, bool]:
        """The id that `create` makes for this key, and whether it was made earlier; 409 for another body."""
        fingerprint = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
        with self._store.transaction():
            known = self._store.one(
                "SELECT * FROM idempotency_keys WHERE operation = :operation AND key = :key",
                operation=operation,
                key=key,
            )
            if known is not None:
                if known["fingerprint"] != fingerprint:
                    raise HttpError(
                        409, "idempotency_key_reused", "This key was used with another request body."
                    )
                return known["object_id"], True
            object_id = create()
            self._store.insert(
                "idempotency_keys",
                operation=operation,
                key=key,
                fingerprint=fingerprint,
                object_id=object_id,
            )
            return object_id, False

    def create_checkout(self, order: CheckoutOrder) -> str:
        """Insert an open checkout; inside the caller's transaction."""
        checkout_id, now = new_id("co"), time.time()
        self._store.insert(
            "checkouts",
            id=checkout_id,
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
            created_at=now,
            expires_at=now + order.expires_in_seconds,
        )
        return checkout_id

    def create_charge(self, order: ChargeOrder) -> str:
        """Charge a token, inside the caller's transaction; a card that must ask first is declined."""
        paid_with = PaidWith.of(order.card, TOKEN_EXPIRY)
        if order.card.challenge == "always":
            paid_with = PaidWith(paid_with.brand, paid_with.last4, TOKEN_EXPIRY, "authentication_required")
        charge = self._insert_charge(
            order.terms,
            self._with_fault(paid_with, order.terms.subject("create_charge")),
            checkout_id=None,
        )
        self._webhooks.emit(f"charge.{charge['status']}", charge)
        return str(charge["id"])

    def _with_fault(self, paid_with: PaidWith, subject: Subject) -> PaidWith:
        if self._faults.take("decline", subject):
            return PaidWith(paid_with.brand, paid_with.last4, paid_with.exp, "card_declined")
        return paid_with

    def _insert_charge(self, terms: Terms, paid_with: PaidWith, *, checkout_id: str | None) -> Row:
        charge_id = new_id("ch")
        declined = paid_with.decline_code is not None
        self._store.insert(
            "charges",
            id=charge_id,
            checkout_id=checkout_id,
            status="failed" if declined else "succeeded",
            amount_minor_units=terms.amount_minor_units,
            currency=terms.currency,
            reference=terms.reference,
            metadata=json.dumps(terms.metadata),
            attempt_id=terms.metadata.get("attempt_id", ""),
            decline_code=paid_with.decline_code,
            brand=paid_with.brand,
            last4=paid_with.last4,
            exp=paid_with.exp,
            fee_minor_units=0 if declined else fee_minor_units(terms.amount_minor_units),
            created_at=time.time(),
        )
        row = self._store.one("SELECT * FROM charges WHERE id = :id", id=charge_id)
        assert row is not None
        return row

    def checkout(self, checkout_id: str) -> Row:
        """The checkout, expired first if its time is up; 404 when there is none."""
        row = self._store.one("SELECT * FROM checkouts WHERE id = :id", id=checkout_id)
        if row is None:
            raise HttpError(404, "not_found", "There is no such checkout.")
        if row["status"] == "open" and row["expires_at"] <= time.time():
            return self.cancel(checkout_id, "expired")
        return row

    def try_card(self, checkout_id: str, card: TestCard, exp: str, *, seen_tries: int) -> Row:
        """Pay an open checkout with a card typed on its page.

        A second click on the same form changes nothing: `seen_tries` is the number of tries the form was
        shown with, and only the first submission still finds it unchanged.
        """
        checkout = self.checkout(checkout_id)
        if checkout["status"] != "open" or checkout["tries"] != seen_tries or checkout["challenge"]:
            return checkout
        paid_with = PaidWith.of(card, exp)
        if card.challenge == "always":
            self._store.execute(
                "UPDATE checkouts SET challenge = :challenge WHERE id = :id",
                challenge=json.dumps(vars(paid_with)),
                id=checkout_id,
            )
            return self.checkout(checkout_id)
        return self._settle(checkout, paid_with)

    def answer_challenge(self, checkout_id: str, *, approved: bool) -> Row:
        """Go on after the bank asked the card holder; nothing happens when no question is open."""
        checkout = self.checkout(checkout_id)
        if checkout["status"] != "open" or not checkout["challenge"]:
            return checkout
        paid_with = PaidWith(**json.loads(checkout["challenge"]))
        if not approved:
            paid_with = PaidWith(paid_with.brand, paid_with.last4, paid_with.exp, "authentication_failed")
        return self._settle(checkout, paid_with)

    def _settle(self, checkout: Row, paid_with: PaidWith) -> Row:
        terms = terms_of(checkout)
        with self._store.transaction():
            charge = self._insert_charge(
                terms,
                self._with_fault(paid_with, terms.subject("pay_checkout")),
                checkout_id=checkout["id"],
            )
            tries = checkout["tries"] + 1
            ended_badly = "failed" if tries >= MAX_TRIES else "open"
            status = "completed" if charge["status"] == "succeeded" else ended_badly
            self._store.execute(
                "UPDATE checkouts SET status = :status, tries = :tries, challenge = NULL,"
                " charge_id = :charge_id, decline_code = :decline_code, version = version + 1,"
                " finished_at = :finished_at WHERE id = :id",
                status=status,
                tries=tries,
                charge_id=charge["id"] if status == "completed" else None,
                decline_code=charge["decline_code"],
                finished_at=None if status == "open" else time.time(),
                id=checkout["id"],
            )
            return self._announce(checkout["id"])

    def cancel(self, checkout_id: str, reason: str) -> Row:
        """End an open checkout without a payment; a finished one is returned as it is."""
        with self._store.transaction():
            canceled = self._store.execute(
                "UPDATE checkouts SET status = 'canceled', cancel_reason = :reason, challenge = NULL,"
                " version = version + 1, finished_at = :now WHERE id = :id AND status = 'open'",
                reason=reason,
                now=time.time(),
                id=checkout_id,
            )
            if canceled.rowcount:
                return self._announce(checkout_id)
        row = self._store.one("SELECT * FROM checkouts WHERE id = :id", id=checkout_id)
        if row is None:
            raise HttpError(404, "not_found", "There is no such checkout.")
        return row

    def leave(self, checkout_id: str) -> Row:
        """The customer goes back unpaid: failed when a card was declined, else canceled."""
        checkout = self.checkout(checkout_id)
        if checkout["status"] != "open":
            return checkout
        if not checkout["decline_code"]:
            return self.cancel(checkout_id, "left_by_customer")
        with self._store.transaction():
            self._store.execute(
                "UPDATE checkouts SET status = 'failed', challenge = NULL, version = version + 1,"
                " finished_at = :now WHERE id = :id",
                now=time.time(),
                id=checkout_id,
            )
            return self._announce(checkout_id)

    def _announce(self, checkout_id: str) -> Row:
        """The checkout as it now is, with an event when it has just ended."""
        row = self._store.one("SELECT * FROM checkouts WHERE id = :id", id=checkout_id)
        assert row is not None
        if row["status"] != "open":
            self._webhooks.emit(f"checkout.{row['status']}", row, version=row["version"])
        return row

    def expire_due(self) -> float:
        """Cancel checkouts whose time is up; returns the seconds until it should be called again."""
        now = time.time()
        for row in self._store.all(
            "SELECT id FROM checkouts WHERE status = 'open' AND expires_at <= :now", now=now
        ):
            self.cancel(row["id"], "expired")
        following = self._store.one("SELECT min(expires_at) AS at FROM checkouts WHERE status = 'open'")
        if following is None or following["at"] is None:
            return 5.0
        return float(min(max(following["at"] - now, 0.05), 5.0))


def terms_of(checkout: Row) -> Terms:
    """The terms of a stored checkout."""
    return Terms(
        checkout["amount_minor_units"],
        checkout["currency"],
        checkout["reference"],
        json.loads(checkout["metadata"]),
    )


def decline_message(checkout: Row) -> str | None:
    """Why the last card was not charged, in words for the card holder."""
    return DECLINES[checkout["decline_code"]] if checkout["decline_code"] else None
