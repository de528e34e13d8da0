"""Writes down what the provider said: state, receipt, ledger entry and news in one transaction.

Everybody who learns of an outcome comes through here: the request itself, webhooks, the reconciler, people
who ask again. However many of them come, and in whichever order, the money is counted once.
"""

from collections.abc import Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace

import structlog
from google.protobuf.message import Message

from chassis import audit, idempotency, outbox
from chassis.caller import Call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from services.payments.books import received_entry
from services.payments.desk import Alone, Desk, unhurried
from services.payments.domain.attempt import Attempt, next_check_at
from services.payments.domain.case import Case
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import Method, News, Payment, news
from services.payments.invoicing import Refused
from services.payments.operations.apply_reversals import apply_reversals
from services.payments.operations.follow_up_payment import follow_up_payment
from services.payments.store import cases
from services.payments.store.together import Success, save_many
from services.payments.translate.payments import to_canceled, to_failed, to_succeeded
from tallyport.payments.v1 import payments_pb2

AGGREGATE = "payment"
TRIES = 5
_log = structlog.get_logger("payments.settle")


async def settle(desk: Desk, case: Case, outcome: Outcome, *, key: Call | None = None) -> Case:
    """Apply an outcome; answers with what is true afterwards. `key` is a call whose key is now finished."""

    async def write(tx: WriteTx) -> Case:
        return await settle_in(tx, desk, case, outcome, key=key)

    with unhurried(case.organization_id):
        if case.payment.lacks_numbers and outcome.status.rank > case.payment.status.rank:
            case = await _numbered(desk, case)
        settled = await _settle_with_others(desk, Settling(case, outcome, key))
        if settled is None:
            settled = await desk.db.run_write(case.organization_id, write)
        if settled.payment.status in (Status.FAILED, Status.CANCELED) and case.payment.status.is_live:
            await desk.reservations.release(case.organization_id, case.payment.payment_id)
    return settled


@dataclass(frozen=True, slots=True)
class Settling:
    """An outcome on its way into the books, with the context in which its news are told."""

    case: Case
    outcome: Outcome
    key: Call | None
    context: Context = field(default_factory=copy_context)

    @property
    def is_ordinary(self) -> bool:
        """Whether money came and nothing else follows from it but receipt, entry and news."""
        payment, attempt, outcome = self.case.payment, self.case.attempt, self.outcome
        return (
            attempt is not None
            and not (attempt.save_method or payment.payment_method_id or payment.source)
            and payment.method not in (Method.BANK_DEBIT, Method.CREDIT)
            and payment.receipt_no is None
            and outcome.checked(payment.amount).status is Status.SUCCEEDED
            and outcome.status.rank > payment.status.rank
            and not (outcome.return_code or outcome.disputes)
            and outcome.saved_method is None
        )


async def _settle_with_others(desk: Desk, one: Settling) -> Case | None:
    """The case once money came, written in one transaction with others'; None if it needs one of its own."""
    if not one.is_ordinary:
        return None
    try:
        return await desk.together(settle_together).submit(one.case.organization_id, one)
    except Alone:
        return None


async def settle_together(
    desk: Desk, tx: WriteTx, settling: Sequence[Settling]
) -> Sequence[Case | Exception]:
    """Transaction B of payments for which money came, many in one; Alone for those that changed meanwhile."""
    successes: dict[str, tuple[int, Success]] = {}
    for index, one in enumerate(settling):
        payment = one.case.after(one.outcome, now=tx.now())
        attempt = _attempt_after(one.case, payment, one.outcome, tx, desk.settings.check_delays_seconds)
        entry = received_entry(payment, provider=attempt.provider)
        if entry is not None:
            success = Success(payment=payment, attempt=attempt, entry=entry, key=one.key)
            successes.setdefault(payment.payment_id, (index, success))
    numbers = await save_many(tx, [success for _, success in successes.values()]) if successes else {}
    answers: list[Case | Exception] = [Alone() for _ in settling]
    for index, success in successes.values():
        if (receipt_no := numbers.get(success.payment.payment_id)) is None:
            continue
        one, saved = settling[index], cases.with_receipt(success.payment, receipt_no)
        one.context.run(announce, tx, one.case.payment, saved)
        one.context.run(_log.info, "payment settled", payment_id=saved.payment_id, status=saved.status.value)
        answers[index] = replace(one.case, payment=saved, attempt=success.attempt)
    return answers


