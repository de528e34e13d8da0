"""Asks the provider what became of an unfinished payment, since somebody waits for the answer."""

from services.payments.desk import Desk
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Payment
from services.payments.operations.continue_payment import ask_again
from services.payments.operations.get_payment import visible_case
from services.payments.operations.settle_payment import settle


async def refresh_payment(desk: Desk, payment_id: str) -> Payment:
    """The payment as it is now. Never submits anything: what was not sent is left to its own request."""
    case = await visible_case(desk, payment_id)
    status = case.payment.status
    if not status.is_live or status.is_waiting or status is Status.SUBMITTING:
        return case.payment
    answer = await ask_again(desk, case)
    if answer.outcome is None:
        return case.payment
    return (await settle(desk, case, answer.outcome)).payment
