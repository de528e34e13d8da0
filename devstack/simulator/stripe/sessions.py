"""Checkout sessions: a page on which an intent is paid or a method is saved."""

from typing import Any

from devstack.simulator.clock import DAY_SECONDS
from devstack.simulator.store import new_id
from devstack.simulator.stripe.errors import CardDeclinedError, Document, StripeError
from devstack.simulator.stripe.ground import Ground
from devstack.simulator.stripe.instruments import Instrument
from devstack.simulator.stripe.intents import Intents
from devstack.simulator.stripe.methods import DEBITS, Methods
from devstack.simulator.stripe.objects import Thing

EXPIRES_AFTER_SECONDS = DAY_SECONDS


class Sessions:
    """A session is open until it is completed or expires; leaving its page changes nothing."""

    def __init__(self, ground: Ground, methods: Methods, intents: Intents) -> None:
        self._ground = ground
        self._methods = methods
        self._intents = intents
        intents.followed_by(self._settled)
        ground.timeline.on("stripe_expire", self._expire_when_due)

    def create(self, values: dict[str, Any], inside: dict[str, Any]) -> Thing:
        """POST /v1/checkout/sessions; `values` are Stripe's fields, `inside` what is needed later."""
        session_id, asked_at = new_id("cs_test"), self._ground.asked_at()
        setup = None
        if values["mode"] == "setup":
            setup = self._methods.create_setup(
                inside["intent_metadata"], values["customer"], values["payment_method_types"]
            )
        session: Document = {
            "id": session_id, "object": "checkout.session", "created": asked_at, "livemode": False,
            "expires_at": asked_at + int(EXPIRES_AFTER_SECONDS), "payment_intent": None,
            "payment_status": "no_payment_required" if setup else "unpaid", "status": "open",
            "setup_intent": setup.id if setup else None, "subscription": None,
            "url": f"{self._ground.public_url}/c/pay/{session_id}", **values,
        }  # fmt: skip
        due_at = self._ground.clock.now() + EXPIRES_AFTER_SECONDS
        self._ground.timeline.add("stripe_expire", session_id, due_at=due_at)
        return self._ground.objects.add(Thing(session, inside))

    def get(self, session_id: str) -> Thing:
        return self._ground.objects.get("checkout.session", session_id)

    def intent_of(self, session: Thing) -> Thing | None:
        """The payment intent, once somebody has tried to pay."""
        found = session["payment_intent"]
        return None if found is None else self._ground.objects.get("payment_intent", found)

    def pay(
        self, session_id: str, instrument: Instrument, *, exp: str = "12/2034", acceptance: dict[str, str]
    ) -> Thing:
        """Somebody pays on the page, or saves a method there. A decline leaves it open."""
        session = self.get(session_id)
        if session["status"] != "open":
            return session
        with self._ground.store.transaction():
            method = self._methods.create(instrument, exp=exp, holder=acceptance.get("name", ""))
            mandate = None
            if method["type"] in DEBITS:
                mandate = self._methods.new_mandate(method, acceptance)
            session.inside["decline"] = ""
            if session["mode"] == "setup":
                self._save_method(session, method, mandate, instrument)
            else:
                self._pay(session, method)
            return self._ground.objects.save(session)

    def _pay(self, session: Thing, method: Thing) -> None:
        intent = self.intent_of(session) or self._new_intent(session)
        session["payment_intent"] = intent.id
        self._ground.objects.save(session)
        try:
            self._intents.confirm(intent, method, return_url=session["success_url"])
        except CardDeclinedError as error:
            session.inside["decline"] = error.body["error"]["message"]
        self._after(session, intent)

    def _new_intent(self, session: Thing) -> Thing:
        if session["customer"] is None and session["customer_creation"] == "always":
            session["customer"] = self._methods.create_customer({}).id
        values = {
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": session["customer"],
            "metadata": session.inside["intent_metadata"],
            "setup_future_usage": session.inside.get("setup_future_usage"),
            "types": session["payment_method_types"],
        }
        return self._intents.create(values, session=session.id)

    def _after(self, session: Thing, intent: Thing) -> None:
        """The session follows its intent."""
        if session["status"] != "open" or intent["status"] not in ("succeeded", "processing"):
            return
        session["status"], session["url"] = "complete", None
        session["payment_status"] = "paid" if intent["status"] == "succeeded" else "unpaid"
        self._ground.objects.save(session)
        self._ground.timeline.drop("stripe_expire", session.id)
        self._ground.events.tell("checkout.session.completed", session)

    def answer(self, session_id: str, *, approved: bool) -> Thing:
        """The card holder's answer to the bank."""
        session = self.get(session_id)
        with self._ground.store.transaction():
            if session["mode"] == "setup":
                self._answer_setup(session, approved=approved)
            elif (intent := self.intent_of(session)) is not None:
                self._intents.answer(intent, approved=approved)
                error = intent["last_payment_error"]
                session.inside["decline"] = error["message"] if error else ""
                self._after(session, intent)
            return self._ground.objects.save(session)

    def _save_method(
        self, session: Thing, method: Thing, mandate: Thing | None, instrument: Instrument
    ) -> None:
        card = instrument.card
        if card is not None and card.challenge != "never":
            session.inside["asked_about"] = method.id
        elif card is not None and card.decline_code is not None and not card.charges_only:
            session.inside["decline"] = "Your card was declined."
        else:
            self._saved(session, method, mandate)

    def _answer_setup(self, session: Thing, *, approved: bool) -> None:
        method_id = session.inside.pop("asked_about", "")
        if not method_id or session["status"] != "open":
            return
        if not approved:
            session.inside["decline"] = "Your bank could not confirm that it is you."
            return
        self._saved(session, self._ground.objects.get("payment_method", method_id), None)

    def _saved(self, session: Thing, method: Thing, mandate: Thing | None) -> None:
        setup = self._ground.objects.get("setup_intent", session["setup_intent"])
        self._methods.finish_setup(setup, method, mandate)
        session["status"], session["url"] = "complete", None
        self._ground.timeline.drop("stripe_expire", session.id)
        self._ground.objects.save(session)
        self._ground.events.tell("checkout.session.completed", session)

    def _settled(self, intent: Thing) -> None:
        """A debit of a session settled or bounced."""
        if not (session_id := intent.inside.get("session")):
            return
        session = self.get(session_id)
        paid = intent["status"] == "succeeded"
        session["payment_status"] = "paid" if paid else "unpaid"
        self._ground.objects.save(session)
        word = "succeeded" if paid else "failed"
        self._ground.events.tell(f"checkout.session.async_payment_{word}", session)

    def expire(self, session_id: str) -> Thing:
        """POST /v1/checkout/sessions/{id}/expire"""
        session = self.get(session_id)
        if session["status"] != "open":
            raise StripeError(
                f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a'
                f" status of {session['status']}."
            )
        self._ground.timeline.drop("stripe_expire", session_id)
        session["status"], session["url"] = "expired", None
        intent = self.intent_of(session)
        if intent is not None and intent["status"] != "canceled":
            self._intents.cancel(intent, "abandoned")
        self._ground.objects.save(session)
        self._ground.events.tell("checkout.session.expired", session)
        return session

    def _expire_when_due(self, session_id: str) -> None:
        if self.get(session_id)["status"] == "open":
            self.expire(session_id)
