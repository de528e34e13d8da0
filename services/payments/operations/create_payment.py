"""Pays parts of invoices with one charge: the saga from the first write to the answer.

Transaction A writes key, payment and attempt before any byte leaves. Invoicing then holds the parts, the
provider is asked with the attempt's id as its key, and transaction B writes what came of it. A repeated key
continues from wherever the first try stopped, or answers with the payment as it is now.
"""

from dataclasses import dataclass
from datetime import timedelta

from chassis import idempotency
from chassis.caller import Audience, Call, current_call
from chassis.crashpoints import crashpoint
from chassis.database import WriteTx
from chassis.errors import invalid, not_found
from chassis.ids import new_id
from services.payments.desk import Desk
from services.payments.domain.attempt import Attempt
from services.payments.domain.case import Case
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Method, Part, Payment, total_of
from services.payments.operations.continue_payment import continue_payment
from services.payments.operations.submit_payment import submit_payment
from services.payments.store import cases

PAYMENT_ID_PLACES = ("{payment_id}", "%7Bpayment_id%7D", "%7bpayment_id%7d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a payer wants: a hosted page (return_url) or a charge of a token."""

    parts: tuple[Part, ...]
    return_url: str = ""
    card_token: str | None = None


async def create_payment(desk: Desk, wish: Wish) -> Payment:
    """Pay. Raises ServiceError with invoicing's reason if the invoices cannot take the amounts."""
    call = current_call()
    payment, attempt = _prepare(desk, wish, call)
    case, earlier = await _begin(desk, payment, attempt)
    if earlier is None:
        crashpoint("pay.after_claim")
        case = await desk.to_the_end(submit_payment(desk, case, key=call, fresh=True))
    elif isinstance(earlier, idempotency.Unfinished):
        case = await desk.to_the_end(continue_payment(desk, case, key=call))
    else:
        idempotency.mark_replayed()
    crashpoint("pay.before_reply")
    return case.payment


def _prepare(desk: Desk, wish: Wish, call: Call) -> tuple[Payment, Attempt]:
    """The payment as it will be written. Whoever may not pay these invoices is refused here or by invoicing."""
    caller = call.caller
    if caller.customer_id is None:
        raise not_found("customer")
    if caller.audience is Audience.PAY_LINK:
        for part in wish.parts:
            if part.invoice_id != caller.invoice_id:
                raise not_found("invoice")
    if wish.card_token is None and not desk.settings.allows_return_to(wish.return_url):
        raise invalid("hosted_page.return_url", "not_ours", "This is not an address of the portal.")
    payment_id, now = new_id("pay"), desk.db.clock.now()
    return_url = wish.return_url
    for place in PAYMENT_ID_PLACES:
        return_url = return_url.replace(place, payment_id)
    payment = Payment(
        payment_id=payment_id,
        customer_id=caller.customer_id,
        status=Status.SUBMITTING,
        amount=total_of(wish.parts),
        parts=wish.parts,
        method=Method.CARD,
        initiated_by=initiator(call),
        created_at=now,
        return_url=return_url,
    )
    attempt = Attempt(
        attempt_id=new_id("att"),
        payment_id=payment_id,
        provider=desk.provider.name,
        state=Status.SUBMITTING,
        amount=payment.amount,
        is_hosted=wish.card_token is None,
        card_token=wish.card_token,
        created_at=now,
        next_check_at=now + timedelta(seconds=desk.settings.check_delays_seconds[0]),
    )
    return payment, attempt


async def _begin(
    desk: Desk, payment: Payment, attempt: Attempt
) -> tuple[Case, idempotency.Replay | idempotency.Unfinished | None]:
    """Transaction A, or the payment that this key has made before."""

    async def write(tx: WriteTx) -> tuple[Case, idempotency.Replay | idempotency.Unfinished | None]:
        earlier = await idempotency.claim(tx, object_id=payment.payment_id)
        if earlier is None:
            return await cases.begin(tx, payment, attempt), None
        return await cases.load(tx, earlier.object_id or ""), earlier

    return await desk.db.run_write(current_call().organization_id, write)


def initiator(call: Call) -> str:
    """Who started a payment, for people."""
    if call.caller.audience is Audience.PAY_LINK:
        return "pay link"
    return call.caller.subject_name or call.actor
