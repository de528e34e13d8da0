"""The books' state between chassis and messages."""

from datetime import date

from chassis.book_figures import PeriodLock
from chassis.books import BooksState
from services.invoicing.domain.period_close import CloseCheck, CloseCheckKind, CloseChecklist, TrialBalance
from services.invoicing.translate.values import to_proto_money, to_proto_time
from tallyport.invoicing.v1 import books_pb2 as pb

_KINDS = {kind: pb.CloseCheckKind.Value(f"CLOSE_CHECK_KIND_{kind.name}") for kind in CloseCheckKind}


def to_proto_state(state: BooksState) -> pb.ReceivablesBooksState:
    return pb.ReceivablesBooksState(
        frozen=state.frozen_at is not None,
        frozen_at=to_proto_time(state.frozen_at),
        checked_at=to_proto_time(state.checked_at),
        broken=[f"{one.invariant} {one.found}" for one in state.broken],
    )


def to_proto_trial_balance(balance: TrialBalance) -> pb.ReceivablesTrialBalance:
    return pb.ReceivablesTrialBalance(
        until=balance.until.isoformat(),
        lines=[
            pb.ReceivablesAccountBalance(
                account=line.account,
                debits=to_proto_money(line.debits),
                credits=to_proto_money(line.credits),
                balance=to_proto_money(line.balance),
            )
            for line in balance.lines
        ],
        balanced=not balance.unbalanced,
    )


def to_proto_checklist(checklist: CloseChecklist) -> pb.CloseChecklist:
    return pb.CloseChecklist(
        until=checklist.until.isoformat(),
        checks=[_check(check) for check in checklist.checks],
        ready=not checklist.blocking,
        closed=_closed_with(checklist.closed, checklist.cash_closed_until),
    )


def to_proto_closed(lock: PeriodLock) -> pb.ClosedPeriod:
    return pb.ClosedPeriod(
        until=lock.until.isoformat(), closed_by=lock.locked_by, closed_at=to_proto_time(lock.locked_at)
    )


def _closed_with(lock: PeriodLock | None, cash_until: date | None) -> pb.ClosedPeriod | None:
    if lock is None and cash_until is None:
        return None
    closed = to_proto_closed(lock) if lock else pb.ClosedPeriod()
    closed.cash_until = cash_until.isoformat() if cash_until else ""
    return closed


def _check(check: CloseCheck) -> pb.CloseCheck:
    return pb.CloseCheck(
        kind=_KINDS[check.kind],
        count=check.count,
        amounts=[to_proto_money(amount) for amount in check.amounts],
        blocks=check.blocks,
        found=check.found,
        unknown=check.unknown,
    )
