"""Balance transactions, and the daily payouts of them: one per currency for the whole account, as with Stripe."""

from devstack.simulator.clock import next_midnight
from devstack.simulator.store import new_id
from devstack.simulator.stripe.errors import Document
from devstack.simulator.stripe.ground import Ground
from devstack.simulator.stripe.objects import Thing

DISPUTE_FEE = 1500
RETURN_FEE = 400


class Balance:
    """What the account has, by currency."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        ground.timeline.on("stripe_pay_out", self._daily)
        if ground.store.one("SELECT 1 FROM schedule WHERE action = 'stripe_pay_out'") is None:
            ground.timeline.add("stripe_pay_out", "daily", due_at=next_midnight(ground.clock.now()))

    def add(self, type_: str, source: str, amount: int, currency: str, *, fee: int = 0) -> Thing:
        """A movement; inside the transaction of what caused it."""
        now = self._ground.now()
        details = [{"amount": fee, "currency": currency, "type": "stripe_fee", "description": "Stripe fee"}]
        transaction: Document = {
            "id": new_id("txn"), "object": "balance_transaction", "amount": amount, "available_on": now,
            "created": now, "currency": currency, "description": None, "exchange_rate": None, "fee": fee,
            "fee_details": details if fee else [], "net": amount - fee, "reporting_category": type_,
            "source": source, "status": "available", "type": type_,
        }  # fmt: skip
        return self._ground.objects.add(Thing(transaction))

    def _daily(self, object_id: str) -> None:
        self._ground.timeline.add("stripe_pay_out", object_id, due_at=next_midnight(self._ground.clock.now()))
        self.pay_out()

    def pay_out(self) -> list[Thing]:
        """Send what is there to the bank; a negative balance waits until more has come in."""
        waiting = self._ground.objects.of("balance_transaction", "")
        made = []
        with self._ground.store.transaction():
            for currency in sorted({line["currency"] for line in waiting}):
                lines = [line for line in waiting if line["currency"] == currency]
                if sum(line["net"] for line in lines) > 0:
                    made.append(self._send(currency, lines))
        return made

    def _send(self, currency: str, lines: list[Thing]) -> Thing:
        now, net = self._ground.now(), sum(line["net"] for line in lines)
        payout: Document = {
            "id": new_id("po"), "object": "payout", "amount": net, "arrival_date": now // 86_400 * 86_400,
            "automatic": True, "created": now, "currency": currency, "description": "STRIPE PAYOUT",
            "livemode": False, "metadata": {}, "method": "standard", "reconciliation_status": "completed",
            "status": "paid", "type": "bank_account", "balance_transaction": None,
        }  # fmt: skip
        sent = self._ground.objects.add(Thing(payout))
        for line in lines:
            line.parent = sent.id
            self._ground.objects.save(line)
        own = self.add("payout", sent.id, -net, currency)
        own.parent = sent.id
        self._ground.objects.save(own)
        sent["balance_transaction"] = own.id
        self._ground.objects.save(sent)
        self._ground.events.tell("payout.paid", sent)
        return sent
