"""What staff do with bank lines: match, undo, ignore, assign."""

from collections.abc import Sequence

from chassis import audit, idempotency, ledger
from chassis.caller import current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, not_found
from services.payments.bank_books import BANK_MATCH, not_seen_at_bank
from services.payments.desk import Desk
from services.payments.domain.bank_line import BankLine, LineStatus
from services.payments.domain.chargeback import UNMATCHED
from services.payments.domain.matching import MatchedPart, Proposal
from services.payments.domain.payment import Part, check_covers
from services.payments.operations.book_match import book_payment, book_payout, prepare
from services.payments.operations.close_transfer_claims import reopen_claims
from services.payments.operations.prepare_payment import initiator
from services.payments.operations.reverse_payment import reverse_in
from services.payments.operations.split_bank_line import join_parts
from services.payments.store import cases, copies, line_matches, payouts, reversals
from services.payments.translate.reconciliation import to_proto_detail
from tallyport.payments.v1 import reconciliation_pb2 as pb

CERTAIN = 1000


async def match_bank_line(
    desk: Desk, bank_line_id: str, *, customer_id: str, parts: Sequence[MatchedPart]
) -> pb.BankLineDetail:
    """Make a line a payment of the customer; what its invoices do not take becomes credit."""
    call = current_call()
    async with desk.db.read(call.organization_id) as tx:
        earlier = await idempotency.answered(tx, pb.BankLineDetail)
        if earlier is not None:
            return earlier
        line = await line_matches.load(tx, bank_line_id)
        if await copies.payer(tx, customer_id) is None and not parts:
            raise not_found("customer")
    line.check_can_be_matched()
    check_covers(line.amount, tuple(Part(part.invoice_id, part.amount) for part in parts))
    left = line.amount
    for part in parts:
        left -= part.amount
    proposal = Proposal(
        customer_id=customer_id,
        customer_name="",
        parts=tuple(parts),
        credit=left,
        confidence_per_mille=CERTAIN,
        reasons=(),
    )
    matched = await prepare(desk, line, proposal, by=initiator(call))

    async def write(tx: WriteTx) -> pb.BankLineDetail:
        await book_payment(tx, matched)
        return await _answer(tx, bank_line_id)

    try:
        answer = await idempotency.once(desk.db, pb.BankLineDetail, write)
    except ServiceError:
        await desk.reservations.release(call.organization_id, matched.payment.payment_id)
        raise
    if answer.line.payment_id != matched.payment.payment_id:
        await desk.reservations.release(call.organization_id, matched.payment.payment_id)
    return answer


async def match_payout(desk: Desk, bank_line_id: str, payout_id: str) -> pb.BankLineDetail:
    """Say that a line is a payout of the same sum. PAYOUT_ARRIVED, PAYOUT_AMOUNT_DIFFERS."""

    async def write(tx: WriteTx) -> pb.BankLineDetail:
        line, payout = await line_matches.load(tx, bank_line_id), await payouts.load(tx, payout_id)
        if line.status is not LineStatus.OUTGOING:
            line.check_can_be_matched()
        if payout.figures.net != line.amount:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PAYOUT_AMOUNT_DIFFERS", "The line is not of the payout’s sum."
            )
        if not await book_payout(tx, line, payout_id, by=initiator(current_call())):
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PAYOUT_ARRIVED", "Another line is this payout already."
            )
        return await _answer(tx, bank_line_id)

    return await idempotency.once(desk.db, pb.BankLineDetail, write)


async def undo_match(desk: Desk, bank_line_id: str, reason: str) -> pb.BankLineDetail:
    """Take a match (or that it is ignored) back: payment, receipt, entries and line, in one transaction."""

    async def write(tx: WriteTx) -> pb.BankLineDetail:
        line = await line_matches.lock(tx, bank_line_id)
        by = initiator(current_call())
        if line.status is LineStatus.SUPERSEDED:
            await join_parts(tx, line)
        elif line.status is LineStatus.IGNORED:
            await line_matches.set_status(tx, bank_line_id, LineStatus.UNMATCHED, by="", note="")
        elif line.status is LineStatus.MATCHED:
            await _undo(tx, line, by=by, reason=reason)
        else:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "BANK_LINE_NOT_MATCHED",
                "This line is not matched; there is nothing to undo.",
            )
        audit.record(tx, "bank_line.undone", bank_line_id, reason=reason)
        return await _answer(tx, bank_line_id)

    return await idempotency.once(desk.db, pb.BankLineDetail, write)


async def ignore_bank_line(desk: Desk, bank_line_id: str, reason: str) -> pb.BankLineDetail:
    """Note that a line is none of the customers' money."""

    async def write(tx: WriteTx) -> pb.BankLineDetail:
        line = await line_matches.lock(tx, bank_line_id)
        line.check_can_be_matched()
        by = initiator(current_call())
        await line_matches.set_status(tx, bank_line_id, LineStatus.IGNORED, by=by, note=reason)
        audit.record(tx, "bank_line.ignored", bank_line_id, reason=reason)
        return await _answer(tx, bank_line_id)

    return await idempotency.once(desk.db, pb.BankLineDetail, write)


async def assign_bank_line(desk: Desk, bank_line_id: str, assignee: str) -> pb.BankLineDetail:
    """Make a line somebody's task, or nobody's."""

    async def write(tx: WriteTx) -> pb.BankLineDetail:
        await line_matches.lock(tx, bank_line_id)
        await line_matches.assign(tx, bank_line_id, assignee)
        audit.record(tx, "bank_line.assigned", bank_line_id, reason=assignee)
        return await _answer(tx, bank_line_id)

    return await desk.db.run_write(current_call().organization_id, write)


async def _undo(tx: WriteTx, line: BankLine, *, by: str, reason: str) -> None:
    match = await line_matches.take_back(tx, line.bank_line_id, undone_by=by, reason=reason)
    if match.payment_id:
        await _unmatch_payment(tx, line, match.payment_id)
    else:
        await payouts.not_arrived(tx, match.payout_id)
    corrected = await reversals.entry_id(tx, BANK_MATCH, match.match_id, "matched")
    await ledger.post(tx, not_seen_at_bank(match.match_id, line, at=tx.now(), corrects_entry_id=corrected))


async def _unmatch_payment(tx: WriteTx, line: BankLine, payment_id: str) -> None:
    """The whole payment comes back, as if the money had never been the customer's.

    One that staff had recorded before the line came stays: only its line is another.
    """
    case, before = await reversals.lock(tx, payment_id)
    if case.payment.source != line.bank_line_id:
        return
    if before.takings or before.refunds or before.returned is not None:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "PAYMENT_REVERSED",
            "Money of this payment has gone back already, so its match stays.",
        )
    await reverse_in(tx, case, before, before.with_return(UNMATCHED, returned_at=tx.now()))
    await reopen_claims(tx, payment_id)


async def _answer(tx: WriteTx, bank_line_id: str) -> pb.BankLineDetail:
    line = await line_matches.load(tx, bank_line_id)
    organization = await cases.organization(tx)
    return to_proto_detail(line, (), today=organization.day_of(tx.now()))
