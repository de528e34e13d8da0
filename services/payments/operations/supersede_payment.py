"""Makes room for a new payment on invoices whose live ones only wait at the hosted page."""

from collections.abc import Sequence

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
    try:
        other = await _close(desk, other)
    except ProviderSilentError:
        return _refused("INVOICE_BEING_PAID", payment_id)
    if other.payment.status is Status.SUCCEEDED:
        left = refused.error.metadata.get("left_minor_units", "0")
        if left == "0":
            return _refused("INVOICE_ALREADY_PAID", payment_id)
        return Refused(refusal("AMOUNT_EXCEEDS_DUE", refused.error.metadata))
    if other.payment.status.is_live:
        return _refused("INVOICE_BEING_PAID", payment_id)
    await desk.reservations.release(other.organization_id, payment_id)
    return None


async def replace_waiting(desk: Desk, case: Case) -> str:
    """Close the pages that this payment replaces; the id of one that turns out to be paid, if there is one.

    The preview has told the payer so, also where invoicing has room for both. Only pages that were there before
    it. Payments that start by themselves replace none: what a page holds was left out of their sum. Raises
    Refused if a page cannot be closed.
    """
    paid = ""
    for payment_id in await _waiting_before(desk, case):
        other = await _other(desk, case, payment_id)
        if other is None:
            continue
        try:
            other = await _close(desk, other)
        except ProviderSilentError as error:
            raise _refused("INVOICE_BEING_PAID", payment_id) from error
        if other.payment.status is Status.SUCCEEDED:
            paid = payment_id
        elif other.payment.status.is_live:
            raise _refused("INVOICE_BEING_PAID", payment_id)
        else:
            await desk.reservations.release(other.organization_id, payment_id)
    return paid


async def _waiting_before(desk: Desk, case: Case) -> Sequence[str]:
    if case.at_provider.off_session:
        return ()
    if case.waiting_payment_ids is not None:
        return case.waiting_payment_ids
    payment = case.payment
    async with desk.db.read(case.organization_id) as tx:
        found = await cases.waiting_at_page(
            tx, payment.customer_id, [part.invoice_id for part in payment.parts]
        )
    return [payment_id for payment_id in found if payment_id < payment.payment_id]


async def _close(desk: Desk, other: Case) -> Case:
    """The payment once nobody can pay at its page any more. ProviderSilentError."""
    if other.payment.status is not Status.REQUIRES_ACTION:
        return other
    provider = desk.provider_for(other.at_provider)
    outcome = await provider.cancel(other.at_provider, timeout_seconds=desk.provider_seconds())
    return await settle(desk, other, outcome)


async def _other(desk: Desk, case: Case, payment_id: str) -> Case | None:
    if not payment_id or payment_id == case.payment.payment_id:
        return None
    async with desk.db.read(case.organization_id) as tx:
        other = await cases.find(tx, payment_id)
    same_customer = other is not None and other.payment.customer_id == case.payment.customer_id
    return other if same_customer else None


def _refused(reason: str, payment_id: str) -> Refused:
    return Refused(refusal(reason, {"payment_id": payment_id}))
