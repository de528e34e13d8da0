"""Payment intents and their charges: confirmed, asked about, settled, declined and given up."""

from collections.abc import Callable
from typing import Any

from devstack.simulator import accounts, cards
from devstack.simulator.clock import DAY_SECONDS, after_business_days, day_text
from devstack.simulator.store import new_id
from devstack.simulator.stripe import instruments
from devstack.simulator.stripe.balance import Balance
from devstack.simulator.stripe.errors import CardDeclinedError, Document, StripeError
from devstack.simulator.stripe.ground import Ground, subject_of
from devstack.simulator.stripe.methods import DEBITS, Methods
from devstack.simulator.stripe.objects import Thing

DISPUTED_AFTER_SECONDS = 2.0
SMALLEST = 50
_OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})


class Intents:
    """One intent is charged at most once; a decline leaves it open for another method."""

    def __init__(self, ground: Ground, methods: Methods, balance: Balance) -> None:
        self._ground = ground
        self._methods = methods
        self._balance = balance
        self._follow: Callable[[Thing], None] = lambda _intent: None
        ground.timeline.on("stripe_settle", self.settle)
        ground.timeline.on("stripe_bounce", self.bounce)

    def followed_by(self, follow: Callable[[Thing], None]) -> None:
        """Who hears when the intent of a Checkout session is settled or bounces."""
        self._follow = follow

    def create(self, values: dict[str, Any], **inside: Any) -> Thing:
        """An intent without a method; `values` are those of Stripe's fields that the caller chose."""
        subject = subject_of("create_charge", Thing({"metadata": values["metadata"]}))
        amount, currency = values["amount"], values["currency"]
        if amount < SMALLEST and not inside.get("session"):
            raise StripeError(
                f"Amount must be at least {SMALLEST} {currency}.", code="amount_too_small", param="amount"
            )
        if self._ground.faults.take("wrong_amount", subject):
            amount -= 1
        if self._ground.faults.take("wrong_currency", subject):
            currency = "eur" if currency != "eur" else "usd"
        intent_id = new_id("pi")
        intent: Document = {
            "id": intent_id, "object": "payment_intent", "amount": amount, "amount_received": 0,
            "amount_capturable": 0, "canceled_at": None, "cancellation_reason": None,
            "capture_method": "automatic_async", "client_secret": f"{intent_id}_secret",
            "confirmation_method": "automatic", "created": self._ground.asked_at(), "currency": currency,
            "customer": values.get("customer"), "description": None, "last_payment_error": None,
            "latest_charge": None, "livemode": False, "metadata": values["metadata"], "next_action": None,
            "payment_method": None, "payment_method_types": values.get("types") or ["card"],
            "setup_future_usage": values.get("setup_future_usage"), "status": "requires_payment_method",
        }  # fmt: skip
        return self._ground.objects.add(Thing(intent, inside))

    def confirm(
        self, intent: Thing, method: Thing, *, off_session: bool = False, return_url: str = ""
    ) -> Thing:
        """Charge a method. CardDeclinedError leaves the intent with its last error."""
        if intent["status"] not in _OPEN:
            raise StripeError(
                "You cannot confirm this PaymentIntent because it has already succeeded or been canceled.",
                code="payment_intent_unexpected_state",
            )
        if method["type"] not in intent["payment_method_types"]:
            raise StripeError(
                f'The payment method type "{method["type"]}" is not allowed here.',
                code="payment_intent_incompatible_payment_method",
            )
        instrument = self._methods.instrument(method)
        intent["payment_method"], intent["next_action"] = method.id, None
        intent.inside["return_url"] = return_url or intent.inside.get("return_url", "")
        if instrument.account is not None:
            self._debit(intent, method, instrument.account)
        elif instrument.card is not None:
            self._charge_card(intent, method, instrument.card, off_session=off_session)
        else:
            self._succeed(intent, method)
        return intent

    def _charge_card(self, intent: Thing, method: Thing, card: cards.TestCard, *, off_session: bool) -> None:
        set_up = method.inside["set_up"]
        asks = card.challenge == "always" or (card.challenge == "unless_set_up" and not set_up)
        if self._ground.faults.take("decline", subject_of("create_charge", intent)):
            self._decline(intent, method, "card_declined")
        if asks and off_session:
            self._decline(intent, method, "authentication_required")
        if asks:
            self._ask(intent)
        elif card.decline_code is not None:
            self._decline(intent, method, card.decline_code)
        else:
            self._succeed(intent, method)

    def _ask(self, intent: Thing) -> None:
        intent["status"] = "requires_action"
        back = intent.inside["return_url"]
        intent["next_action"] = (
            {
                "type": "redirect_to_url",
                "redirect_to_url": {"url": f"{self._ground.public_url}/3ds/{intent.id}", "return_url": back},
            }
            if back
            else {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        )
        self._ground.objects.save(intent)
        self._ground.events.tell("payment_intent.requires_action", intent)

    def answer(self, intent: Thing, *, approved: bool) -> Thing:
        """The card holder's answer to the bank; nothing happens when no question is open."""
        if intent["status"] != "requires_action":
            return intent
        method = self._ground.objects.get("payment_method", intent["payment_method"])
        card = self._methods.instrument(method).card
        with self._ground.store.transaction():
            try:
                if not approved:
                    self._fail(intent, method, _not_authenticated())
                if card is not None and card.decline_code is not None:
                    self._decline(intent, method, card.decline_code)
                self._succeed(intent, method)
            except CardDeclinedError:
                pass  # the intent says so
        return intent

    def _decline(self, intent: Thing, method: Thing, code: str) -> None:
        self._fail(intent, method, instruments.decline(code))

    def _fail(self, intent: Thing, method: Thing, error: Document, failure: str = "") -> None:
        """Raises CardDeclinedError, once the intent is open again and somebody is told."""
        charge = self._new_charge(
            intent, method, "failed", failure or error.get("decline_code") or error["code"]
        )
        intent["status"], intent["payment_method"], intent["next_action"] = (
            "requires_payment_method",
            None,
            None,
        )
        intent["latest_charge"] = charge.id
        intent["last_payment_error"] = error | {"charge": charge.id, "payment_method": method.document}
        self._ground.objects.save(intent)
        self._ground.events.tell("payment_intent.payment_failed", intent)
        shown = {name: value for name, value in intent.document.items() if name != "last_payment_error"}
        raise CardDeclinedError(intent["last_payment_error"] | {"payment_intent": shown | {
            "last_payment_error": intent["last_payment_error"]}})  # fmt: skip

    def _succeed(self, intent: Thing, method: Thing) -> None:
        charge = self._new_charge(intent, method, "succeeded")
        self._paid(intent, method, charge)

    def _paid(self, intent: Thing, method: Thing, charge: Thing) -> None:
        fee = cards.fee_minor_units(charge["amount"])
        kind = "charge" if method["type"] == "card" else "payment"
        line = self._balance.add(kind, charge.id, charge["amount"], charge["currency"], fee=fee)
        charge["balance_transaction"], charge["status"], charge["paid"] = line.id, "succeeded", True
        self._ground.objects.save(charge)
        intent["status"], intent["amount_received"], intent["next_action"] = (
            "succeeded",
            intent["amount"],
            None,
        )
        intent["latest_charge"], intent["last_payment_error"] = charge.id, None
        self._keep(intent, method)
        self._ground.objects.save(intent)
        self._what_comes_later(intent, method)
        self._ground.events.tell("payment_intent.succeeded", intent)

    def _keep(self, intent: Thing, method: Thing) -> None:
        if intent["setup_future_usage"] == "off_session" and intent["customer"]:
            self._methods.keep(method, intent["customer"])
            self._methods.set_up(method)

    def _what_comes_later(self, intent: Thing, method: Thing) -> None:
        now, instrument = self._ground.clock.now(), self._methods.instrument(method)
        if instrument.card is not None and instrument.card.later.startswith("disputed"):
            self._ground.timeline.add("stripe_dispute", intent.id, due_at=now + DISPUTED_AFTER_SECONDS)
        account = instrument.account
        if account is not None and account.late_return is not None:
            due_at = now + account.late_return[1] * DAY_SECONDS
            self._ground.timeline.add("stripe_return", intent.id, due_at=due_at)
        if account is not None and account.revoked_after_days:
            due_at = now + account.revoked_after_days * DAY_SECONDS
            self._ground.timeline.add("stripe_revoke_mandate", method.id, due_at=due_at)

    def _debit(self, intent: Thing, method: Thing, account: accounts.TestAccount) -> None:
        if accounts.CURRENCIES.get(intent["currency"].upper()) != account.scheme:
            raise StripeError(
                "The currency is not supported by this payment method.",
                code="payment_intent_incompatible_payment_method",
            )
        if not self._methods.may_debit(method):
            raise StripeError(
                "The provided mandate is invalid and can not be used for the payment intent.",
                code="payment_intent_mandate_invalid",
            )
        now = self._ground.clock.now()
        days = accounts.SETTLES_AFTER_BUSINESS_DAYS[account.scheme]
        action, after = ("stripe_bounce", accounts.EARLY_RETURN_AFTER_BUSINESS_DAYS) if account.early_return else (
            "stripe_settle", days)  # fmt: skip
        charge = self._new_charge(intent, method, "pending")
        intent["status"], intent["latest_charge"] = "processing", charge.id
        self._keep(intent, method)
        self._ground.objects.save(intent)
        self._ground.timeline.add(action, intent.id, due_at=after_business_days(now, after))
        self._ground.events.tell("payment_intent.processing", intent)

    def settle(self, intent_id: str) -> None:
        """A debit went through."""
        intent = self._ground.objects.get("payment_intent", intent_id)
        if intent["status"] != "processing":
            return
        with self._ground.store.transaction():
            method = self._ground.objects.get("payment_method", intent["payment_method"])
            self._paid(intent, method, self._ground.objects.get("charge", intent["latest_charge"]))
            self._follow(intent)

    def bounce(self, intent_id: str) -> None:
        """A debit came back before it had settled."""
        intent = self._ground.objects.get("payment_intent", intent_id)
        if intent["status"] != "processing":
            return
        method = self._ground.objects.get("payment_method", intent["payment_method"])
        account = self._methods.instrument(method).account
        reason = (
            account.early_return[1] if account is not None and account.early_return else "insufficient_funds"
        )
        failure = {"account_closed": "no_account"}.get(reason, reason)
        error = {
            "type": "card_error",
            "code": "payment_intent_payment_attempt_failed",
            "message": "The customer's bank did not carry out the debit.",
        }
        with self._ground.store.transaction():
            charge = self._ground.objects.get("charge", intent["latest_charge"])
            charge["status"], charge["failure_code"], charge["failure_message"] = (
                "failed",
                failure,
                error["message"],
            )
            self._ground.objects.save(charge)
            intent["status"], intent["payment_method"] = "requires_payment_method", None
            intent["last_payment_error"] = error | {"charge": charge.id, "payment_method": method.document}
            self._ground.objects.save(intent)
            self._ground.events.tell("payment_intent.payment_failed", intent)
            self._follow(intent)

    def cancel(self, intent: Thing, reason: str = "requested_by_customer") -> Thing:
        """POST /v1/payment_intents/{id}/cancel"""
        if intent["status"] not in _OPEN:
            raise StripeError(
                f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
                code="payment_intent_unexpected_state",
            )
        intent["status"], intent["canceled_at"], intent["cancellation_reason"] = (
            "canceled", self._ground.now(), reason,
        )  # fmt: skip
        intent["next_action"] = None
        self._ground.objects.save(intent)
        self._ground.events.tell("payment_intent.canceled", intent)
        return intent

    def _new_charge(self, intent: Thing, method: Thing, status: str, failure: str = "") -> Thing:
        type_ = method["type"]
        details = dict(method[type_])
        if type_ in DEBITS:
            mandate, now = self._methods.mandate_of(method), self._ground.clock.now()
            details["mandate"] = mandate.id if mandate is not None else None
            details["expected_debit_date"] = day_text(after_business_days(now, 1))
        charge: Document = {
            "id": new_id("ch" if type_ == "card" else "py"), "object": "charge", "amount": intent["amount"],
            "amount_captured": intent["amount"] if status == "succeeded" else 0, "amount_refunded": 0,
            "balance_transaction": None, "captured": status != "failed", "created": self._ground.now(),
            "currency": intent["currency"], "customer": intent["customer"], "disputed": False,
            "failure_code": failure or None, "failure_message": None, "livemode": False,
            "metadata": intent["metadata"], "paid": status == "succeeded", "payment_intent": intent.id,
            "payment_method": method.id, "payment_method_details": {"type": type_, type_: details},
            "refunded": False, "status": status,
        }  # fmt: skip
        return self._ground.objects.add(Thing(charge, parent=intent.id))


def _not_authenticated() -> Document:
    return {
        "type": "invalid_request_error",
        "code": "payment_intent_authentication_failure",
        "message": "The provided PaymentMethod has failed authentication.",
    }
