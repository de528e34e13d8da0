"""Asks the provider for a refund, or what became of one. The refund's id is the key: it is never sent twice."""

import structlog

from chassis.caller import Call
from chassis.crashpoints import crashpoint
from chassis.telemetry import tracer
from services.payments.desk import Desk
from services.payments.domain.attempt import KEY_VALID_FOR
from services.payments.domain.case import Case
from services.payments.domain.refund import Destination, Refund, RefundStatus
from services.payments.operations.settle_refund import settle_refund
from services.payments.providers import (
    ProviderSilentError,
    ProviderUnreachableError,
    RefundOrder,
    RefundOutcome,
    RefundState,
)
from services.payments.store import cases, refunds

_log = structlog.get_logger("payments.refund")


async def submit_refund(desk: Desk, case: Case, refund: Refund, *, key: Call | None = None) -> Refund:
    """Send a refund that the provider has surely not carried out, or that it knows by the same key."""
    crashpoint("refund.before_provider_call")
    outcome = await _ask(desk, case, refund)
    crashpoint("refund.after_provider_call")
    refund = await settle_refund(desk, case.organization_id, refund, outcome, key=key)
    crashpoint("refund.after_result_commit")
    return refund


async def continue_refund(desk: Desk, case: Case, refund: Refund, *, key: Call | None = None) -> Refund:
    """Bring a refund on from wherever it stopped; the same if the provider cannot be asked just now."""
    if refund.destination is not Destination.METHOD or refund.status is RefundStatus.FAILED:
        return refund
    try:
        outcome = await desk.provider_for(case.at_provider).lookup_refund(
            _order(case, refund), timeout_seconds=desk.provider_seconds()
        )
    except ProviderSilentError as error:
        _log.warning("provider did not answer", refund_id=refund.refund_id, error=str(error))
        return refund
    if outcome is not None:
        return await settle_refund(desk, case.organization_id, refund, outcome, key=key)
    if refund.status not in (RefundStatus.SUBMITTING, RefundStatus.UNKNOWN):
        _log.error("refund is gone from the provider", refund_id=refund.refund_id)
        return refund
    if await desk.db.now_of(case.organization_id) - refund.created_at < KEY_VALID_FOR:
        return await submit_refund(desk, case, refund, key=key)
    never_sent = RefundOutcome(state=RefundState.FAILED, failure_code="provider_unavailable")
    return await settle_refund(desk, case.organization_id, refund, never_sent, key=key)


async def look_up_refund(desk: Desk, organization_id: str, refund_id: str) -> bool:
    """Ask about a refund of which the provider has told something. False if it is none of ours.

    If the provider is silent, it is asked again at the next turn.
    """
    async with desk.db.read(organization_id) as tx:
        refund = await refunds.find(tx, refund_id)
        case = await cases.load(tx, refund.payment_id) if refund is not None else None
    if refund is None or case is None:
        return False
    try:
        outcome = await desk.provider_for(case.at_provider).lookup_refund(
            _order(case, refund), timeout_seconds=desk.provider_seconds()
        )
    except ProviderSilentError:
        async with desk.db.write(organization_id) as tx:
            await refunds.check_soon(tx, refund_id)
        return True
    if outcome is not None:
        await settle_refund(desk, organization_id, refund, outcome)
    return True


async def _ask(desk: Desk, case: Case, refund: Refund) -> RefundOutcome:
    with tracer().start_as_current_span("provider.refund") as span:
        span.set_attribute("tallyport.refund_id", refund.refund_id)
        try:
            outcome = await desk.provider_for(case.at_provider).refund(
                _order(case, refund), timeout_seconds=desk.provider_seconds()
            )
        except ProviderUnreachableError:
            _log.warning("provider unreachable", refund_id=refund.refund_id)
            outcome = RefundOutcome(state=RefundState.UNKNOWN)
        span.set_attribute("tallyport.outcome", outcome.state.value)
    return outcome


def _order(case: Case, refund: Refund) -> RefundOrder:
    """The request; nothing in it may differ when it is repeated."""
    return RefundOrder(
        organization_id=case.organization_id,
        refund_id=refund.refund_id,
        attempt=case.at_provider,
        amount=refund.amount,
        reason=refund.reason,
    )
