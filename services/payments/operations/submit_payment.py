"""The middle of the saga: hold the invoices, ask the provider, write down the answer."""

from dataclasses import replace

import structlog

from chassis.caller import Call, current_call_or_none, service_call
from chassis.crashpoints import crashpoint
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from chassis.telemetry import inner_span
from services.payments.desk import Desk, unhurried
from services.payments.domain.attempt import CREDIT_PROVIDER
from services.payments.domain.case import Case
from services.payments.domain.failure import refusal
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import Payment
from services.payments.invoicing import CHANGED, Refused
from services.payments.operations.preview_payment import changed_error
from services.payments.operations.settle_payment import settle, settle_in
from services.payments.operations.supersede_payment import replace_waiting, supersede_payment
from services.payments.providers import Order, OrderLine, ProviderUnreachableError
from services.payments.store import cases

SUPERSEDE_TRIES = 10
NAMED_INVOICES = 5
_log = structlog.get_logger("payments.submit")


async def submit_payment(desk: Desk, case: Case, *, key: Call | None, fresh: bool) -> Case:
    """Carry a payment out whose attempt the provider has surely not seen.

    `fresh`: no process has tried before, so that a failure to connect means that nothing was charged.
    Raises ServiceError if invoicing refuses or is away.
    """
    case = await _reserve(desk, case, key=key, fresh=fresh)
    crashpoint("pay.after_reserve")
    crashpoint("pay.before_provider_call")
    outcome = await _ask_provider(desk, case, fresh=fresh)
    crashpoint("pay.after_provider_call")
    case = await settle(desk, case, outcome, key=key)
    crashpoint("pay.after_result_commit")
    return case


async def _reserve(desk: Desk, case: Case, *, key: Call | None, fresh: bool) -> Case:
    try:
        paid_meanwhile = await replace_waiting(desk, case)
    except Refused as refused:
        await _end_unsubmitted(desk, case, refused.reason.lower(), key=key)
        raise refused.for_payer() from refused
    for _ in range(SUPERSEDE_TRIES):
        try:
            numbers = await desk.reservations.reserve(case)
        except Refused as refused:
            verdict: Refused | None = refused
            if refused.reason == "INVOICE_BEING_PAID":
                verdict = await supersede_payment(desk, case, refused)
            if verdict is None:
                continue
            if verdict.reason in CHANGED:
                raise await _changed(desk, case, key=key) from refused
            await _end_unsubmitted(desk, case, verdict.reason.lower(), key=key)
            raise verdict.for_payer() from refused
        except ServiceError as error:
            _log.warning("invoicing did not answer", payment_id=case.payment.payment_id, reason=error.reason)
            if fresh:  # the provider knows nothing of it and never will: it may safely be over
                await _end_unsubmitted(desk, case, "service_unavailable", key=key)
            raise ServiceError(
                Kind.UNAVAILABLE, "SERVICE_UNAVAILABLE",
                "A part of the system is away. Nothing was charged; please try again.", service="invoicing",
            ) from error  # fmt: skip
        if paid_meanwhile:  # there would be room for both, but the payer meant one instead of the other
            await desk.reservations.release(case.organization_id, case.payment.payment_id)
            changed = await _changed(desk, case, key=key)
            changed.metadata["payment_id"] = paid_meanwhile
            raise changed
        return case.with_numbers(numbers)
    await _end_unsubmitted(desk, case, "invoice_being_paid", key=key)
    raise refusal("INVOICE_BEING_PAID", {})


async def _changed(desk: Desk, case: Case, *, key: Call | None) -> ServiceError:
    """End the payment; the error tells the payer what is true now."""
    await _end_unsubmitted(desk, case, "preview_changed", key=key)
    call = current_call_or_none() or service_call("payments", case.organization_id)
    return await changed_error(desk, call, case.payment)


async def _end_unsubmitted(desk: Desk, case: Case, failure_code: str, *, key: Call | None) -> None:
    """The payment failed before the provider heard of it; its key is free for another try."""

    async def write(tx: WriteTx) -> None:
        await settle_in(tx, desk, case, Outcome.failed(failure_code))
        if key is not None:
            await cases.forget_key(tx, key)

    with unhurried(case.organization_id):
        await desk.db.run_write(case.organization_id, write)


async def _ask_provider(desk: Desk, case: Case, *, fresh: bool) -> Outcome:
    attempt, order = case.at_provider, _order(case)
    if attempt.provider == CREDIT_PROVIDER:  # nobody has to be asked: invoicing holds the credit
        return Outcome(status=Status.SUCCEEDED, amount=attempt.amount, method_summary="Credit")
    name = "create_checkout" if attempt.is_hosted else "charge"
    with inner_span(f"provider.{name}") as span:
        span.set_attribute("tallyport.payment_id", case.payment.payment_id)
        try:
            provider = desk.provider_for(attempt)
            ask = provider.create_checkout if attempt.is_hosted else provider.charge
            outcome = await ask(order, timeout_seconds=desk.provider_seconds())
        except ProviderUnreachableError:
            _log.warning("provider unreachable", payment_id=case.payment.payment_id)
            outcome = Outcome.failed("provider_unavailable") if fresh else Outcome.unknown()
        span.set_attribute("tallyport.outcome", outcome.status.value)
    return replace(outcome, provider_reference=outcome.provider_reference or attempt.provider_reference)


def _order(case: Case) -> Order:
    """The request; nothing in it may differ when it is repeated."""
    payment, attempt = case.payment, case.at_provider
    return Order(
        organization_id=case.organization_id,
        payment_id=payment.payment_id,
        attempt_id=attempt.attempt_id,
        amount=attempt.amount,
        merchant_name=case.organization.name,
        return_url=payment.return_url,
        card_token=attempt.card_token,
        lines=_lines(payment),
        kind=attempt.kind,
        wallet=attempt.wallet,
        method_token=attempt.method_token,
        customer_token=attempt.customer_token,
        save_method=attempt.save_method,
        off_session=attempt.off_session,
    )


def _lines(payment: Payment) -> tuple[OrderLine, ...]:
    """What the payer sees on the provider's page; always adds up to the amount, and no line is negative."""
    lines = [
        OrderLine(f"Invoice {part.invoice_number or part.invoice_id}", part.amount) for part in payment.parts
    ]
    if payment.credit_used_minor_units or payment.surcharge.is_negative:
        names = ", ".join(part.invoice_number or part.invoice_id for part in payment.parts[:NAMED_INVOICES])
        rest = " and others" if len(payment.parts) > NAMED_INVOICES else ""
        return (OrderLine(f"Invoices {names}{rest}", payment.amount),)
    if payment.prepayment_minor_units:
        lines.append(OrderLine("Payment in advance", payment.prepayment))
    if payment.surcharge_minor_units:
        lines.append(OrderLine("Surcharge", payment.surcharge))
    return tuple(lines)
