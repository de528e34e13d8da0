"""Applies what a provider says of returned debits and chargebacks. Each time it says the whole, in any order."""

from datetime import datetime, timedelta

import structlog

from chassis.database import WriteTx
from services.payments.domain.case import Case
from services.payments.domain.chargeback import revokes_mandate
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import Method
from services.payments.operations.reverse_payment import reverse_in
from services.payments.store import chargebacks, payment_methods, reversals

WATCHED_FOR = timedelta(days=70)
"""A bank debit may come back that long after it settled (SEPA: 8 weeks; ACH: 60 days)."""
WATCH_PERIOD = timedelta(days=1)
CHARGEBACK_WATCHED_FOR = timedelta(days=180)
_log = structlog.get_logger("payments.reversals")


async def apply_reversals(tx: WriteTx, case: Case, outcome: Outcome) -> Case:
    """The case after what an outcome says besides the status. Call it once the status has been settled."""
    if outcome.return_code:
        await _revoke(tx, case, outcome)
    if case.payment.status is not Status.SUCCEEDED:
        return case
    if case.payment.method is Method.BANK_DEBIT and not case.payment.return_code:
        await _watch(tx, case, until=(case.payment.finished_at or tx.now()) + WATCHED_FOR)
    if not outcome.return_code and not outcome.disputes:
        return case
    if outcome.checked(case.payment.amount).status is Status.REVIEW:
        _log.error("reversal of another sum than was charged", payment_id=case.payment.payment_id)
        return case
    locked, before = await reversals.lock(tx, case.payment.payment_id)
    after = before.heard(outcome, provider=case.at_provider.provider, now=tx.now())
    done = await reverse_in(tx, locked, before, after)
    if after.has_open_chargeback:
        await _watch(tx, case, until=tx.now() + CHARGEBACK_WATCHED_FOR)
    return done


async def _revoke(tx: WriteTx, case: Case, outcome: Outcome) -> None:
    """An account that must not be debited again is not, whether the payment used it or saved it."""
    if not revokes_mandate(outcome.return_code):
        return
    attempt = case.attempt
    if attempt is not None and attempt.method_token:
        await payment_methods.mark_revoked(tx, attempt.method_token, provider=attempt.provider)
    for payment_method_id in {case.payment.payment_method_id, case.payment.saved_payment_method_id} - {""}:
        method = await payment_methods.find(tx, payment_method_id)  # its token may be a newer one
        if method is not None:
            await payment_methods.mark_revoked(tx, method.view.method_token, provider=method.provider)


async def _watch(tx: WriteTx, case: Case, *, until: datetime) -> None:
    if until <= tx.now():
        return
    await chargebacks.watch(
        tx,
        attempt_id=case.at_provider.attempt_id,
        payment_id=case.payment.payment_id,
        first=tx.now() + WATCH_PERIOD,
        ends_at=until,
    )
