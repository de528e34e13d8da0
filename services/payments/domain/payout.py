"""A provider's payout, compared with our books line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chassis.money import Money, format_money


class LineKind(StrEnum):
    """What a line of a payout is."""

    CHARGE = "charge"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSAL = "chargeback_reversal"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    RETURN = "return"


BRINGS_OWN_FEE = frozenset({LineKind.CHARGEBACK, LineKind.CHARGEBACK_REVERSAL})
"""Fees of these are posted with the chargeback itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutLine:
    """A movement at the provider. `amount` is signed: what it adds before the fee."""

    position: int
    kind: str
    provider_reference: str
    attempt_id: str
    amount: Money
    fee: Money
    payment_id: str = ""
    difference: str = ""
    unexplained: Money
    corrections: int = 0

    @property
    def fee_to_book(self) -> Money:
        """The provider's fee that nothing else has posted."""
        if self.kind == LineKind.FEE:
            return self.fee - self.amount
        return Money.zero(self.amount.currency) if self.kind in BRINGS_OWN_FEE else self.fee

    @property
    def explainable(self) -> Money:
        """What our books should know of it: all that it adds but fees that are posted with the payout."""
        return self.amount - self.fee + self.fee_to_book


@dataclass(frozen=True, slots=True)
class Known:
    """What our books have about a payout line: the same sum, signed as the provider does, in `payment_id`."""

    payment_id: str
    amount: Money
    settled_at: datetime | None = None
    state: str = ""
    """Why it does not count though it is known: the payment is not paid, the refund failed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a line stands to our books."""

    payment_id: str
    difference: str
    unexplained: Money


def compare(line: PayoutLine, known: Known | None) -> Verdict:
    """What differs, in words; empty and zero if nothing does."""
    nothing = Money.zero(line.amount.currency)
    if line.kind == LineKind.FEE:
        return Verdict("", "", nothing)
    if known is None:
        what = "adjustment" if line.kind == LineKind.ADJUSTMENT else line.kind.replace("_", " ")
        return Verdict("", f"Our books do not know this {what}.", line.explainable)
    if known.amount.currency != line.amount.currency:
        words = f"Our books have it in {known.amount.currency}."
        return Verdict(known.payment_id, words, line.explainable)
    if known.state:
        return Verdict(known.payment_id, known.state, line.explainable)
    rest = line.explainable - known.amount
    if rest.is_zero:
        return Verdict(known.payment_id, "", nothing)
    theirs, ours = format_money(line.explainable, "en"), format_money(known.amount, "en")
    return Verdict(known.payment_id, f"The provider has {theirs}, our books have {ours}.", rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFigures:
    """Sums of a payout. `fees` are all that the provider kept, `fees_to_book` those that only the payout tells."""

    gross: Money
    refunded: Money
    fees: Money
    fees_to_book: Money
    net: Money


def figures(lines: Sequence[PayoutLine], currency: str) -> PayoutFigures:
    """Sums of the lines: net is what they add up to, whatever was announced."""
    zero = Money.zero(currency)
    fees = sum((_all_fees(line) for line in lines), start=zero)
    moved = [line.amount for line in lines if line.kind != LineKind.FEE]
    gross = sum((amount for amount in moved if amount.minor_units > 0), start=zero)
    refunded = -sum((amount for amount in moved if amount.minor_units < 0), start=zero)
    return PayoutFigures(
        gross=gross,
        refunded=refunded,
        fees=fees,
        fees_to_book=sum((line.fee_to_book for line in lines), start=zero),
        net=gross - refunded - fees,
    )


def _all_fees(line: PayoutLine) -> Money:
    return line.fee - line.amount if line.kind == LineKind.FEE else line.fee


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """Money that a provider sent to the bank."""

    payout_id: str
    provider: str
    provider_reference: str
    figures: PayoutFigures
    arrives_on: date
    covers_until: datetime | None = None
    bank_line_id: str = ""
    line_count: int = 0
    differing_lines: int = 0