async def settle_in(
    tx: WriteTx, desk: Desk, case: Case, outcome: Outcome, *, key: Call | None = None
) -> Case:
    """The same inside a transaction. If the payment has changed since it was read, it is read again."""
    numbers = {part.invoice_id: part.invoice_number for part in case.payment.parts if part.invoice_number}
    for _ in range(TRIES):
        payment = case.after(outcome, now=tx.now())
        attempt = _attempt_after(case, payment, outcome, tx, desk.settings.check_delays_seconds)
        if payment is case.payment:
            await _note(tx, case, attempt, key=key)
            return await apply_reversals(tx, replace(case, attempt=attempt), outcome)
        entry = None
        if payment.status is Status.SUCCEEDED:
            entry = received_entry(payment, provider=attempt.provider)
        reason = outcome.checked(payment.amount).review_reason
        saved = await cases.save(tx, payment, attempt, entry=entry, review_reason=reason, key=key)
        if saved is not None:
            if saved.amount != case.payment.amount:
                await _note_other_sum(tx, case.payment, saved)
            announce(tx, case.payment, saved)
            _log.info("payment settled", payment_id=saved.payment_id, status=saved.status.value)
            settled = await follow_up_payment(tx, replace(case, payment=saved, attempt=attempt), outcome)
            return await apply_reversals(tx, settled, outcome)
        case = (await cases.load(tx, payment.payment_id)).with_numbers(numbers)
    raise ServiceError(Kind.ABORTED, "BUSY", "Somebody else is changing this right now. Please try again.")


async def _note_other_sum(tx: WriteTx, asked: Payment, came: Payment) -> None:
    await cases.change_sums(tx, came)
    action = "payment.overpaid" if came.amount > asked.amount else "payment.underpaid"
    audit.record(tx, action, came.payment_id, reason=f"{asked.amount} asked for, {came.amount} came")


def announce(tx: WriteTx, before: Payment, after: Payment, *, notify: bool = True) -> None:
    """Tell the other services of a change, if it concerns them, and the audit log."""
    told = news(before, after)
    if told is None:
        return
    audit.record(tx, f"payment.{told}", after.payment_id)
    message: Message
    if told is News.SUCCEEDED:
        message = to_succeeded(after, notify=notify)
    else:
        message = to_failed(after) if told is News.FAILED else to_canceled(after)
    outbox.append(
        tx,
        message,
        aggregate_type=AGGREGATE,
        aggregate_id=after.payment_id,
        aggregate_version=after.events,
    )


def _attempt_after(
    case: Case, payment: Payment, outcome: Outcome, tx: WriteTx, delays_seconds: Sequence[int]
) -> Attempt:
    attempt = case.at_provider
    reference = outcome.provider_reference or attempt.provider_reference
    if payment is case.payment:
        # Late news from before the payment was made names the page, not the payment.
        if attempt.provider_reference and outcome.status.rank < payment.status.rank:
            return attempt
        return replace(attempt, provider_reference=reference)
    checks = attempt.checks
    if payment.status is Status.REQUIRES_ACTION and checks == 0:
        checks = 1  # the payer needs a moment; the page tells us by webhook when it is done
    return replace(
        attempt,
        state=payment.status,
        provider_reference=reference,
        card_token=attempt.card_token if payment.status.is_live else None,
        next_check_at=next_check_at(
            payment.status, checks=checks, now=tx.now(), delays_seconds=delays_seconds, kind=attempt.kind
        ),
    )


async def _note(tx: WriteTx, case: Case, attempt: Attempt, *, key: Call | None) -> None:
    """Nothing new, but perhaps a detail: the provider's id of the attempt, the numbers of the invoices."""
    if attempt.provider_reference != case.at_provider.provider_reference:
        await cases.note_attempt(tx, attempt)
    if key is not None:
        if not case.payment.lacks_numbers:
            await cases.note_numbers(tx, case.payment)
        await idempotency.finish(tx, payments_pb2.Payment())


async def _numbered(desk: Desk, case: Case) -> Case:
    """With the invoices' numbers, if the process that knew them is gone. The reservation is as it was."""
    try:
        return case.with_numbers(await desk.reservations.reserve(case))
    except (Refused, ServiceError) as error:  # the money counts, the numbers are an ornament
        _log.info("invoice numbers not known", payment_id=case.payment.payment_id, error=str(error))
        return case
