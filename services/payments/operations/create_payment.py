"""Pays parts of invoices with one charge: the saga from the first write to the answer.

Transaction A writes key, payment and attempt before any byte leaves. Invoicing then holds the parts, the
provider is asked with the attempt's id as its key, and transaction B writes what came of it. A repeated key
continues from wherever the first try stopped, or answers with the payment as it is now. A payment that has to
wait, for its day or for approval, ends with transaction A and is begun later.
"""

from collections.abc import Mapping

from chassis import audit, idempotency
from chassis.caller import Audience, current_call
from chassis.crashpoints import crashpoint
from chassis.database import WriteTx
from chassis.money import Money
from services.payments.desk import Alone, Desk
from services.payments.domain.case import Case
from services.payments.domain.payment import Payment
from services.payments.domain.wish import Wish
from services.payments.operations.begin_together import begin_together
from services.payments.operations.continue_payment import continue_payment
from services.payments.operations.prepare_payment import (
    Draft,
    DuesNeededError,
    PreviewChangedError,
    draft_payment,
    is_ordinary,
    make_payment,
)
from services.payments.operations.preview_payment import changed_error, dues_of
from services.payments.operations.submit_payment import submit_payment
from services.payments.store import cases
from tallyport.payments.v1 import payments_pb2

Earlier = idempotency.Replay | idempotency.Unfinished | None


async def create_payment(desk: Desk, wish: Wish) -> Payment:
    """Pay. Raises ServiceError with invoicing's reason if the invoices cannot take the amounts.

    Also for automatic payments: in a call of the service's own that carries a key.
    """
    call = current_call()
    now = await desk.db.now_of(call.organization_id)
    case, earlier = await _begin(desk, draft_payment(desk, wish, call, now=now))
    if isinstance(earlier, idempotency.Replay):
        idempotency.mark_replayed()
    elif earlier is not None:
        case = await desk.to_the_end(continue_payment(desk, case, key=call))
    elif not case.payment.status.is_waiting:
        crashpoint("pay.after_claim")
        case = await desk.to_the_end(submit_payment(desk, case, key=call, fresh=True))
    crashpoint("pay.before_reply")
    return case.payment


async def _begin(desk: Desk, draft: Draft) -> tuple[Case, Earlier]:
    """Transaction A: with others where that makes no difference. What is due is asked only where it matters."""
    dues: Mapping[str, Money] | None = None
    organization_id = draft.call.organization_id
    if is_ordinary(draft):
        try:
            return await desk.together(begin_together).submit(organization_id, draft), None
        except Alone:
            pass
    for _ in range(2):
        try:
            return await _write(desk, draft, dues)
        except DuesNeededError:
            dues = await dues_of(desk, organization_id, draft.customer_id, draft.wish)
        except PreviewChangedError as changed:
            raise await changed_error(desk, draft.call, changed.payment) from changed
    raise AssertionError("what is due was asked and is still not known")


async def _write(desk: Desk, draft: Draft, dues: Mapping[str, Money] | None) -> tuple[Case, Earlier]:
    """The new payment, or the one that this key has made before."""

    async def write(tx: WriteTx) -> tuple[Case, Earlier]:
        earlier = await idempotency.claim(tx, object_id=draft.payment_id)
        if earlier is not None:
            return await cases.load(tx, earlier.object_id or ""), earlier
        payment, attempt = await make_payment(tx, desk, draft, dues)
        if draft.call.caller.audience is Audience.STAFF:
            both = f"{payment.initiated_by} on behalf of {payment.on_behalf_of}"
            audit.record(tx, "payment.started", payment.payment_id, reason=both)
        case = await cases.begin(tx, payment, attempt)
        if payment.status.is_waiting:
            await idempotency.finish(tx, payments_pb2.Payment())
            audit.record(tx, f"payment.{payment.status.value}", payment.payment_id)
        return case, None

    return await desk.db.run_write(draft.call.organization_id, write)
