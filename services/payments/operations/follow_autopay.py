"""What a failed payment means for the autopay run that made it, and for its mandate."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from chassis import outbox
from chassis.database import WriteTx
from services.payments.domain.autopay import START_HOUR, Run, RunStatus, next_try_on
from services.payments.domain.chargeback import revokes_mandate
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Payment
from services.payments.operations.begin_autopay_run import RUN_PREFIX
from services.payments.store import autopay, cases, payment_methods
from services.payments.translate.payments import to_proto_money
from tallyport.payments.v1 import events_pb2

AGGREGATE: Final = "autopay_run"
NOT_A_DECLINE: Final = frozenset(
    {
        "invoice_being_paid",
        "invoice_already_paid",
        "invoice_not_payable",
        "amount_exceeds_due",
        "credit_changed",
        "invoice_changed",
        "service_unavailable",
        "provider_unavailable",
        "processing_error",
    }
)
"""No bank has said no: the run looks again soon, and the payer has nothing to do."""
LOOK_AGAIN: Final = timedelta(hours=1)


async def follow_autopay(tx: WriteTx, payment: Payment, *, provider: str) -> None:
    """In the transaction that writes how a payment ended. Whoever pays by hand costs nothing here.

    A mandate that was taken back is never charged again; a run whose payment failed is tried again or given up.
    """
    if payment.status not in (Status.FAILED, Status.CANCELED):
        return
    if revokes_mandate(payment.failure_code) and payment.payment_method_id:
        method = await payment_methods.find(tx, payment.payment_method_id)
        if method is not None:
            await payment_methods.mark_revoked(tx, method.view.method_token, provider=provider)
    if payment.source.startswith(RUN_PREFIX):
        await _follow_failure(tx, payment)


async def _follow_failure(tx: WriteTx, payment: Payment) -> None:
    run = await autopay.load_run(tx, payment.source, for_update=True)
    if run.payment_id != payment.payment_id or run.status is not RunStatus.STARTED:
        return
    if payment.status is Status.CANCELED:
        await autopay.save_run(tx, replace(run, status=RunStatus.FAILED, failure_code="canceled"))
        return
    if payment.failure_code in NOT_A_DECLINE:
        again = replace(
            run,
            status=RunStatus.PLANNED if run.tries == 1 else RunStatus.RETRYING,
            tries=run.tries - 1,
            act_at=tx.now() + LOOK_AGAIN,
        )
        await autopay.save_run(tx, again)
        return
    await fail_run(tx, run, payment.failure_code)


async def fail_run(tx: WriteTx, run: Run, failure_code: str) -> None:
    """Plan the next try of a run that is locked, or give it up, and tell the payer."""
    organization = await cases.organization(tx)
    day = next_try_on(
        failure_code,
        tries=run.tries,
        first_tried_on=organization.day_of(run.first_tried_at or tx.now()),
        today=organization.day_of(tx.now()),
    )
    failed = replace(
        run,
        status=RunStatus.FAILED if day is None else RunStatus.RETRYING,
        failure_code=failure_code,
        next_try_on=day,
        act_at=None if day is None else organization.moment_of(day, START_HOUR),
        events=run.events + 1,
    )
    await autopay.save_run(tx, failed)
    settings = await autopay.settings_of(tx, run.customer_id)
    method = await payment_methods.find(tx, settings.payment_method_id)
    outbox.append(
        tx,
        events_pb2.AutopayFailed(
            run_id=run.run_id,
            customer_id=run.customer_id,
            amount=to_proto_money(run.amount),
            failure_code=failure_code,
            next_try_on=day.isoformat() if day is not None else "",
            method_summary=method.summary if method is not None else "",
        ),
        aggregate_type=AGGREGATE,
        aggregate_id=run.run_id,
        aggregate_version=failed.events,
    )
