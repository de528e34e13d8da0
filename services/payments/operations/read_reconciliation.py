"""Shows payouts and what waits, and raises the alarm for what has waited too long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import structlog
from prometheus_client import Gauge

from chassis import audit
from chassis.caller import current_call
from chassis.database import ReadTx
from chassis.paging import DEFAULT_PAGE_SIZE, read_token, write_token
from services.payments.desk import Desk
from services.payments.domain.bank_line import BankLine
from services.payments.domain.payout import Payout, PayoutLine
from services.payments.domain.reconciliation import CLEARED_WITHIN, Reconciliation, clearing_of
from services.payments.store import cases, line_matches, payouts, reconciliation

WINDOW = timedelta(days=30)
OVERDUE = Gauge("tallyport_payments_clearing_overdue", "Clearing accounts not back at zero in time")
WAITING = Gauge("tallyport_payments_bank_lines_waiting", "Incoming bank lines that nobody has matched")
DIFFERENCES = Gauge("tallyport_payments_payout_differences", "Payout lines that differ from our books")
_log = structlog.get_logger("payments.reconciliation")


@dataclass(frozen=True, slots=True)
class PayoutDetail:
    """A payout with its lines, and payments that it lacks."""

    payout: Payout
    lines: Sequence[PayoutLine]
    missing_payment_ids: Sequence[str]
    candidates: Sequence[BankLine]
    """Lines of its sum that nobody has matched, while its own is not known."""
    today: date


async def list_payouts(desk: Desk, *, page_size: int, page_token: str) -> tuple[Sequence[Payout], str]:
    """A page, the newest first, and the token of the next one."""
    size = page_size or DEFAULT_PAGE_SIZE
    position = read_token(page_token)
    after = (position[0].date(), position[1]) if position else None
    async with desk.db.read(current_call().organization_id) as tx:
        found = await payouts.page(tx, after=after, limit=size + 1)
    if len(found) <= size:
        return found, ""
    last = found[size - 1]
    return found[:size], write_token((datetime.combine(last.arrives_on, time(), tzinfo=UTC), last.payout_id))


async def get_payout(desk: Desk, payout_id: str) -> PayoutDetail:
    """A payout, compared both ways."""
    async with desk.db.read(current_call().organization_id) as tx:
        payout = await payouts.load(tx, payout_id)
        return PayoutDetail(
            payout=payout,
            lines=await payouts.lines_of(tx, payout_id),
            missing_payment_ids=await payouts.missing_payments(tx, payout),
            candidates=[] if payout.bank_line_id else await line_matches.of_sum(tx, payout.figures.net),
            today=(await cases.organization(tx)).day_of(tx.now()),
        )


async def get_reconciliation(desk: Desk) -> Reconciliation:
    """What waits in the caller's organization."""
    async with desk.db.read(current_call().organization_id) as tx:
        return await _read(tx)


async def watch_reconciliation(desk: Desk) -> int:
    """Set the figures that alarm, and log each account that is overdue. For a job; always 0."""
    is_in_turn = await desk.db.in_turn()
    async with desk.db.transport() as tx:
        organizations = [one for one in await audit.organizations(tx) if is_in_turn(one)]
    waiting = overdue = differences = 0
    for organization_id in organizations:
        async with desk.db.read(organization_id) as read:
            found = await _read(read)
        waiting += found.unmatched_lines
        differences += found.payout_differences
        for account in found.clearing:
            if account.overdue:
                overdue += 1
                _log.error(
                    "clearing account not back at zero",
                    organization_id=organization_id,
                    account=account.account,
                    balance=str(account.balance),
                    oldest_on=account.oldest_on.isoformat(),
                )
    WAITING.set(waiting)
    OVERDUE.set(overdue)
    DIFFERENCES.set(differences)
    return 0


async def _read(tx: ReadTx) -> Reconciliation:
    organization = await cases.organization(tx)
    today = organization.day_of(tx.now())
    lines = await reconciliation.waiting_lines(tx)
    counts = await reconciliation.counts(tx, since=tx.now() - WINDOW)
    open_accounts = await reconciliation.open_clearing(tx, list(CLEARED_WITHIN))
    return Reconciliation(
        unmatched_lines=sum(each.count for each in lines),
        oldest_age_days=max(((today - each.oldest_on).days for each in lines), default=0),
        unmatched=[each.amount for each in lines],
        open_claims=counts.open_claims,
        payout_differences=counts.payout_differences,
        clearing=[
            clearing_of(
                each.account,
                each.owner,
                each.balance,
                oldest_on=organization.day_of(each.oldest_at),
                today=today,
            )
            for each in open_accounts
        ],
        matched_by_itself=counts.by_itself,
        matched_by_hand=counts.by_hand,
    )
