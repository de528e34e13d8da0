"""The last look before an automatic payment: in the very transaction that makes it."""

from dataclasses import replace

from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from services.payments.domain.autopay import RunStatus
from services.payments.domain.payment import Payment
from services.payments.store import autopay, cases, payer_rules

RUN_PREFIX = "apr_"


async def begin_run(tx: WriteTx, payment: Payment) -> None:
    """Note that a run's payment is made, unless the payer has changed their mind until this moment.

    Settings and run are locked, so turning off, pausing and skipping come either before, and nothing is charged,
    or after. Raises AUTOPAY_RUN_CLOSED for a payer who does not want it any more, AUTOPAY_NOT_AGREED when it is
    more than was announced, or over a limit and nobody agreed. Harmless for payments that no run makes.
    """
    if not payment.source.startswith(RUN_PREFIX):
        return
    settings = await autopay.settings_of(tx, payment.customer_id, lock=True)
    run = await autopay.load_run(tx, payment.source, for_update=True)
    today = (await cases.organization(tx)).day_of(tx.now())
    may_start = run.status in (RunStatus.PLANNED, RunStatus.RETRYING) and run.noticed_at is not None
    is_method = payment.amount.is_zero or settings.payment_method_id == payment.payment_method_id
    if not (settings.is_on(today) and may_start and is_method):
        raise _refusal("AUTOPAY_RUN_CLOSED", "The payer does not want this payment any more.")
    rules = await payer_rules.rules_of(tx, payment.customer_id)
    asks = settings.needs_confirmation(payment.amount, approval_above=rules.approval_above)
    agreed = len(run.confirmed_by) >= max(rules.approvals_for(payment.amount), 1)
    if payment.amount > run.amount or (asks and not agreed and not payment.amount.is_zero):
        raise _refusal("AUTOPAY_NOT_AGREED", "The payer has to be asked about this payment first.")
    await autopay.save_run(
        tx,
        replace(
            run,
            status=RunStatus.STARTED,
            payment_id=payment.payment_id,
            tries=run.tries + 1,
            first_tried_at=run.first_tried_at or tx.now(),
            next_try_on=None,
            failure_code="",
            act_at=None,
        ),
    )


def _refusal(reason: str, message: str) -> ServiceError:
    return ServiceError(Kind.FAILED_PRECONDITION, reason, message)
