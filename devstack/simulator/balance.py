"""What the merchant has at the provider, and the daily payouts of it."""

import json

from devstack.simulator.clock import Clock, day_text, next_midnight
from devstack.simulator.store import Row, Store, new_id
from devstack.simulator.timeline import Timeline
from devstack.simulator.webhooks import Webhooks

DISPUTE_FEE_MINOR_UNITS = 1500
RETURN_FEE_MINOR_UNITS = 400
EVERYBODY = "daily"
"""What is paid out to all that have no clock of their own."""


class Balance:
    """Lines as things happen; each midnight (UTC) one payout per organization and currency, if something is left."""

    def __init__(self, store: Store, clock: Clock, timeline: Timeline, webhooks: Webhooks) -> None:
        self._store = store
        self._clock = clock
        self._timeline = timeline
        self._webhooks = webhooks
        timeline.on("pay_out", self._daily)
        if not timeline.has("pay_out", EVERYBODY):
            timeline.add("pay_out", EVERYBODY, due_at=next_midnight(clock.now()))

    def add(self, kind: str, subject: Row, *, amount_minor_units: int, fee_minor_units: int = 0) -> None:
        """Note a movement about a charge, refund or dispute, inside the caller's transaction."""
        self._store.insert(
            "balance_lines",
            kind=kind,
            object_id=subject["id"],
            organization_id=json.loads(subject["metadata"]).get("organization_id", ""),
            attempt_id=subject["attempt_id"],
            amount_minor_units=amount_minor_units,
            fee_minor_units=fee_minor_units,
            currency=subject["currency"],
            created_at=self._clock.now(),
        )
        self.pay_out_next_midnight(json.loads(subject["metadata"]).get("organization_id", ""))

    def pay_out_next_midnight(self, account: str) -> None:
        """An account with a clock of its own is paid out at its midnight, if something is there."""
        is_waiting = account in self._clock.clocked and not self._timeline.has("pay_out", account)
        if is_waiting and self._owed(account):
            with self._clock.on_account(account):
                self._timeline.add("pay_out", account, due_at=next_midnight(self._clock.now()))

    def _daily(self, object_id: str) -> None:
        if object_id != EVERYBODY:
            self.pay_out(object_id)
            return
        self._timeline.add("pay_out", EVERYBODY, due_at=next_midnight(self._clock.now()))
        self.pay_out()

    def pay_out(self, organization_id: str | None = None) -> list[str]:
        """Send what is there to the bank; what is owed to the provider waits until more has come in."""
        found = self._owed(organization_id)
        with self._store.transaction():
            return [self._send(row) for row in found]

    def _owed(self, organization_id: str | None) -> list[Row]:
        return self._store.all(
            "SELECT organization_id, currency, sum(amount_minor_units - fee_minor_units) AS net"
            " FROM balance_lines WHERE payout_id = ''"
            " AND CASE WHEN :organization_id IS NULL"
            " THEN organization_id NOT IN (SELECT account FROM account_clocks)"
            " ELSE organization_id = :organization_id END"
            " GROUP BY organization_id, currency HAVING net > 0 ORDER BY organization_id, currency",
            organization_id=organization_id,
        )

    def _send(self, owed: Row) -> str:
        payout_id, now = new_id("po"), self._clock.now()
        metadata = {"organization_id": owed["organization_id"]} if owed["organization_id"] else {}
        self._store.insert(
            "payouts",
            id=payout_id,
            organization_id=owed["organization_id"],
            currency=owed["currency"],
            net_minor_units=owed["net"],
            arrives_on=day_text(now),
            reference="",
            metadata=json.dumps(metadata),
            attempt_id="",
            created_at=now,
        )
        self._store.execute(
            "UPDATE balance_lines SET payout_id = :payout_id WHERE payout_id = ''"
            " AND organization_id = :organization_id AND currency = :currency",
            payout_id=payout_id,
            organization_id=owed["organization_id"],
            currency=owed["currency"],
        )
        row = self._store.by_id("payouts", payout_id)
        assert row is not None
        self._webhooks.emit("payout.paid", row)
        return payout_id
