"""Goes on with a payment from wherever it stopped: asks the provider first, and repeats only what it never saw."""

from dataclasses import dataclass

import structlog

from chassis.caller import Call
from services.payments.desk import Desk
from services.payments.domain.attempt import CREDIT_PROVIDER
from services.payments.domain.case import Case
from services.payments.domain.outcome import Outcome, Status
from services.payments.operations.settle_payment import settle
from services.payments.operations.submit_payment import submit_payment
from services.payments.providers import ProviderSilentError

_log = structlog.get_logger("payments.continue")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said when asked; `silent` if it could not be asked."""

    outcome: Outcome | None
    silent: bool = False


async def continue_payment(desk: Desk, case: Case, *, key: Call | None = None) -> Case:
    """Bring an unfinished payment on and answer with what is true then. Finished ones stay as they are."""
    if not case.payment.status.is_live or case.payment.status.is_waiting:
        return case
    answer = await ask_again(desk, case)
    if answer.silent:
        return case
    if answer.outcome is not None:
        return await settle(desk, case, answer.outcome, key=key)
    if case.payment.status not in (Status.SUBMITTING, Status.UNKNOWN):
        return case  # it was there before: a person must look why it is gone
    if not case.at_provider.key_is_valid(await desk.db.now_of(case.organization_id)):
        _log.error("attempt unknown to the provider and too old", payment_id=case.payment.payment_id)
        lost = Outcome(status=Status.REVIEW, review_reason="absent at the provider after its key expired")
        return await settle(desk, case, lost, key=key)
    return await submit_payment(desk, case, key=key, fresh=False)


async def ask_again(desk: Desk, case: Case) -> Answer:
    """Look an attempt up at its provider."""
    if case.at_provider.provider == CREDIT_PROVIDER:
        return Answer(None)
    try:
        provider = desk.provider_for(case.at_provider)
        outcome = await provider.lookup(case.at_provider, timeout_seconds=desk.provider_seconds())
    except ProviderSilentError as error:
        _log.warning("provider did not answer", payment_id=case.payment.payment_id, error=str(error))
        return Answer(None, silent=True)
    return Answer(outcome)
