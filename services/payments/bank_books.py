"""How matched bank lines and payouts are posted."""

from dataclasses import replace
from datetime import datetime

from chassis.ledger import Entry, Line, Side, credit, debit
from chassis.money import Money
from services.payments.books import BANK, BANK_CLEARING, PROVIDER_CLEARING
from services.payments.domain.bank_line import BankLine
from services.payments.domain.payout import PayoutFigures

PROVIDER_FEES = "provider_fees"
"""Owner: provider. What providers keep of payments."""
UNMATCHED_RECEIPTS = "unmatched_receipts"
"""Owner: provider. Money in payouts that our books cannot explain: somebody has to look at it."""
BANK_MATCH = "bank_match"
PAYOUT = "payout"
PAYOUT_LINE = "payout_line"


def seen_at_bank(match_id: str, line: BankLine, *, at: datetime) -> Entry:
    """The line shows money that was on its way to the bank, or from it to a provider."""
    return Entry(
        source=BANK_MATCH,
        source_id=match_id,
        kind="matched",
        lines=(
            *_signed(BANK, line.bank_account_id, line.amount),
            *_signed(BANK_CLEARING, "", -line.amount),
        ),
        occurred_at=at,
        description=line.bank_line_id,
    )


def not_seen_at_bank(match_id: str, line: BankLine, *, at: datetime, corrects_entry_id: str | None) -> Entry:
    """The opposite: the line shows something else."""
    entry = seen_at_bank(match_id, line, at=at)
    return replace(
        entry,
        kind="undone",
        lines=tuple(_turned(each) for each in entry.lines),
        corrects_entry_id=corrects_entry_id,
    )


def paid_out(payout_id: str, provider: str, figures: PayoutFigures, *, at: datetime) -> Entry | None:
    """The provider sent money and kept its fees; None if nothing moves."""
    lines = (
        *_signed(BANK_CLEARING, "", figures.net),
        *_signed(PROVIDER_FEES, provider, figures.fees_to_book),
        *_signed(PROVIDER_CLEARING, provider, -(figures.net + figures.fees_to_book)),
    )
    if len(lines) < 2:
        return None
    return Entry(source=PAYOUT, source_id=payout_id, kind="paid_out", lines=lines, occurred_at=at)


def unexplained(source_id: str, provider: str, amount: Money, *, correction: int, at: datetime) -> Entry:
    """A payout line holds so much more than our books know (less, if negative)."""
    return Entry(
        source=PAYOUT_LINE,
        source_id=source_id,
        kind=f"unexplained_{correction}",
        lines=(
            *_signed(PROVIDER_CLEARING, provider, amount),
            *_signed(UNMATCHED_RECEIPTS, provider, -amount),
        ),
        occurred_at=at,
    )


def _signed(account: str, owner: str, amount: Money) -> tuple[Line, ...]:
    """A debit, or a credit of what is negative; nothing for zero."""
    if amount.is_zero:
        return ()
    return (credit(account, owner, -amount),) if amount.is_negative else (debit(account, owner, amount),)


def _turned(line: Line) -> Line:
    return replace(line, side=Side.CREDIT if line.side is Side.DEBIT else Side.DEBIT)
