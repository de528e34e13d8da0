"""Gives money back: agreed and taken from the payment's balance first, then sent, then written down.

Transaction A writes key, refund, sums, books and news before any byte leaves. The provider is asked with the
refund's id as its key, and transaction B writes what came of it; a failure puts the money back. Refunds to
credit and by hand are done with transaction A.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from chassis import idempotency
from chassis.caller import current_call
from chassis.crashpoints import crashpoint
from chassis.database import WriteTx
from chassis.ids import new_id
from services.payments.desk import Desk
from services.payments.domain.case import Case
from services.payments.domain.refund import Destination, Refund
from services.payments.domain.refund_lines import LineName, LinePrice, LineWish, must_be_alone, with_lines
from services.payments.domain.refund_request import Refundable, RefundWish, agree
from services.payments.operations.prepare_payment import initiator
from services.payments.operations.reverse_payment import reverse_in
from services.payments.operations.submit_refund import continue_refund, submit_refund
from services.payments.store import cases, policies, refunds, reversals
from tallyport.payments.v1 import refunds_pb2

Earlier = idempotency.Replay | idempotency.Unfinished | None


Prices = Mapping[LineName, LinePrice]


async def create_refund(desk: Desk, wish: RefundWish, lines: Sequence[LineWish] = ()) -> Refund:
    """Refund a payment, once for the caller's key. Raises ServiceError for what cannot be given back.

    With `lines`, invoicing is asked what they came to; the wish then has neither amount nor parts.
    """
    call = current_call()
    must_be_alone(wish, lines)
    prices: Prices = {}
    if lines:
        prices = await desk.reservations.price_lines(call.organization_id, [line.name for line in lines])

    async def write(tx: WriteTx) -> tuple[Case, Refund, Earlier]:
        return await _begin(tx, desk, wish, lines, prices)

    case, refund, earlier = await desk.db.run_write(call.organization_id, write)
    if isinstance(earlier, idempotency.Replay):
        idempotency.mark_replayed()
    elif isinstance(earlier, idempotency.Unfinished):
        refund = await desk.to_the_end(continue_refund(desk, case, refund, key=call))
    elif refund.destination is Destination.METHOD:
        crashpoint("refund.after_claim")
        refund = await desk.to_the_end(submit_refund(desk, case, refund, key=call))
    return refund


async def _begin(
    tx: WriteTx, desk: Desk, wish: RefundWish, lines: Sequence[LineWish], prices: Prices
) -> tuple[Case, Refund, Earlier]:
    """Transaction A, or the refund that this key has made before."""
    refund_id = new_id("ref")
    earlier = await idempotency.claim(tx, object_id=refund_id)
    if earlier is not None:
        known = await refunds.load(tx, earlier.object_id or "")
        return await cases.load(tx, known.payment_id), known, earlier
    wish = with_lines(wish, lines, prices, await refunds.taken_of_lines(tx, [line.name for line in lines]))
    case, before = await reversals.lock(tx, wish.payment_id)
    facts, by = await _facts(tx, case), initiator(current_call())
    refund = agree(wish, before, facts, refund_id=refund_id, by=by, now=tx.now())
    if refund.destination is Destination.METHOD:
        first = timedelta(seconds=desk.settings.check_delays_seconds[0])
        refund = replace(refund, next_check_at=tx.now() + first)
    case = await reverse_in(tx, case, before, before.with_refund(refund))
    if refund.destination is not Destination.METHOD:
        await idempotency.finish(tx, refunds_pb2.Refund())
    return case, refund, None


async def _facts(tx: WriteTx, case: Case) -> Refundable:
    policy = await policies.policy(tx)
    return Refundable(
        status=case.payment.status,
        went_to_provider=case.attempt is not None,
        finished_at=case.payment.finished_at,
        parts=case.payment.parts,
        window_days=policy.refund_window_days,
    )
