"""Makes room for a new payment on an invoice whose live one only waits at the hosted page."""

from services.payments.desk import Desk
from services.payments.domain.case import Case
from services.payments.domain.failure import refusal
from services.payments.domain.outcome import Status
from services.payments.invoicing import Refused
from services.payments.operations.settle_payment import settle
from services.payments.providers import ProviderSilentError
from services.payments.store import cases


async def supersede_payment(desk: Desk, case: Case, refused: Refused) -> Refused | None:
    """None when the other payment is out of the way, else why not.

    Its page is closed at the provider first: only the provider can say that nobody will pay there any more.
    """
    payment_id = refused.holder_payment_id
    other = await _other(desk, case, payment_id)
    if other is None or other.attempt is None:
        return _refused("INVOICE_BEING_PAID", payment_id)
    if other.payment.status is Status.REQUIRES_ACTION:
        try:
            outcome = await desk.provider_for(other.attempt).cancel(
                other.attempt, timeout_seconds=desk.provider_seconds()
            )
        except ProviderSilentError:
            return _refused("INVOICE_BEING_PAID", payment_id)
        other = await settle(desk, other, outcome)
    if other.payment.status is Status.SUCCEEDED:
        left = refused.error.metadata.get("left_minor_units", "0")
        if left == "0":
            return _refused("INVOICE_ALREADY_PAID", payment_id)
        return Refused(refusal("AMOUNT_EXCEEDS_DUE", refused.error.metadata))
    if other.payment.status.is_live:
        return _refused("INVOICE_BEING_PAID", payment_id)
    await desk.reservations.release(other.organization_id, payment_id)
    return None


async def _other(desk: Desk, case: Case, payment_id: str) -> Case | None:
    if not payment_id or payment_id == case.payment.payment_id:
        return None
    async with desk.db.read(case.organization_id) as tx:
        other = await cases.find(tx, payment_id)
    same_customer = other is not None and other.payment.customer_id == case.payment.customer_id
    return other if same_customer else None


def _refused(reason: str, payment_id: str) -> Refused:
    return Refused(refusal(reason, {"payment_id": payment_id}))
