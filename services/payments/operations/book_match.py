"""Writes down what a bank line is: the same for people, rules and matches made by themselves."""

from dataclasses import dataclass

from chassis import audit, ledger
from chassis.caller import current_call
from chassis.database import WriteTx
from chassis.ids import new_id
from services.payments.bank_books import seen_at_bank
from services.payments.desk import Desk
from services.payments.domain.bank_line import AUTOMATIC, BY_RULE, BankLine, RecordedTransfer
from services.payments.domain.matching import MatchedPart, Proposal, Reason, ReasonCode
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Method, Part, Payment
from services.payments.operations.close_transfer_claims import close_matching_claims
from services.payments.operations.prepare_payment import initiator
from services.payments.operations.record_payment import hold, insert_recorded
from services.payments.store import cases, line_matches, payouts, reversals
from services.payments.store.line_matches import Match

BY_ITSELF = "matching"
"""Who started payments that nobody started."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A line on its way to be a payment. The invoices are held for it."""

    line: BankLine
    payment: Payment
    match: Match


async def prepare(desk: Desk, line: BankLine, proposal: Proposal, *, by: str) -> Matched:
    """Make the payment and hold its invoices, as when staff record one. INVOICE_NOT_FOUND."""
    call = current_call()
    by_itself = by in (AUTOMATIC, BY_RULE)
    payment = Payment(
        payment_id=new_id("pay"),
        customer_id=proposal.customer_id,
        status=Status.SUBMITTING,
        amount=line.amount,
        parts=tuple(_part(part) for part in proposal.parts),
        method=Method.BANK_TRANSFER,
        initiated_by=BY_ITSELF if by_itself else initiator(call),
        created_at=await desk.db.now_of(call.organization_id),
        note=line.remittance_text[:500],
        source=line.bank_line_id,
    )
    if payment.parts:
        payment = payment.with_numbers(await hold(desk, call.organization_id, payment))
    match = Match(
        match_id=new_id("bmt"),
        bank_line_id=line.bank_line_id,
        payment_id=payment.payment_id,
        customer_id=payment.customer_id,
        matched_by=by,
        match_rule_id=proposal.rule_id,
        confidence_per_mille=proposal.confidence_per_mille,
        reasons=proposal.reasons,
    )
    return Matched(line, payment, match)


async def book_payment(tx: WriteTx, matched: Matched) -> Payment:
    """Write payment, receipt, ledger entries, news and match in one transaction.

    BANK_LINE_MATCHED if somebody else was first: the line's row is locked, and it has one live match at a time.
    """
    line = await line_matches.lock(tx, matched.line.bank_line_id)
    line.check_can_be_matched()
    times = await line_matches.count_matches(tx, line.bank_line_id)
    reference = f"bank line {line.bank_line_id}" + (f" again {times}" if times else "")
    organization = await cases.organization(tx)
    day = min(line.booked_on, organization.day_of(tx.now()))
    recorded = await insert_recorded(tx, matched.payment, day, external_reference=reference)
    await _write(tx, line, matched.match)
    paid = [part.invoice_id for part in recorded.parts]
    await close_matching_claims(tx, recorded.customer_id, paid, recorded.payment_id)
    return recorded


async def book_payout(tx: WriteTx, line: BankLine, payout_id: str, *, by: str = AUTOMATIC) -> bool:
    """Note that a line is a payout; False if either of them is matched already."""
    locked = await line_matches.lock(tx, line.bank_line_id)
    if locked.status is not line.status or not await payouts.arrive(tx, payout_id, line.bank_line_id):
        return False
    match = Match(
        match_id=new_id("bmt"),
        bank_line_id=line.bank_line_id,
        payout_id=payout_id,
        matched_by=by,
        confidence_per_mille=1000,
    )
    await _write(tx, locked, match)
    return True


async def book_recorded(tx: WriteTx, line: BankLine, recorded: RecordedTransfer) -> bool:
    """Note that a line shows money that staff had recorded: no new payment. False if either is matched already."""
    await reversals.lock(tx, recorded.payment_id)
    locked = await line_matches.lock(tx, line.bank_line_id)
    if locked.status is not line.status or await line_matches.has_match(tx, recorded.payment_id):
        return False
    match = Match(
        match_id=new_id("bmt"),
        bank_line_id=line.bank_line_id,
        payment_id=recorded.payment_id,
        customer_id=recorded.customer_id,
        matched_by=AUTOMATIC,
        confidence_per_mille=1000,
        reasons=[Reason(ReasonCode.EXACT_AMOUNT, "Staff had recorded this sum of this customer.")],
    )
    await _write(tx, locked, match)
    return True


async def _write(tx: WriteTx, line: BankLine, match: Match) -> None:
    if not await line_matches.write_match(tx, match):
        raise RuntimeError(f"{line.bank_line_id} has a match though its state says that it waits")
    await ledger.post(tx, seen_at_bank(match.match_id, line, at=tx.now()))
    audit.record(tx, "bank_line.matched", line.bank_line_id, reason=match.matched_by)


def _part(part: MatchedPart) -> Part:
    return Part(part.invoice_id, part.amount, part.number)
