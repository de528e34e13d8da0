"""Disputes; and the late returns of bank debits, which Stripe tells as disputes that are lost from the start."""

from typing import Any

from devstack.simulator.clock import DAY_SECONDS
from devstack.simulator.store import new_id
from devstack.simulator.stripe.balance import DISPUTE_FEE, RETURN_FEE, Balance
from devstack.simulator.stripe.errors import Document, StripeError
from devstack.simulator.stripe.ground import Ground
from devstack.simulator.stripe.methods import Methods
from devstack.simulator.stripe.objects import Thing

ANSWER_WITHIN = 14 * DAY_SECONDS
DECIDED_AFTER = 60 * DAY_SECONDS
SOON = 2.0
_UNDECIDED = frozenset({"needs_response", "under_review"})
_RETURN_REASONS = {
    "R01": "insufficient_funds",
    "R10": "debit_not_authorized",
    "AM04": "insufficient_funds",
    "MS03": "bank_cannot_process",
    "MD06": "customer_initiated",
}


class Disputes:
    """A dispute takes money and fee at once; what is won comes back, the fee does not."""

    def __init__(self, ground: Ground, methods: Methods, balance: Balance) -> None:
        self._ground = ground
        self._methods = methods
        self._balance = balance
        for action, do in {
            "stripe_dispute": self._by_itself,
            "stripe_return": self._debit_returns,
            "stripe_dispute_won": lambda dispute_id: self.decide(dispute_id, won=True),
            "stripe_dispute_lost": lambda dispute_id: self.decide(dispute_id, won=False),
            "stripe_dispute_unanswered": self._unanswered,
        }.items():
            ground.timeline.on(action, do)

    def open(self, intent: Thing, reason: str = "fraudulent", *, fee: int = DISPUTE_FEE) -> Thing:
        """The card holder wants the money back."""
        if intent["status"] != "succeeded":
            raise StripeError("Only a successful payment can be disputed.", param="payment_intent")
        charge = self._ground.objects.get("charge", intent["latest_charge"])
        now, amount, currency = self._ground.now(), charge["amount"], charge["currency"]
        dispute: Document = {
            "id": new_id("dp"), "object": "dispute", "amount": amount, "balance_transactions": [],
            "charge": charge.id, "created": now, "currency": currency, "evidence": {},
            "evidence_details": {
                "due_by": now + int(ANSWER_WITHIN), "has_evidence": False, "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False, "livemode": False, "metadata": {}, "payment_intent": intent.id,
            "reason": reason, "status": "needs_response",
        }  # fmt: skip
        thing = Thing(dispute, {"metadata": intent["metadata"]}, parent=intent.id)
        with self._ground.store.transaction():
            line = self._balance.add("adjustment", thing.id, -amount, currency, fee=fee)
            dispute["balance_transactions"].append(line.document)
            charge["disputed"] = True
            self._ground.objects.save(charge)
            self._ground.objects.add(thing)
            due_at = self._ground.clock.now() + ANSWER_WITHIN
            self._ground.timeline.add("stripe_dispute_unanswered", thing.id, due_at=due_at)
            if fee == DISPUTE_FEE:
                self._ground.events.tell("charge.dispute.created", thing)
        return thing

    def _by_itself(self, intent_id: str) -> None:
        intent = self._ground.objects.get("payment_intent", intent_id)
        method = self._ground.objects.get("payment_method", intent["payment_method"])
        card = self._methods.instrument(method).card
        received = card is None or card.later != "disputed_not_received"
        self.open(intent, "fraudulent" if received else "product_not_received")

    def _debit_returns(self, intent_id: str) -> None:
        intent = self._ground.objects.get("payment_intent", intent_id)
        method = self._ground.objects.get("payment_method", intent["payment_method"])
        account = self._methods.instrument(method).account
        code = account.late_return[0] if account is not None and account.late_return else "R01"
        self.give_back(intent, _RETURN_REASONS[code])

    def give_back(self, intent: Thing, reason: str) -> Thing:
        """The bank takes a settled debit back; nobody can answer it."""
        with self._ground.store.transaction():
            dispute = self.open(intent, reason, fee=RETURN_FEE)
            dispute["status"] = "lost"
            dispute["evidence_details"]["due_by"] = None
            self._ground.objects.save(dispute)
            self._ground.events.tell("charge.dispute.created", dispute)
        return dispute

    def update(self, dispute_id: str, evidence: dict[str, Any], *, submit: bool) -> Thing:
        """POST /v1/disputes/{id}. `winning_evidence` and `losing_evidence` decide at once, as in Stripe's test mode."""
        dispute = self._undecided(dispute_id)
        dispute["evidence"] = dispute["evidence"] | evidence
        if submit:
            dispute["status"] = "under_review"
            dispute["evidence_details"] |= {"has_evidence": True, "submission_count": 1}
            text = str(evidence.get("uncategorized_text", ""))
            wins, soon = "winning_evidence" in text, "losing_evidence" in text or "winning_evidence" in text
            due_at = self._ground.clock.now() + (SOON if soon else DECIDED_AFTER)
            action = "stripe_dispute_won" if wins else "stripe_dispute_lost"
            self._ground.timeline.add(action, dispute_id, due_at=due_at)
        self._ground.objects.save(dispute)
        self._ground.events.tell("charge.dispute.updated", dispute)
        return dispute

    def close(self, dispute_id: str) -> Thing:
        """POST /v1/disputes/{id}/close: give in."""
        self._undecided(dispute_id)
        return self.decide(dispute_id, won=False)

    def decide_now(self, dispute_id: str) -> Thing:
        """The bank looks at the evidence at once."""
        dispute = self._ground.objects.get("dispute", dispute_id)
        return self.decide(dispute_id, won="winning_evidence" in str(dispute["evidence"]))

    def decide(self, dispute_id: str, *, won: bool) -> Thing:
        """The bank has decided; nothing happens to a dispute that was decided before."""
        dispute = self._ground.objects.get("dispute", dispute_id)
        if dispute["status"] not in _UNDECIDED:
            return dispute
        with self._ground.store.transaction():
            dispute["status"] = "won" if won else "lost"
            if won:
                line = self._balance.add("adjustment", dispute.id, dispute["amount"], dispute["currency"])
                dispute["balance_transactions"].append(line.document)
            self._ground.objects.save(dispute)
            self._ground.events.tell("charge.dispute.closed", dispute)
        return dispute

    def _undecided(self, dispute_id: str) -> Thing:
        dispute = self._ground.objects.get("dispute", dispute_id)
        if dispute["status"] not in _UNDECIDED:
            raise StripeError("This dispute is already closed.")
        return dispute

    def _unanswered(self, dispute_id: str) -> None:
        if self._ground.objects.get("dispute", dispute_id)["status"] == "needs_response":
            self.decide(dispute_id, won=False)
