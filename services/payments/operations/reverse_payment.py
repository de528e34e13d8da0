"""Brings a payment's books to what is known of its refunds, return and chargebacks: the one way money goes back.

Rows, sums, ledger entries, news and audit change in one transaction under the lock of the payment's row.
"""

from dataclasses import replace

import structlog

from chassis import audit, ledger, outbox
from chassis.database import WriteTx
from chassis.money import Money
from services.payments.domain.case import Case
from services.payments.domain.payment import Payment
from services.payments.domain.refund import Refund
from services.payments.domain.refund_request import exceeds
from services.payments.domain.reversal import ReversalKind, Standing, Taking
from services.payments.reversal_books import fee_entry, given_back_entry, taken_entry, taken_kind
from services.payments.store import chargebacks, policies, refunds, reversals
from services.payments.store.reversals import Sums
from services.payments.translate.reversals import to_reinstated, to_reversed

AGGREGATE = "payment"
_log = structlog.get_logger("payments.reverse")


async def reverse_in(tx: WriteTx, case: Case, before: Standing, after: Standing) -> Case:
    """Write a standing's change with all that follows from it. `case` and `before` were read under the lock.

    Raises REFUND_EXCEEDS_PAYMENT if more would be refunded than is left.
    """
    if after == before:
        return case
    await _write_causes(tx, before, after)
    await _post_fees(tx, before, after)
    steps = after.steps()
    if steps.is_empty:
        return case
    for taking in steps.given_back:
        await _post_given_back(tx, case, before, taking)
    for taking in steps.taken:
        await _post_taken(tx, case, after, taking)
    await reversals.write_steps(tx, after.payment_id, steps)
    told = [one for one in (*steps.given_back, *steps.taken) if _is_news(one)]
    sums = Sums(
        refunded=after.refunded - before.refunded,
        recredited=after.recredited - before.recredited,
        disputed=after.disputed - before.disputed,
        news=len(told),
    )
    changed = await reversals.change_sums(tx, after.payment_id, sums, after.returned)
    if changed is None:
        raise exceeds(before.left)
    await _tell(tx, changed, after, told)
    return replace(case, payment=changed)


async def _write_causes(tx: WriteTx, before: Standing, after: Standing) -> None:
    for refund in after.refunds:
        known = before.refund(refund.refund_id)
        if known is None:
            await refunds.insert(tx, refund)
        elif known != refund:
            await refunds.save(tx, refund)
        _audit_refund(tx, known, refund)
    if after.returned is not None and before.returned is None:
        await reversals.insert_return(tx, after.payment_id, after.returned)
        audit.record(tx, "payment.returned", after.payment_id, reason=after.returned.code)
    known_chargebacks = {one.chargeback_id: one for one in before.chargebacks}
    for chargeback in after.chargebacks:
        known_one = known_chargebacks.get(chargeback.chargeback_id)
        if known_one == chargeback:
            continue
        await chargebacks.save(tx, chargeback)
        if known_one is None or known_one.state is not chargeback.state:
            audit.record(
                tx, f"chargeback.{chargeback.state.value}", chargeback.chargeback_id, reason=chargeback.reason
            )


def _audit_refund(tx: WriteTx, before: Refund | None, after: Refund) -> None:
    if before is None:
        audit.record(tx, "refund.requested", after.refund_id, reason=after.reason)
    elif before.status is not after.status and not after.status.is_live:
        audit.record(tx, f"refund.{after.status.value}", after.refund_id, reason=after.failure_code)


async def _post_fees(tx: WriteTx, before: Standing, after: Standing) -> None:
    known = {one.chargeback_id: one for one in before.chargebacks}
    for chargeback in after.chargebacks:
        entry = fee_entry(known.get(chargeback.chargeback_id), chargeback, at=tx.now())
        if entry is not None:
            await ledger.post(tx, entry)


async def _post_taken(tx: WriteTx, case: Case, standing: Standing, taking: Taking) -> None:
    entry = taken_entry(case, standing, taking, at=tx.now())
    if entry is not None:
        await ledger.post(tx, entry)
    if taking.kind is ReversalKind.RETURN and standing.returned is not None:
        await reversals.reverse_receipt(tx, case.payment, standing.returned)
    _log.info("payment reversed", payment_id=standing.payment_id, reversal_id=taking.reversal_id)


async def _post_given_back(tx: WriteTx, case: Case, standing: Standing, taking: Taking) -> None:
    entry = given_back_entry(case, standing, taking, at=tx.now())
    if entry is None:
        return
    corrected = await reversals.entry_id(tx, entry.source, entry.source_id, taken_kind(taking.kind))
    await ledger.post(tx, replace(entry, corrects_entry_id=corrected))
    _log.info("payment reinstated", payment_id=standing.payment_id, reversal_id=taking.reversal_id)


async def _tell(tx: WriteTx, payment: Payment, standing: Standing, told: list[Taking]) -> None:
    for version, taking in enumerate(told, start=payment.events - len(told) + 1):
        message = (
            to_reversed(payment, standing, taking, fee=await _fee(tx, standing, taking))
            if taking.is_live
            else to_reinstated(payment, standing, taking)
        )
        outbox.append(
            tx,
            message,
            aggregate_type=AGGREGATE,
            aggregate_id=payment.payment_id,
            aggregate_version=version,
        )


async def _fee(tx: WriteTx, standing: Standing, taking: Taking) -> Money | None:
    """What the customer owes for a debit that came back; once for each payment."""
    if taking.kind is not ReversalKind.RETURN or taking.reversal_id != taking.cause_id:
        return None
    if standing.returned is not None and standing.returned.is_unmatch:
        return None
    fee = (await policies.policy(tx)).return_fee
    return fee if fee is not None and fee.currency == taking.amount.currency and not fee.is_zero else None


def _is_news(taking: Taking) -> bool:
    """Nobody else is concerned when the payment had nothing left to be taken."""
    return not (taking.amount.is_zero and taking.surcharge.is_zero)
