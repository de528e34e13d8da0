"""Chargebacks: opened by a card holder, answered with evidence, won or lost."""

from devstack.simulator import cards
from devstack.simulator.balance import DISPUTE_FEE_MINOR_UNITS, Balance
from devstack.simulator.clock import DAY_SECONDS, Clock
from devstack.simulator.documents import Documents
from devstack.simulator.store import Row, Store, new_id
from devstack.simulator.timeline import Timeline
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import HttpError

EVIDENCE_DUE_AFTER_DAYS = 14
DECIDED_AFTER_SECONDS = 2.0
"""With one of the test words in the evidence."""
DECIDED_AFTER_DAYS = 60
WINNING_WORD = "winning_evidence"
LOSING_WORD = "losing_evidence"
REASONS = (
    "fraudulent",
    "product_not_received",
    "duplicate",
    "unrecognized",
    "credit_not_processed",
    "general",
)


class Disputing:
    """The money leaves the merchant's balance when a dispute is opened and comes back when it is won."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        timeline: Timeline,
        *,
        webhooks: Webhooks,
        balance: Balance,
        documents: Documents,
    ) -> None:
        self._store = store
        self._clock = clock
        self._timeline = timeline
        self._webhooks = webhooks
        self._balance = balance
        self._documents = documents
        timeline.on("open_dispute", self._open_as_the_card_wants)
        timeline.on("decide_dispute", self._decide)

    def dispute(self, dispute_id: str) -> Row:
        """The dispute; 404 when there is none."""
        row = self._store.by_id("disputes", dispute_id)
        if row is None:
            raise HttpError(404, "not_found", "There is no such dispute.")
        return row

    def open(self, charge_id: str, reason: str, amount_minor_units: int | None = None) -> Row:
        """A card holder wants money back; of what was not refunded, all unless told otherwise."""
        charge = self._store.by_id("charges", charge_id)
        if charge is None:
            raise HttpError(404, "not_found", "There is no such charge.")
        left = charge["amount_minor_units"] - self._documents.refunded_minor_units(charge_id)
        amount = left if amount_minor_units is None else amount_minor_units
        closed = {"won", "lost"}
        if charge["status"] != "succeeded" or charge["return_code"] or not 0 < amount <= left:
            raise HttpError(409, "not_disputable", "There is not so much money of this charge to dispute.")
        if any(row["status"] not in closed for row in self._documents.disputes_of(charge_id)):
            raise HttpError(409, "already_disputed", "A dispute of this charge is open.")
        dispute_id, now = new_id("dp"), self._clock.now()
        evidence_due_at = now + EVIDENCE_DUE_AFTER_DAYS * DAY_SECONDS
        with self._store.transaction():
            self._store.insert(
                "disputes",
                id=dispute_id,
                charge_id=charge_id,
                status="open",
                amount_minor_units=amount,
                currency=charge["currency"],
                fee_minor_units=DISPUTE_FEE_MINOR_UNITS,
                reason=reason,
                reference=charge["reference"],
                metadata=charge["metadata"],
                attempt_id=charge["attempt_id"],
                opened_at=now,
                evidence_due_at=evidence_due_at,
            )
            dispute = self.dispute(dispute_id)
            self._balance.add(
                "chargeback",
                dispute,
                amount_minor_units=-amount,
                fee_minor_units=DISPUTE_FEE_MINOR_UNITS,
            )
            self._timeline.add("decide_dispute", dispute_id, due_at=evidence_due_at)
            self._webhooks.emit("dispute.open", dispute)
        return dispute

    def _open_as_the_card_wants(self, charge_id: str) -> None:
        charge = self._store.by_id("charges", charge_id)
        card = cards.by_token(charge["instrument"]) if charge is not None else None
        later = card.later if card is not None else ""
        reason = "product_not_received" if later == "disputed_not_received" else "fraudulent"
        try:
            self.open(charge_id, reason)
        except HttpError:
            return  # refunded or disputed by hand in the meantime

    def submit_evidence(self, dispute_id: str, text: str) -> Row:
        """Answer a dispute; a later answer replaces the earlier until it is decided."""
        dispute = self.dispute(dispute_id)
        if dispute["closed_at"] is not None:
            return dispute
        has_word = WINNING_WORD in text or LOSING_WORD in text
        wait_seconds = DECIDED_AFTER_SECONDS if has_word else DECIDED_AFTER_DAYS * DAY_SECONDS
        with self._store.transaction():
            self._timeline.drop("decide_dispute", dispute_id)
            self._timeline.add("decide_dispute", dispute_id, due_at=self._clock.now() + wait_seconds)
            dispute = self._store.change("disputes", dispute_id, status="under_review", evidence=text)
            self._webhooks.emit("dispute.under_review", dispute, version=dispute["version"])
        return dispute

    def _decide(self, dispute_id: str) -> None:
        won = WINNING_WORD in self.dispute(dispute_id)["evidence"]
        self.close(dispute_id, won=won)

    def close(self, dispute_id: str, *, won: bool) -> Row:
        """Decide; what was decided stays decided."""
        dispute = self.dispute(dispute_id)
        if dispute["closed_at"] is not None:
            return dispute
        with self._store.transaction():
            self._timeline.drop("decide_dispute", dispute_id)
            status = "won" if won else "lost"
            dispute = self._store.change("disputes", dispute_id, status=status, closed_at=self._clock.now())
            if won:
                self._balance.add(
                    "chargeback_reversal", dispute, amount_minor_units=dispute["amount_minor_units"]
                )
            self._webhooks.emit(f"dispute.{status}", dispute, version=dispute["version"])
        return dispute
