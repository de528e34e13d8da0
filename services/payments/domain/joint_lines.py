"""Several bank lines that together pay one invoice: only proposed, never matched by itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations

from chassis.money import Money
from services.payments.domain.line_evidence import Payer
from services.payments.domain.matching import (
    IncomingLine,
    MatchedPart,
    OpenItem,
    Proposal,
    Reason,
    ReasonCode,
    plain_account,
)

WITHIN = timedelta(days=35)
"""Instalments of one invoice come within a month or so."""
MOST_OTHERS = 8
MOST_TOGETHER = 4
"""Besides the line itself."""
MOST_PROPOSALS = 3

Joint = tuple[IncomingLine, ...]


def joints(line: IncomingLine, waiting: Iterable[IncomingLine]) -> dict[Money, Joint]:
    """Sums that the line makes with others of the same payer, each with the fewest and nearest lines that make it."""
    others = sorted(
        (other for other in waiting if _is_companion(line, other)),
        key=lambda other: (abs(other.booked_on - line.booked_on), other.bank_line_id),
    )[:MOST_OTHERS]
    found: dict[Money, Joint] = {}
    for size in range(1, min(MOST_TOGETHER, len(others)) + 1):
        for some in combinations(others, size):
            found.setdefault(sum((other.amount for other in some), line.amount), some)
    return found


def propose_jointly(
    line: IncomingLine,
    sums: Mapping[Money, Joint],
    items: Sequence[OpenItem],
    payers: Mapping[str, Payer],
) -> list[Proposal]:
    """Invoices on which exactly such a sum is due, the surest first."""
    found = list(_each(line, sums, items, payers))
    found.sort(key=lambda one: (-one.confidence_per_mille, len(one.together_with), one.parts[0].invoice_id))
    return found[:MOST_PROPOSALS]


def _each(
    line: IncomingLine, sums: Mapping[Money, Joint], items: Sequence[OpenItem], payers: Mapping[str, Payer]
) -> Iterator[Proposal]:
    for item in items:
        others = sums.get(item.due)
        if others is None or item.disputed:
            continue
        payer = payers.get(item.customer_id, Payer())
        confidence = 800 if payer.is_known else 700 if payer.is_supported else 460
        days = ", ".join(sorted({other.booked_on.isoformat() for other in others}))
        count = "another line" if len(others) == 1 else f"{len(others)} other lines"
        text = f"With {count} of the same payer ({days}) it is exactly what is due on {item.number}."
        yield Proposal(
            customer_id=item.customer_id,
            customer_name=item.customer_name,
            parts=(MatchedPart(item.invoice_id, item.number, line.amount),),
            credit=Money.zero(line.amount.currency),
            confidence_per_mille=confidence,
            reasons=(Reason(ReasonCode.SUM_OF_LINES, text),),
            together_with=others,
        )


def _is_companion(line: IncomingLine, other: IncomingLine) -> bool:
    """Whether it came from the same payer around the same time, in the same money."""
    if other.bank_line_id == line.bank_line_id or other.amount.currency != line.amount.currency:
        return False
    if abs(other.booked_on - line.booked_on) > WITHIN:
        return False
    if line.account and other.account:
        return plain_account(line.account) == plain_account(other.account)
    name = line.name.strip().casefold()
    return bool(name) and name == other.name.strip().casefold()
