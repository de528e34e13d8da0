"""Spares the provider and honest payers those who try cards out on pay pages."""

from datetime import timedelta

import structlog
from prometheus_client import Counter

from chassis.caller import Audience, Call, current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from services.payments.desk import Desk
from services.payments.domain.guard import (
    COUNTED_FAILURES,
    UNKNOWN_PAYERS,
    Count,
    is_surge,
    refused_for,
    subjects_of,
)
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Method, Payment
from services.payments.store import guards

KEPT_FOR = timedelta(days=2)
FORGET_BATCH = 20
FORGET_ROWS = 5_000
REFUSED = Counter("tallyport_payments_guarded_total", "Tries to pay that were refused unseen", ["why"])
_log = structlog.get_logger("payments.guard")


async def guard_payment(tx: WriteTx, payment: Payment) -> None:
    """Refuse another try where too many were refused: TOO_MANY_TRIES with `retry_after_seconds`.

    In the transaction that writes the new payment, before its attempt can reach the provider. Staff and our own
    clock are not guarded, nor is credit, which reaches no bank. The device's address is the gateway's own word, never
    the request's.
    """
    call = current_call()
    caller = call.caller
    if caller.audience not in (Audience.CUSTOMER, Audience.PAY_LINK) or payment.method is Method.CREDIT:
        return
    is_signed_in = caller.audience is Audience.CUSTOMER
    subjects = subjects_for(call, payment.customer_id)
    counts = await guards.begin_try(tx, payment.payment_id, subjects, is_known=is_signed_in)
    if not counts:
        return
    unknown = counts.pop(UNKNOWN_PAYERS, Count())
    strict = await _is_strict(tx, payment.customer_id, unknown, is_signed_in=is_signed_in)
    wait = refused_for(counts, strict=strict)
    if wait is None:
        return
    REFUSED.labels("surge" if strict else "tries").inc()
    _log.warning(
        "try refused", customer_id=payment.customer_id, audience=caller.audience.value, strict=strict
    )
    raise ServiceError(
        Kind.RESOURCE_EXHAUSTED,
        "TOO_MANY_TRIES",
        "Too many payments were declined. Please wait a while, or contact us to pay another way.",
        retry_after_seconds=str(int(wait.total_seconds())),
    )


def subjects_for(call: Call, customer_id: str) -> list[str]:
    """Under which names a try of this call counts."""
    is_signed_in = call.caller.audience is Audience.CUSTOMER
    payer = f"customer:{customer_id}" if is_signed_in else f"link:{call.caller.invoice_id}"
    return subjects_of(payer, address=call.client_address, is_signed_in=is_signed_in)


async def note_failed_try(tx: WriteTx, payment: Payment, *, declines: int = 0) -> None:
    """Count a payment that a bank refused, and every number that was declined on a page which was given up.

    Harmless for payments that are not guarded, and when repeated.
    """
    is_refused = payment.status is Status.FAILED and payment.failure_code in COUNTED_FAILURES
    if is_refused or (payment.status is Status.CANCELED and declines):
        await guards.note_failure(tx, payment.payment_id, tries=max(1, declines))


async def forget_old_tries(desk: Desk) -> int:
    """Delete what no rule looks at any more; how many organizations had something."""
    async with desk.db.sweep() as sweep:
        before = sweep.now() - KEPT_FOR
        organizations = await guards.organizations_with_old(sweep, before=before, limit=FORGET_BATCH)
    for organization_id in organizations:
        async with desk.db.write(organization_id) as tx:
            await guards.delete_old(tx, before=before, limit=FORGET_ROWS)
    return len(organizations)


async def _is_strict(tx: WriteTx, customer_id: str, unknown: Count, *, is_signed_in: bool) -> bool:
    """Whether a surge is on and this payer has never paid here before."""
    failures = unknown.last_hour
    if failures == 0:
        return False
    tries = await guards.tries_of_unknown(tx, at_most=failures * 2)
    if not is_surge(failures=failures, tries=tries):
        return False
    return not (is_signed_in and await guards.has_paid(tx, customer_id))
