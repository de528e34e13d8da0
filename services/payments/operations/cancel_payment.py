"""Gives up a payment that waits for the payer."""

from chassis.errors import Kind, ServiceError
from services.payments.desk import Desk
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import Payment, in_progress_error
from services.payments.operations.continue_payment import ask_again
from services.payments.operations.get_payment import visible_case
from services.payments.operations.settle_payment import settle
from services.payments.operations.start_payment import end_waiting
from services.payments.providers import ProviderSilentError


async def cancel_payment(desk: Desk, payment_id: str) -> Payment:
    """The payment, canceled, or as it had ended before. PAYMENT_IN_PROGRESS while only the provider knows."""
    case = await visible_case(desk, payment_id)
    if case.payment.status.is_waiting:
        ended = await end_waiting(desk, case, Outcome(status=Status.CANCELED))
        if ended is not None:
            return ended.payment
        case = await visible_case(desk, payment_id)  # it has just begun
    if case.payment.status.is_uncertain:
        answer = await ask_again(desk, case)
        if answer.outcome is not None:
            case = await settle(desk, case, answer.outcome)
    if not case.payment.status.is_live:
        return case.payment
    if case.payment.status is not Status.REQUIRES_ACTION:
        raise in_progress_error()
    try:
        outcome = await desk.provider_for(case.at_provider).cancel(
            case.at_provider, timeout_seconds=desk.provider_seconds()
        )
    except ProviderSilentError as error:
        raise ServiceError(
            Kind.UNAVAILABLE,
            "PROVIDER_UNAVAILABLE",
            "The card provider cannot be reached just now. Please try again.",
        ) from error
    return (await settle(desk, case, outcome)).payment
