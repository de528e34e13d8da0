"""A small model of what must become of a payment's money: sums on a sheet of paper, nothing of how it is done."""

from dataclasses import dataclass, field


@dataclass
class Sheet:
    """One payment of `amount` with `surcharge` in it. Refunds by id; claims of the bank by reference."""

    amount: int
    surcharge: int
    sent: dict[str, int] = field(default_factory=dict)
    made_credit: dict[str, int] = field(default_factory=dict)
    ended_badly: set[str] = field(default_factory=set)
    disputes: dict[str, tuple[str, int]] = field(default_factory=dict)
    is_returned: bool = False

    @property
    def out(self) -> int:
        """Sent back by us."""
        return sum(units for refund_id, units in self.sent.items() if refund_id not in self.ended_badly)

    @property
    def claimed(self) -> int:
        """Taken by banks, however little the payment had left."""
        disputed = sum(units for state, units in self.disputes.values() if state != "won")
        return disputed + (self.amount if self.is_returned else 0)

    @property
    def at_provider(self) -> int:
        """What the provider still owes us of it, fees left out."""
        return self.amount - self.out - self.claimed

    @property
    def gone_twice(self) -> int:
        """Claimed by banks beyond what the payment had left."""
        return max(0, self.claimed - (self.amount - self.out))

    @property
    def left_gross(self) -> int:
        """Of the payment, what is neither sent back nor claimed."""
        return self.amount - self.out - (self.claimed - self.gone_twice)

    @property
    def is_open(self) -> bool:
        """Whether a bank has yet to decide."""
        return any(state in ("open", "under_review") for state, _ in self.disputes.values())

    @property
    def refundable(self) -> int:
        """What may still be refunded, surcharge included; nothing while a bank has its hands on it."""
        if self.is_returned or self.is_open:
            return 0
        return max(0, self.left_gross - sum(self.made_credit.values()))

    def dispute(self, reference: str, state: str, units: int) -> None:
        """What a bank says; a word that stands no higher than the one before is old news."""
        order = ("open", "under_review", "won", "lost")
        known = self.disputes.get(reference)
        if known is None or order.index(state) > order.index(known[0]):
            self.disputes[reference] = (state, units)
