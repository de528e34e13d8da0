"""Shows bank lines, and what those that wait may be for."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import date

import structlog

from chassis.caller import current_call
from chassis.errors import ServiceError, invalid
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.bank_line import BankLine, LineStatus
from services.payments.domain.joint_lines import Joint, joints, propose_jointly
from services.payments.domain.line_matching import Matcher
from services.payments.domain.matching import IncomingLine, Knowledge, Proposal
from services.payments.operations.gather_knowledge import gather_knowledge
from services.payments.store import cases, line_matches
from services.payments.store.line_matches import LinePosition
from services.payments.translate.reconciliation import to_proto_detail, to_proto_line
from tallyport.payments.v1 import reconciliation_pb2 as pb

DEFAULT_PAGE_SIZE = 25
_log = structlog.get_logger("payments.matching")


async def list_bank_lines(
    desk: Desk, *, status: LineStatus | None, statement_id: str, page_size: int, page_token: str
) -> pb.ListBankLinesResponse:
    """A page; those that wait with the oldest first, others with the newest."""
    size = page_size or DEFAULT_PAGE_SIZE
    after = _read(page_token) if page_token else None
    async with desk.db.read(current_call().organization_id) as tx:
        organization = await cases.organization(tx)
        today = organization.day_of(tx.now())
        found = await line_matches.page(
            tx, status=status, statement_id=statement_id, after=after, limit=size + 1
        )
    return pb.ListBankLinesResponse(
        lines=[to_proto_line(line, today=today) for line in found[:size]],
        next_page_token=_write(found[size - 1]) if len(found) > size else "",
    )


async def get_bank_line(desk: Desk, bank_line_id: str) -> pb.BankLineDetail:
    """A line with what it may be for, worked out now from what is open now."""
    organization_id = current_call().organization_id
    async with desk.db.read(organization_id) as tx:
        line = await line_matches.load(tx, bank_line_id)
        organization = await cases.organization(tx)
        today = organization.day_of(tx.now())
    return to_proto_detail(line, await _proposals(desk, organization_id, line), today=today)


async def _proposals(desk: Desk, organization_id: str, line: BankLine) -> Sequence[Proposal]:
    """None for lines that do not wait, nor while invoicing does not answer: the line itself is shown all the same."""
    if line.status not in (LineStatus.UNMATCHED, LineStatus.IGNORED):
        return ()
    async with desk.db.read(organization_id) as tx:
        waiting = await line_matches.of_payer(tx, line)
    sums = joints(line.as_incoming(), [other.as_incoming() for other in waiting])
    try:
        knowledge = await gather_knowledge(desk, organization_id, [line], sums=sums.keys())
    except ServiceError as error:
        _log.warning("no proposals", bank_line_id=line.bank_line_id, reason=error.reason)
        return ()
    return await asyncio.to_thread(_propose, knowledge, line.as_incoming(), sums)


def _propose(knowledge: Knowledge, line: IncomingLine, sums: Mapping[Money, Joint]) -> Sequence[Proposal]:
    """The best first; several lines for one invoice only where the line names none."""
    matcher = Matcher(knowledge)
    alone = matcher.propose(line)
    evidence = matcher.evidence_of(line)
    if evidence.hits or not sums:
        return alone
    jointly = propose_jointly(line, sums, knowledge.items, evidence.payers)
    return sorted([*alone, *jointly], key=lambda each: -each.confidence_per_mille)


def _write(last: BankLine) -> str:
    token = f"{last.booked_on.isoformat()} {last.bank_line_id}"
    return base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def _read(token: str) -> LinePosition:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        day, _, bank_line_id = text.partition(" ")
        return LinePosition(date.fromisoformat(day), bank_line_id)
    except (ValueError, binascii.Error):
        raise invalid(
            "page_token", "unknown", "This page does not exist. Please start from the first."
        ) from None
