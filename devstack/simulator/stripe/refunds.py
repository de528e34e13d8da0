"""Refunds: some take a day, some fail after they had succeeded."""

from devstack.simulator.clock import DAY_SECONDS
from devstack.simulator.store import new_id
from devstack.simulator.stripe.balance import Balance
from devstack.simulator.stripe.errors import Document, StripeError
from devstack.simulator.stripe.ground import Ground
from devstack.simulator.stripe.methods import Methods
from devstack.simulator.stripe.objects import Thing


class Refunds:
    """Never more than was charged, and none while the charge is disputed."""

    def __init__(self, ground: Ground, methods: Methods, balance: Balance) -> None:
        self._ground = ground
        self._methods = methods
        self._balance = balance
        ground.timeline.on("stripe_refund_arrives", self._arrives)
        ground.timeline.on("stripe_refund_fails", self.fail)

    def create(self, intent_id: str, amount: int | None, metadata: dict[str, str], reason: str) -> Thing:
        """POST /v1/refunds"""
        intent = self._ground.objects.get("payment_intent", intent_id, param="payment_intent", status=400)
        if intent["status"] != "succeeded":
            raise StripeError(
                f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        charge = self._ground.objects.get("charge", intent["latest_charge"])
        amount = self._checked(charge, amount)
        card = self._methods.instrument(
            self._ground.objects.get("payment_method", charge["payment_method"])
        ).card
        later = card.later if card is not None else ""
        refund: Document = {
            "id": new_id("re"), "object": "refund", "amount": amount, "balance_transaction": None,
            "charge": charge.id, "created": self._ground.now(), "currency": charge["currency"],
            "failure_reason": None, "metadata": metadata, "payment_intent": intent.id, "reason": reason or None,
            "status": "pending" if later == "refund_pending" else "succeeded",
        }  # fmt: skip
        line = self._balance.add("refund", refund["id"], -amount, charge["currency"])
        refund["balance_transaction"] = line.id
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._ground.objects.save(charge)
        thing = self._ground.objects.add(Thing(refund, parent=intent.id))
        due_at = self._ground.clock.now() + DAY_SECONDS
        if later == "refund_pending":
            self._ground.timeline.add("stripe_refund_arrives", thing.id, due_at=due_at)
        if later == "refund_fails":
            self._ground.timeline.add("stripe_refund_fails", thing.id, due_at=due_at)
        self._ground.events.tell("refund.created", thing)
        return thing

    @staticmethod
    def _checked(charge: Thing, amount: int | None) -> int:
        left = charge["amount"] - charge["amount_refunded"]
        if charge["disputed"]:
            raise StripeError(
                f"Charge {charge.id} has been charged back; cannot issue a refund.", code="charge_disputed"
            )
        if left == 0:
            raise StripeError(
                f"Charge {charge.id} has already been refunded.", code="charge_already_refunded"
            )
        if amount is None:
            return int(left)
        if not 0 < amount <= left:
            raise StripeError(
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                param="amount",
            )
        return amount

    def _arrives(self, refund_id: str) -> None:
        refund = self._ground.objects.get("refund", refund_id)
        if refund["status"] == "pending":
            refund["status"] = "succeeded"
            self._ground.objects.save(refund)
            self._ground.events.tell("refund.updated", refund)

    def fail(self, refund_id: str) -> None:
        """The payer's bank did not take it: the money is the merchant's again."""
        refund = self._ground.objects.get("refund", refund_id)
        if refund["status"] not in ("pending", "succeeded"):
            return
        with self._ground.store.transaction():
            line = self._balance.add("refund_failure", refund.id, refund["amount"], refund["currency"])
            refund["status"], refund["failure_reason"] = "failed", "lost_or_stolen_card"
            refund["failure_balance_transaction"] = line.id
            self._ground.objects.save(refund)
            charge = self._ground.objects.get("charge", refund["charge"])
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self._ground.objects.save(charge)
            self._ground.events.tell("refund.failed", refund)
