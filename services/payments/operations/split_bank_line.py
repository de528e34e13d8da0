"""Splits a bank line into several that are matched by themselves, and joins them again."""

from collections.abc import Sequence

from chassis import audit, idempotency
from chassis.caller import current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, invalid
from chassis.ids import new_id
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.bank_line import BankLine, LineStatus
from services.payments.operations.prepare_payment import initiator
from services.payments.store import cases, line_matches, split_lines
from services.payments.translate.reconciliation import to_proto_line
from tallyport.payments.v1 import reconciliation_pb2 as pb


async def split_bank_line(
    desk: Desk, bank_line_id: str, amounts: Sequence[Money]
) -> pb.SplitBankLineResponse:
    """One new line for each amount. VALIDATION_FAILED unless they add up to the line."""

    async def write(tx: WriteTx) -> pb.SplitBankLineResponse:
        line = await line_matches.lock(tx, bank_line_id)
        line.check_can_be_matched()
        _check(line, amounts)
        ids = [new_id("bln") for _ in amounts]
        await split_lines.supersede(tx, bank_line_id, by=initiator(current_call()))
        await split_lines.insert_parts(tx, bank_line_id, dict(zip(ids, amounts, strict=True)))
        audit.record(tx, "bank_line.split", bank_line_id, reason=" + ".join(str(one) for one in amounts))
        today = (await cases.organization(tx)).day_of(tx.now())
        parts = [await line_matches.load(tx, one) for one in ids]
        return pb.SplitBankLineResponse(lines=[to_proto_line(part, today=today) for part in parts])

    return await idempotency.once(desk.db, pb.SplitBankLineResponse, write)


async def join_parts(tx: WriteTx, line: BankLine) -> None:
    """Let a line that was split wait again instead of its parts; `line` is locked.

    BANK_LINE_MATCHED if one of them is matched.
    """
    if line.was_joined:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "BANK_LINE_SPLIT", "This part was joined again: look at the whole line."
        )
    for part in await split_lines.lock_parts(tx, line.bank_line_id):
        if part.status is LineStatus.SUPERSEDED:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "BANK_LINE_SPLIT", "A part of it was split again: join that first."
            )
        part.check_can_be_matched()
    await split_lines.join(tx, line.bank_line_id, by=initiator(current_call()))


def _check(line: BankLine, amounts: Sequence[Money]) -> None:
    total = Money.zero(line.amount.currency)
    for index, amount in enumerate(amounts):
        if amount.currency != line.amount.currency:
            raise invalid(f"amounts[{index}]", "currency", f"The line is in {line.amount.currency}.")
        if amount.minor_units <= 0:
            raise invalid(f"amounts[{index}]", "not_positive", "Each part must be more than zero.")
        total += amount
    if total != line.amount:
        raise invalid("amounts", "not_the_sum", "The parts must add up to the line.")
