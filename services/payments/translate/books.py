"""Between the messages of the books and the ledger as it is read."""

from chassis.book_figures import PeriodLock
from chassis.books import BooksState
from services.payments.operations.follow_close import CloseFacts
from services.payments.operations.read_books import TrialBalance
from services.payments.store.books import LedgerEntry
from services.payments.store.close_facts import CloseFact
from services.payments.translate.payments import to_proto_money, to_proto_time
from tallyport.payments.v1 import books_pb2 as pb


def to_proto_trial_balance(found: TrialBalance) -> pb.TrialBalance:
    """Balances of all accounts."""
    return pb.TrialBalance(
        until=found.until.isoformat(),
        lines=[
            pb.AccountBalanceLine(
                account=line.account,
                debits=to_proto_money(line.debits),
                credits=to_proto_money(line.credits),
                balance=to_proto_money(line.balance),
            )
            for line in found.lines
        ],
        balanced=found.is_balanced,
    )


def to_proto_entry(entry: LedgerEntry) -> pb.LedgerEntry:
    """An entry with its lines."""
    message = pb.LedgerEntry(
        entry_id=entry.entry_id,
        source=entry.source,
        source_id=entry.source_id,
        kind=entry.kind,
        occurred_at=to_proto_time(entry.occurred_at),
        posted_at=to_proto_time(entry.posted_at),
    )
    for line in entry.lines:
        amount = to_proto_money(line.amount)
        message.lines.append(
            pb.LedgerLine(
                account=line.account,
                owner=line.owner,
                debit=amount if line.is_debit else None,
                credit=None if line.is_debit else amount,
            )
        )
    return message


def to_proto_lock(lock: PeriodLock | None) -> pb.PeriodLock:
    """The lock; empty fields when nothing is locked."""
    if lock is None:
        return pb.PeriodLock()
    return pb.PeriodLock(
        until=lock.until.isoformat(), locked_by=lock.locked_by, locked_at=to_proto_time(lock.locked_at)
    )


def to_proto_close_facts(facts: CloseFacts) -> pb.CloseFacts:
    """What a close asks."""
    return pb.CloseFacts(
        unmatched_receipts=_fact(facts.unmatched_receipts),
        unclear_payments=_fact(facts.unclear_payments),
        customer_funds=[to_proto_money(one) for one in facts.customer_funds],
        period_lock=to_proto_lock(facts.lock),
    )


def _fact(fact: CloseFact) -> pb.CloseFact:
    return pb.CloseFact(
        count=fact.count, amounts=[to_proto_money(one) for one in fact.amounts], found=fact.found
    )


def to_proto_state(lock: PeriodLock | None, state: BooksState) -> pb.BooksState:
    """Lock and last check."""
    return pb.BooksState(
        period_lock=to_proto_lock(lock),
        frozen=state.frozen_at is not None,
        frozen_at=to_proto_time(state.frozen_at),
        checked_at=to_proto_time(state.checked_at),
        broken=[pb.BrokenInvariant(invariant=one.invariant, found=one.found) for one in state.broken],
    )
