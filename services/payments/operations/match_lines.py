"""Matches bank lines by themselves: what is certain becomes a payment, the rest waits for people."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from itertools import islice

import structlog
from prometheus_client import Counter

from chassis import audit
from chassis.caller import call_scope, current_call_or_none, service_call
from chassis.database import WriteTx
from chassis.errors import ServiceError
from services.payments.desk import Desk
from services.payments.domain.bank_line import AUTOMATIC, BY_RULE, BankLine, LineStatus, payout_of
from services.payments.domain.line_matching import Matcher
from services.payments.domain.matching import Decision, MatchRule, Proposal
from services.payments.operations.book_match import book_payment, book_payout, prepare
from services.payments.operations.gather_knowledge import LINES_AT_ONCE, gather_knowledge
from services.payments.store import line_matches, payouts

MOST_WAITING = 1000
"""Of each organization, in one run of the job; the newest first."""
KEPT_SECONDS = 3.0
"""Of a caller's time, for its own answer."""
MATCHED = Counter("tallyport_payments_bank_lines_total", "Bank lines by what became of them", ["outcome"])
_log = structlog.get_logger("payments.matching")


async def match_new_lines(desk: Desk, organization_id: str, bank_line_ids: Sequence[str]) -> int:
    """Match lines that have just been imported; returns how many found what they are, or are ignored by a rule.

    Never fails the import: what cannot be looked at now (invoicing away, the caller's time used up) is looked at
    by the job.
    """
    call = current_call_or_none()
    remaining = call.remaining_seconds() if call is not None else None
    until = None if remaining is None else time.monotonic() + max(0.0, remaining - KEPT_SECONDS)
    done = 0
    ids = iter(bank_line_ids)
    while some := list(islice(ids, LINES_AT_ONCE)):
        async with desk.db.read(organization_id) as tx:
            lines = await line_matches.waiting(tx, some, limit=len(some))
        done += await _match(desk, organization_id, lines, until=until)
        if until is not None and time.monotonic() > until:
            break
    return done


async def match_waiting_lines(desk: Desk) -> int:
    """Look again at everything that waits: an invoice or a payout may have come since. For a job; returns 0."""
    async with desk.db.transport() as tx:
        organizations = await audit.organizations(tx)
    for organization_id in organizations:
        async with desk.db.read(organization_id) as tx:
            lines = await line_matches.waiting(tx, limit=MOST_WAITING)
        for start in range(0, len(lines), LINES_AT_ONCE):
            await _match(desk, organization_id, lines[start : start + LINES_AT_ONCE], until=None)
    return 0


async def _match(desk: Desk, organization_id: str, lines: Sequence[BankLine], *, until: float | None) -> int:
    if not lines:
        return 0
    with call_scope(service_call("payments", organization_id, method="match bank lines")):
        waiting, done = await _match_payouts(desk, organization_id, lines)
        try:
            knowledge = await gather_knowledge(desk, organization_id, waiting)
        except ServiceError as error:
            _log.warning("bank lines wait: invoicing did not answer", lines=len(waiting), reason=error.reason)
            return done
        matcher = Matcher(knowledge)
        decisions = await asyncio.to_thread(matcher.decide, [line.as_incoming() for line in waiting])
        by_id = {line.bank_line_id: line for line in waiting}
        for decision in decisions:
            if until is not None and time.monotonic() > until:
                break
            done += await _follow(desk, organization_id, by_id[decision.bank_line_id], decision)
    return done


async def _match_payouts(
    desk: Desk, organization_id: str, lines: Sequence[BankLine]
) -> tuple[list[BankLine], int]:
    """Lines that are no payout, and how many were one."""
    async with desk.db.read(organization_id) as tx:
        expected = await payouts.expected(tx)
    left, done = [], 0
    for line in lines:
        payout = payout_of(line, expected)
        if payout is None:
            left.append(line)
            continue
        expected.remove(payout)
        if await desk.db.run_write(organization_id, partial(book_payout, line=line, payout=payout)):
            done += 1
            MATCHED.labels("payout").inc()
    return left, done


async def _follow(desk: Desk, organization_id: str, line: BankLine, decision: Decision) -> int:
    """Do what was decided; a line that somebody else has matched meanwhile, or that cannot be, is left alone."""
    try:
        if decision.ignored_by is not None:
            return await _ignore(desk, organization_id, line, decision.ignored_by)
        if decision.proposal is not None:
            await _book(desk, organization_id, line, decision.proposal)
            return 1
    except ServiceError as error:
        MATCHED.labels("refused").inc()
        _log.warning("bank line not matched", bank_line_id=line.bank_line_id, reason=error.reason)
        return 0
    MATCHED.labels("waits").inc()
    return 0


async def _book(desk: Desk, organization_id: str, line: BankLine, proposal: Proposal) -> None:
    by = BY_RULE if proposal.rule_id else AUTOMATIC
    matched = await prepare(desk, line, proposal, by=by)
    try:
        await desk.db.run_write(organization_id, lambda tx: book_payment(tx, matched))
    except BaseException:
        await desk.reservations.release(organization_id, matched.payment.payment_id)
        raise
    MATCHED.labels(by).inc()


async def _ignore(desk: Desk, organization_id: str, line: BankLine, rule: MatchRule) -> int:
    async def write(tx: WriteTx) -> int:
        locked = await line_matches.lock(tx, line.bank_line_id)
        if locked.status is not LineStatus.UNMATCHED:
            return 0
        note = f"Rule: {rule.name}"
        await line_matches.set_status(tx, line.bank_line_id, LineStatus.IGNORED, by=BY_RULE, note=note)
        audit.record(tx, "bank_line.ignored", line.bank_line_id, reason=note)
        return 1

    ignored = await desk.db.run_write(organization_id, write)
    MATCHED.labels("ignored").inc(ignored)
    return ignored
