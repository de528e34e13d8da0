"""Takes what a provider tells: verified, stored once for ever, and then only a reason to ask the provider."""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, not_found
from services.payments.desk import Desk, unhurried
from services.payments.domain.case import Case
from services.payments.domain.outcome import Status
from services.payments.operations.apply_reversals import WATCH_PERIOD
from services.payments.operations.continue_payment import ask_again
from services.payments.operations.set_up_payment_method import settle_setup
from services.payments.operations.settle_payment import settle
from services.payments.operations.submit_refund import look_up_refund
from services.payments.providers import WebhookEvent, WebhookRefusedError
from services.payments.store import attempts, cases, chargebacks, provider_events, setups
from services.payments.store.provider_events import UNKNOWN_ORGANIZATION, HeardEvent
from services.payments.store.setups import Setup

_log = structlog.get_logger("payments.webhook")


async def receive_webhook(desk: Desk, provider: str, headers: Mapping[str, str], body: bytes) -> bool:
    """True if the event was there and done with already. Refused unless the provider has just signed it."""
    teller = desk.providers.get(provider)
    if teller is None:
        raise not_found("provider")
    try:
        event = teller.verify_webhook(headers, body, now=desk.db.clock.now())
    except WebhookRefusedError as error:
        kind = Kind.UNAUTHENTICATED if error.reason == "WEBHOOK_SIGNATURE_INVALID" else Kind.INVALID_ARGUMENT
        raise ServiceError(kind, error.reason, str(error)) from error
    event = await _with_our_ids(desk, provider, event)
    heard = HeardEvent(
        provider=provider,
        event_id=event.event_id,
        type=event.type,
        attempt_id=event.attempt_id or None,
        body=body,
    )
    if event.setup_id and (setup := await _find_setup(desk, event, provider)) is not None:
        return await _hear_of_setup(desk, event.organization_id, setup, heard)
    organization_id, case, unfinished = await _store(desk, event, heard)
    if not unfinished:
        return True
    await _process(desk, organization_id, case, event, heard)
    return False


async def _with_our_ids(desk: Desk, provider: str, event: WebhookEvent) -> WebhookEvent:
    """An event that names only the provider's own charge, with our attempt that this charge belongs to."""
    if event.attempt_id or not event.provider_reference:
        return event
    async with desk.db.sweep() as tx:
        found = await attempts.find_at_provider(tx, provider, event.provider_reference)
    if found is None:
        return event
    return replace(event, organization_id=found.organization_id, attempt_id=found.attempt_id)


async def _find_setup(desk: Desk, event: WebhookEvent, provider: str) -> Setup | None:
    """The setup that an event names, if the organization that it names has started it there."""
    async with desk.db.read(event.organization_id or UNKNOWN_ORGANIZATION) as tx:
        setup = await setups.find(tx, event.setup_id)
    return setup if setup is not None and setup.provider == provider else None


async def _hear_of_setup(desk: Desk, organization_id: str, setup: Setup, heard: HeardEvent) -> bool:
    """Keep the event and settle the setup; True if that was done already."""
    async with desk.db.write(organization_id) as tx:
        if not await provider_events.keep(tx, heard):
            return True
    await settle_setup(desk, organization_id, setup)
    with unhurried(organization_id):
        await desk.db.run_write(organization_id, lambda tx: provider_events.mark_processed(tx, heard))
    return False


async def _store(desk: Desk, event: WebhookEvent, heard: HeardEvent) -> tuple[str, Case | None, bool]:
    """Keep the event with the organization whose attempt it names, else with nobody's."""
    if event.organization_id and event.attempt_id:
        async with desk.db.write(event.organization_id) as tx:
            case = await cases.find_by_attempt(tx, event.attempt_id)
            if case is not None:
                return event.organization_id, case, await provider_events.keep(tx, heard)
    async with desk.db.write(UNKNOWN_ORGANIZATION) as tx:
        return UNKNOWN_ORGANIZATION, None, await provider_events.keep(tx, heard)


async def _process(
    desk: Desk, organization_id: str, case: Case | None, event: WebhookEvent, heard: HeardEvent
) -> None:
    """Look up what the event hints at. If the provider is silent, the reconciler asks again soon."""
    silent = False
    if case is None:
        _log.warning("event about nothing of ours", event_id=heard.event_id, type=heard.type)
    else:
        if event.refund_id:
            await look_up_refund(desk, organization_id, event.refund_id)
        answer = await ask_again(desk, case)
        silent = answer.silent
        if answer.outcome is not None:
            await settle(desk, case, answer.outcome)

    async def note(tx: WriteTx) -> None:
        if silent and heard.attempt_id is not None:
            await _check_soon(tx, heard.attempt_id, case)
        else:
            await provider_events.mark_processed(tx, heard)

    with unhurried(organization_id):
        await desk.db.run_write(organization_id, note)


async def _check_soon(tx: WriteTx, attempt_id: str, case: Case | None) -> None:
    if case is not None and case.payment.status is Status.SUCCEEDED:
        await chargebacks.watch(
            tx, attempt_id=attempt_id, payment_id=case.payment.payment_id, first=tx.now(),
            ends_at=tx.now() + WATCH_PERIOD,
        )  # fmt: skip
    else:
        await attempts.check_soon(tx, attempt_id)
