"""How money that goes back is posted: against the customer's funds, and against whoever has it now."""

from dataclasses import replace
from datetime import datetime

from chassis.ledger import Entry, Line, Side, credit, debit
from chassis.money import Money
from services.payments.books import (
    CUSTOMER_FUNDS,
    DISCOUNTS_GIVEN,
    PROVIDER_CLEARING,
    SURCHARGE_INCOME,
    asset_account,
)
from services.payments.domain.case import Case
from services.payments.domain.chargeback import Chargeback
from services.payments.domain.refund import Destination
from services.payments.domain.reversal import ReversalKind, Standing, Taking

REFUNDS_PAYABLE = "refunds_payable"
"""Owner: customer. Staff pay it back themselves; a line of a bank statement clears it."""
GONE_TWICE = "gone_twice"
"""Owner: customer. The payer has it back twice, once from us and once from the bank, and owes it again."""
CHARGEBACK_FEES = "chargeback_fees"
"""Owner: none. What providers charge for chargebacks."""
REINSTATED = "reinstated"
_KINDS = {
    ReversalKind.REFUND: "refunded",
    ReversalKind.RETURN: "returned",
    ReversalKind.CHARGEBACK: "charged_back",
}


def taken_entry(case: Case, standing: Standing, taking: Taking, *, at: datetime) -> Entry | None:
    """The entry for money taken from a payment; None if none moves, because it becomes credit."""
    lines = _lines(case, standing, taking)
    if not lines:
        return None
    return Entry(
        source=taking.kind.value,
        source_id=taking.reversal_id,
        kind=_KINDS[taking.kind],
        lines=lines,
        occurred_at=at,
    )


def given_back_entry(case: Case, standing: Standing, taking: Taking, *, at: datetime) -> Entry | None:
    """The opposite, once the refund failed or the chargeback was won."""
    entry = taken_entry(case, standing, taking, at=at)
    if entry is None:
        return None
    return replace(entry, kind=REINSTATED, lines=tuple(_turned(line) for line in entry.lines))


def taken_kind(kind: ReversalKind) -> str:
    """The kind under which an entry of this sort is posted."""
    return _KINDS[kind]


def fee_entry(before: Chargeback | None, after: Chargeback, *, at: datetime) -> Entry | None:
    """The entry for what the provider now charges for a chargeback; None if that is as before."""
    lines: list[Line] = []
    known = before.fee if before is not None else Money.zero(after.fee.currency)
    if known == after.fee:
        return None
    if known.minor_units:
        lines += [debit(PROVIDER_CLEARING, after.provider, known), credit(CHARGEBACK_FEES, "", known)]
    if after.fee.minor_units:
        lines += [debit(CHARGEBACK_FEES, "", after.fee), credit(PROVIDER_CLEARING, after.provider, after.fee)]
    return Entry(
        source=ReversalKind.CHARGEBACK.value,
        source_id=after.chargeback_id,
        kind=f"fee_{after.state.value}",
        lines=tuple(lines),
        occurred_at=at,
    )


def _lines(case: Case, standing: Standing, taking: Taking) -> tuple[Line, ...]:
    asset = _asset(case, standing, taking)
    if asset is None:
        return ()
    net, twice = taking.amount - taking.surcharge, taking.claim - taking.amount
    lines = [
        debit(account, owner, amount)
        for account, owner, amount in (
            (CUSTOMER_FUNDS, standing.customer_id, net),
            (SURCHARGE_INCOME, "", taking.surcharge),
            (GONE_TWICE, standing.customer_id, twice),
        )
        if amount.minor_units > 0
    ]
    lines.append(credit(*asset, taking.claim))
    if taking.surcharge.is_negative:
        lines.append(credit(DISCOUNTS_GIVEN, "", -taking.surcharge))
    return tuple(lines)


def _asset(case: Case, standing: Standing, taking: Taking) -> tuple[str, str] | None:
    """Account and owner that the money leaves."""
    provider = case.attempt.provider if case.attempt is not None else ""
    refund = standing.refund(taking.cause_id) if taking.kind is ReversalKind.REFUND else None
    if refund is None and case.attempt is None:
        return asset_account(case.payment.method, provider)
    if refund is None or refund.destination is Destination.METHOD:
        return PROVIDER_CLEARING, provider
    if refund.destination is Destination.CREDIT:
        return None
    if case.attempt is not None:
        return REFUNDS_PAYABLE, standing.customer_id
    return asset_account(case.payment.method, provider)


def _turned(line: Line) -> Line:
    return replace(line, side=Side.CREDIT if line.side is Side.DEBIT else Side.DEBIT)
