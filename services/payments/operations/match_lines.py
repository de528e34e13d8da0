"""Matches bank lines by themselves: what is certain becomes a payment, the rest waits for people."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from prometheus_client import Counter

from chassis import audit, books
from chassis.caller import Call, call_scope, current_call_or_none, service_call
from chassis.database import WriteTx
from chassis.errors import ServiceError
from services.payments.desk import Desk
from services.payments.domain.bank_line import (
    AUTOMATIC,
    BY_RULE,
    BankLine,
    LineStatus,
    payout_of,
    recorded_of,
)
from services.payments.domain.line_matching import Matcher
from services.payments.domain.matching import Decision, MatchRule, Proposal
from services.payments.operations.book_match import book_payment, book_payout, book_recorded, prepare
from services.payments.operations.gather_knowledge import LINES_AT_ONCE, gather_knowledge
from services.payments.store import line_matches, payouts

MOST_WAITING = 1000
"""Of each organization, in one run of the job; the newest first."""
AT_ONCE = 3
"""Matches written at a time, so that connections are left for payers."""
KEPT_SECONDS = 1.0
"""Of a caller's time, for its own answer."""
MATCHED = Counter("tallyport_payments_bank_lines_total", "Bank lines by what became of them", ["outcome"])
_log = structlog.get_logger("payments.matching")


@dataclass(slots=True)
class _Progress:
    done: int = 0


async def match_new_lines(desk: Desk, organization_id: str, bank_line_ids: Sequence[str]) -> int:
    """Match lines that have just been imported; returns how many found what they are, or are ignored by a rule.

    Never fails the import. What the caller's time does not suffice for goes on after the answer, and what cannot
    be looked at now (invoicing away, the process stopped) is looked at by the job.
    """
    call = current_call_or_none()
    remaining = call.remaining_seconds() if call is not None else None
    progress = _Progress()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(None if remaining is None else max(0.0, remaining - KEPT_SECONDS)):
            await desk.to_the_end(_match_all(desk, organization_id, bank_line_ids, progress))
    return progress.done


async def match_waiting_lines(desk: Desk) -> int:
    """Look again at everything that waits: an invoice or a payout may have come since. For a job; returns 0."""
    is_in_turn = await desk.db.in_turn()
    async with desk.db.transport() as tx:
        organizations = [one for one in await audit.organizations(tx) if is_in_turn(one)]
    for organization_id in organizations:
        with call_scope(_own_call(organization_id)):
            async with desk.db.read(organization_id) as read:
                lines = await line_matches.waiting(read, limit=MOST_WAITING)
            for start in range(0, len(lines), LINES_AT_ONCE):
                await _match(desk, organization_id, lines[start : start + LINES_AT_ONCE], _Progress())
            await _match_outgoing(desk, organization_id, _Progress())
    return 0


async def _match_all(
    desk: Desk, organization_id: str, bank_line_ids: Sequence[str], progress: _Progress
) -> None:
    with call_scope(_own_call(organization_id)):
        for start in range(0, len(bank_line_ids), LINES_AT_ONCE):
            some = bank_line_ids[start : start + LINES_AT_ONCE]
            async with desk.db.read(organization_id) as tx:
                lines = await line_matches.waiting(tx, some, limit=len(some))
            await _match(desk, organization_id, lines, progress)
        await _match_outgoing(desk, organization_id, progress)


def _own_call(organization_id: str) -> Call:
    return service_call("payments", organization_id, method="match bank lines")


async def _match(desk: Desk, organization_id: str, lines: Sequence[BankLine], progress: _Progress) -> None:
    """Match what can be; nothing while the organization's books are wrong: the lines wait."""
    async with desk.db.read(organization_id) as tx:
        if (await books.state(tx)).frozen_at is not None:
            return
    waiting = await _match_known(desk, organization_id, lines, progress)
    if not waiting:
        return
    try:
        knowledge = await gather_knowledge(desk, organization_id, waiting)
    except ServiceError as error:
        _log.warning("bank lines wait: invoicing did not answer", lines=len(waiting), reason=error.reason)
        return
    matcher = Matcher(knowledge)
    decisions = await asyncio.to_thread(matcher.decide, [line.as_incoming() for line in waiting])
    by_id = {line.bank_line_id: line for line in waiting}
    at_once = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for decision in decisions:
            line = by_id[decision.bank_line_id]
            group.create_task(_follow(desk, organization_id, line, decision, at_once, progress))


async def _match_known(
    desk: Desk, organization_id: str, lines: Sequence[BankLine], progress: _Progress
) -> list[BankLine]:
    """Match lines that are payouts, or money that staff had recorded; returns the others."""
    if not lines:
        return []
    async with desk.db.read(organization_id) as tx:
        expected = await payouts.expected(tx)
        recorded = await line_matches.recorded_transfers(tx)
    left = []
    for line in lines:
        payout = payout_of(line, expected)
        if payout is None:
            transfer = recorded_of(line, recorded)
            if transfer is None:
                left.append(line)
                continue
            recorded.remove(transfer)
            if await desk.db.run_write(organization_id, partial(book_recorded, line=line, recorded=transfer)):
                progress.done += 1
                MATCHED.labels("recorded").inc()
            continue
        expected.remove(payout)
        if await desk.db.run_write(
            organization_id, partial(book_payout, line=line, payout_id=payout.payout_id)
        ):
            progress.done += 1
            MATCHED.labels("payout").inc()
    return left


async def _match_outgoing(desk: Desk, organization_id: str, progress: _Progress) -> None:
    """Match money that left the account with payouts that are negative: what a provider has taken."""
    async with desk.db.read(organization_id) as tx:
        if (await books.state(tx)).frozen_at is not None:
            return
        expected = [payout for payout in await payouts.expected(tx) if payout.net.is_negative]
        lines = await line_matches.outgoing(tx, {one.net.minor_units for one in expected}) if expected else []
    for line in lines:
        payout = payout_of(line, expected)
        if payout is None:
            continue
        expected.remove(payout)
        if await desk.db.run_write(
            organization_id, partial(book_payout, line=line, payout_id=payout.payout_id)
        ):
            progress.done += 1
            MATCHED.labels("payout").inc()


async def _follow(
    desk: Desk,
    organization_id: str,
    line: BankLine,
    decision: Decision,
    at_once: asyncio.Semaphore,
    progress: _Progress,
) -> None:
    """Do what was decided. A line that somebody else has matched meanwhile, or that cannot be, holds up no other."""
    async with at_once:
        try:
            if decision.ignored_by is not None:
                progress.done += await _ignore(desk, organization_id, line, decision.ignored_by)
            elif decision.proposal is not None:
                await _book(desk, organization_id, line, decision.proposal)
                progress.done += 1
            else:
                MATCHED.labels("waits").inc()
        except ServiceError as error:
            MATCHED.labels("refused").inc()
            _log.warning("bank line not matched", bank_line_id=line.bank_line_id, reason=error.reason)
        except Exception as error:
            MATCHED.labels("error").inc()
            _log.error("bank line could not be matched", bank_line_id=line.bank_line_id, exc_info=error)


async def _book(desk: Desk, organization_id: str, line: BankLine, proposal: Proposal) -> None:
    by = BY_RULE if proposal.rule_id else AUTOMATIC
    async with desk.db.read(organization_id) as tx:  # first: preparing may close a payer's page
        (await line_matches.load(tx, line.bank_line_id)).check_can_be_matched()
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
