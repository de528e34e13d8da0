"""Refunds: at once, after days, or taken back by the bank."""

import json

from devstack.simulator import cards
from devstack.simulator.balance import Balance
from devstack.simulator.clock import DAY_SECONDS, Clock, after_business_days
from devstack.simulator.documents import Documents
from devstack.simulator.orders import RefundOrder
from devstack.simulator.store import Row, Store, new_id
from devstack.simulator.timeline import Timeline
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import HttpError

DEBIT_REFUND_BUSINESS_DAYS = 2


class Refunding:
    """Never more than was charged, never while a dispute takes the money another way."""

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
        timeline.on("settle_refund", self.settle)
        timeline.on("fail_refund", lambda refund_id: self.fail(refund_id, "lost_or_stolen_card"))

    def refund(self, refund_id: str) -> Row:
        """The refund; 404 when there is none."""
        row = self._store.by_id("refunds", refund_id)
        if row is None:
            raise HttpError(404, "not_found", "There is no such refund.")
        return row

    def charge_of(self, order: RefundOrder) -> Row | None:
        """The charge that is to be given back: the successful one, where several cards were tried."""
        return self._store.one(
            "SELECT * FROM charges WHERE (id = :charge_id OR (attempt_id = :attempt_id AND attempt_id <> ''))"
            " ORDER BY status = 'succeeded' DESC, seq DESC LIMIT 1",
            charge_id=order.charge_id,
            attempt_id=order.attempt_id,
        )

    def create(self, order: RefundOrder) -> str:
        """Give money back, inside the caller's transaction; 400 says why not."""
        charge = self._refundable(order)
        card = cards.by_token(charge["instrument"])
        later = card.later if card is not None else ""
        waits = later == "refund_pending" or charge["kind"] == "bank_debit"
        refund_id, now = new_id("re"), self._clock.now()
        metadata = json.loads(charge["metadata"]) | order.metadata
        self._store.insert(
            "refunds",
            id=refund_id,
            charge_id=charge["id"],
            refund_id=order.metadata.get("refund_id", ""),
            status="processing" if waits else "succeeded",
            amount_minor_units=order.amount_minor_units,
            currency=order.currency,
            reason=order.reason,
            reference=charge["reference"],
            metadata=json.dumps(metadata),
            attempt_id=charge["attempt_id"],
            created_at=now,
        )
        refund = self.refund(refund_id)
        if waits:
            self._timeline.add(
                "settle_refund",
                refund_id,
                due_at=after_business_days(now, DEBIT_REFUND_BUSINESS_DAYS)
                if charge["kind"] == "bank_debit"
                else now + DAY_SECONDS,
            )
        else:
            self._balance.add("refund", refund, amount_minor_units=-refund["amount_minor_units"])
        if later == "refund_fails":
            self._timeline.add("fail_refund", refund_id, due_at=now + DAY_SECONDS)
        self._tell(refund)
        return refund_id

    def _refundable(self, order: RefundOrder) -> Row:
        charge = self.charge_of(order)
        if charge is None:
            raise HttpError(404, "charge_not_found", "There is no such charge.", field="charge_id")
        if charge["status"] != "succeeded" or charge["return_code"]:
            raise HttpError(400, "charge_not_refundable", "There is no money of this charge to give back.")
        if any(row["status"] != "won" for row in self._documents.disputes_of(charge["id"])):
            raise HttpError(400, "charge_disputed", "This charge is disputed.")
        if order.currency != charge["currency"]:
            raise HttpError(400, "currency_mismatch", "The charge is in another currency.", field="currency")
        left = charge["amount_minor_units"] - self._documents.refunded_minor_units(charge["id"])
        if order.amount_minor_units > left:
            raise HttpError(
                400, "refund_too_large", f"At most {left} can be given back.", field="amount_minor_units"
            )
        return charge

    def settle(self, refund_id: str) -> Row:
        """A refund on its way arrived."""
        refund = self.refund(refund_id)
        if refund["status"] != "processing":
            return refund
        with self._store.transaction():
            self._timeline.drop("settle_refund", refund_id)
            refund = self._store.change("refunds", refund_id, status="succeeded")
            self._balance.add("refund", refund, amount_minor_units=-refund["amount_minor_units"])
            self._tell(refund)
        return refund

    def fail(self, refund_id: str, code: str) -> Row:
        """The payer's bank did not take it; the money is the merchant's again."""
        refund = self.refund(refund_id)
        if refund["status"] == "failed":
            return refund
        with self._store.transaction():
            for action in ("settle_refund", "fail_refund"):
                self._timeline.drop(action, refund_id)
            was_sent = refund["status"] == "succeeded"
            refund = self._store.change("refunds", refund_id, status="failed", failure_code=code)
            if was_sent:
                self._balance.add("refund", refund, amount_minor_units=refund["amount_minor_units"])
            self._tell(refund)
        return refund

    def _tell(self, refund: Row) -> None:
        self._webhooks.emit(f"refund.{refund['status']}", refund, version=refund["version"])
