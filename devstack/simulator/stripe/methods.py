"""Customers, payment methods, mandates and setup intents."""

from typing import Any

from devstack.simulator.store import new_id
from devstack.simulator.stripe import instruments
from devstack.simulator.stripe.errors import Document, StripeError, missing
from devstack.simulator.stripe.ground import Ground
from devstack.simulator.stripe.instruments import Instrument
from devstack.simulator.stripe.objects import Thing

DEBITS = frozenset({"us_bank_account", "sepa_debit"})


class Methods:
    """A method belongs to one customer for good, or is used once."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        ground.timeline.on("stripe_revoke_mandate", self.revoke_mandate)

    def create_customer(self, metadata: dict[str, str], name: str = "", email: str = "") -> Thing:
        """POST /v1/customers"""
        customer: Document = {
            "id": new_id("cus"), "object": "customer", "created": self._ground.asked_at(), "livemode": False,
            "name": name or None, "email": email or None, "metadata": metadata,
        }  # fmt: skip
        return self._ground.objects.add(Thing(customer))

    def create(
        self, instrument: Instrument, *, exp: str = "12/2034", customer: str | None = None, holder: str = ""
    ) -> Thing:
        """A new method; attached at once if it has a customer."""
        method: Document = {
            "id": new_id("pm"), "object": "payment_method", "type": instrument.type, "livemode": False,
            "created": self._ground.now(), "customer": customer, "metadata": {},
            "billing_details": {"name": holder or None, "email": None, "phone": None, "address": None},
            instrument.type: instruments.details(instrument, exp),
        }  # fmt: skip
        inside = {"key": instrument.key, "wallet": instrument.wallet, "exp": exp, "set_up": False}
        return self._ground.objects.add(Thing(method, inside, parent=customer or ""))

    def instrument(self, method: Thing) -> Instrument:
        """What a method was made from."""
        return instruments.of_key(method["type"], method.inside["key"], method.inside["wallet"])

    def to_charge(self, name: str, customer: str | None) -> Thing:
        """The method that a request names: a test method of the documentation, or one made before."""
        if (instrument := instruments.by_name(name)) is not None:
            return self.create(instrument)
        method = self._ground.objects.get("payment_method", name, param="payment_method", status=400)
        if method["customer"] != customer:
            if customer:
                message = (
                    f"The customer does not have a payment method with the ID {name}. The payment method must be"
                    " attached to the customer."
                )
                raise StripeError(message, code="resource_missing", param="payment_method")
            message = "The payment method belongs to a customer; name the customer as well."
            raise StripeError(message, code="payment_method_unexpected_state", param="payment_method")
        return method

    def from_token(self, token: str) -> Thing:
        """A method of a card's token."""
        instrument = instruments.by_name(token) if token.startswith("tok_") else None
        if instrument is None:
            raise missing("token", token, "payment_method_data[card][token]", status=400)
        return self.create(instrument)

    def attach(self, method_id: str, customer_id: str) -> Thing:
        """POST /v1/payment_methods/{id}/attach"""
        customer = self._ground.objects.get("customer", customer_id, param="customer", status=400)
        if (instrument := instruments.by_name(method_id)) is not None:
            return self.create(instrument, customer=customer.id)
        method = self._ground.objects.get("payment_method", method_id)
        return self.keep(method, customer.id)

    def keep(self, method: Thing, customer_id: str) -> Thing:
        """Attach a method to its customer."""
        if method["customer"] not in (None, customer_id) or method.inside.get("detached"):
            raise StripeError(
                "The payment method you provided has already been attached to a customer.",
                code="payment_method_unexpected_state",
            )
        method["customer"] = method.parent = customer_id
        return self._ground.objects.save(method)

    def set_up(self, method: Thing) -> None:
        """Its bank has agreed to later charges."""
        method.inside["set_up"] = True
        self._ground.objects.save(method)

    def detach(self, method_id: str) -> Thing:
        """POST /v1/payment_methods/{id}/detach"""
        method = self._ground.objects.get("payment_method", method_id)
        if method["customer"] is None:
            raise StripeError(
                "The payment method you provided is not attached to a customer so detachment is impossible."
            )
        self.revoke_mandate(method.id)
        method["customer"], method.parent, method.inside["detached"] = None, "", True
        self._ground.objects.save(method)
        self._ground.events.tell("payment_method.detached", method)
        return method

    def new_mandate(self, method: Thing, acceptance: dict[str, str]) -> Thing:
        """What an account holder has just agreed to, on a page of ours."""
        type_ = method["type"]
        own: dict[str, Any] = {"collection_method": "paper"} if type_ == "us_bank_account" else {}
        if type_ == "sepa_debit":
            reference = new_id("M")[:20].upper()
            own = {"reference": reference, "url": f"{self._ground.public_url}/mandates/{reference}"}
        mandate: Document = {
            "id": new_id("mandate"), "object": "mandate", "livemode": False, "type": "multi_use",
            "status": "active", "payment_method": method.id, "multi_use": {},
            "customer_acceptance": {
                "accepted_at": self._ground.now(), "type": "online",
                "online": {"ip_address": acceptance.get("ip"), "user_agent": acceptance.get("user_agent")},
            },
            "payment_method_details": {"type": type_, type_: own},
        }  # fmt: skip
        return self._ground.objects.add(Thing(mandate, parent=method.id))

    def mandate_of(self, method: Thing) -> Thing | None:
        """The method's newest mandate."""
        return next(iter(self._ground.objects.of("mandate", method.id)), None)

    def revoke_mandate(self, method_id: str) -> None:
        """The account holder no longer allows debits; harmless a second time."""
        method = self._ground.objects.get("payment_method", method_id)
        mandate = self.mandate_of(method)
        if mandate is None or mandate["status"] == "inactive":
            return
        with self._ground.store.transaction():
            mandate["status"] = "inactive"
            self._ground.objects.save(mandate)
            self._ground.events.tell("mandate.updated", mandate)

    def may_debit(self, method: Thing) -> bool:
        """Whether the account holder still allows it."""
        mandate = self.mandate_of(method)
        return mandate is None or mandate["status"] == "active"

    def create_setup(self, metadata: dict[str, str], customer: str | None, types: list[str]) -> Thing:
        """A setup intent that waits for its method."""
        intent: Document = {
            "id": new_id("seti"), "object": "setup_intent", "created": self._ground.asked_at(), "livemode": False,
            "customer": customer, "metadata": metadata, "payment_method": None, "payment_method_types": types,
            "mandate": None, "last_setup_error": None, "next_action": None, "status": "requires_payment_method",
            "usage": "off_session",
        }  # fmt: skip
        return self._ground.objects.add(Thing(intent))

    def finish_setup(self, intent: Thing, method: Thing, mandate: Thing | None) -> Thing:
        """The method is saved."""
        self.keep(method, intent["customer"])
        self.set_up(method)
        intent["payment_method"], intent["status"], intent["last_setup_error"] = method.id, "succeeded", None
        intent["mandate"] = mandate.id if mandate is not None else None
        intent.parent = method.id
        self._ground.objects.save(intent)
        self._ground.events.tell("setup_intent.succeeded", intent)
        return intent
