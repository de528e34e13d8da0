"""What follows from a payment's new state for others of our own things: guards, and saved methods."""

from dataclasses import replace

from chassis import audit
from chassis.database import WriteTx
from services.payments.domain.case import Case
from services.payments.domain.outcome import Outcome, Status
from services.payments.operations.follow_autopay import follow_autopay
from services.payments.operations.guard_payments import note_failed_try
from services.payments.store import cases, payment_methods, policies


async def follow_up_payment(tx: WriteTx, case: Case, outcome: Outcome) -> Case:
    """In the transaction that wrote the state. Costs nothing for a payment with which nothing was saved or refused."""
    payment = case.payment
    await note_failed_try(tx, payment, declines=outcome.declines)
    await follow_autopay(tx, payment, provider=case.attempt.provider if case.attempt is not None else "")
    if payment.status is Status.SUCCEEDED and payment.payment_method_id:
        await payment_methods.mark_used(tx, payment.payment_method_id)
    wanted = case.attempt is not None and case.attempt.save_method
    if outcome.saved_method is None or not wanted or payment.saved_payment_method_id:
        return case
    hours = (await policies.policy(tx)).bank_change_cooling_off_hours
    payment_method_id = await payment_methods.remember(
        tx,
        outcome.saved_method,
        customer_id=payment.customer_id,
        provider=case.at_provider.provider,
        accepted_by=payment.initiated_by,
        cooling_off_hours=hours,
    )
    await cases.note_saved_method(tx, payment.payment_id, payment_method_id)
    audit.record(tx, "payment_method.saved", payment_method_id)
    return replace(case, payment=replace(payment, saved_payment_method_id=payment_method_id))
