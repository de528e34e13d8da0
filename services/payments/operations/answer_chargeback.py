"""Answers a chargeback at the provider: with evidence, or by giving in."""

from dataclasses import replace

from chassis import audit, idempotency
from chassis.caller import current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from services.payments.desk import Desk, unhurried
from services.payments.domain.case import Case
from services.payments.domain.chargeback import Chargeback
from services.payments.domain.outcome import DisputeState, DisputeView
from services.payments.operations.reverse_payment import reverse_in
from services.payments.providers import ProviderSilentError
from services.payments.store import cases, chargebacks, reversals
from tallyport.payments.v1 import chargebacks_pb2


async def submit_evidence(desk: Desk, chargeback_id: str, evidence: str) -> Chargeback:
    """Send what speaks for us. CHARGEBACK_CLOSED once it is decided; the same key sends it once."""
    return await _answer(desk, chargeback_id, evidence=evidence)


async def accept_chargeback(desk: Desk, chargeback_id: str) -> Chargeback:
    """Give in: it is lost at once. CHARGEBACK_CLOSED once it is decided."""
    return await _answer(desk, chargeback_id, evidence="")


async def _answer(desk: Desk, chargeback_id: str, *, evidence: str) -> Chargeback:
    call = current_call()
    organization_id = call.organization_id

    async def begin(tx: WriteTx) -> tuple[Case, Chargeback, bool]:
        known = await chargebacks.load(tx, chargeback_id)
        earlier = await idempotency.claim(tx, object_id=chargeback_id)
        done = isinstance(earlier, idempotency.Replay)
        if not done and not known.is_open:
            if earlier is None:
                raise _closed(known)
            await idempotency.finish(
                tx, chargebacks_pb2.Chargeback()
            )  # decided since the first try was cut off
            done = True
        return await cases.load(tx, known.payment_id), known, done

    case, known, done = await desk.db.run_write(organization_id, begin)
    if done:
        idempotency.mark_replayed()
        return known
    try:
        view = await _tell(desk, case, known, evidence)
    except ProviderSilentError as error:
        async with desk.db.write(organization_id) as tx:
            await idempotency.release(tx)
        raise ServiceError(
            Kind.UNAVAILABLE,
            "PROVIDER_UNAVAILABLE",
            "The card provider cannot be reached just now. Please try again.",
        ) from error

    async def write(tx: WriteTx) -> Chargeback:
        answered = await _note(tx, known, view, evidence)
        await idempotency.finish(tx, chargebacks_pb2.Chargeback())
        return answered

    with unhurried(organization_id):
        return await desk.db.run_write(organization_id, write)


async def _tell(desk: Desk, case: Case, known: Chargeback, evidence: str) -> DisputeView:
    provider, seconds = desk.provider_for(case.at_provider), desk.provider_seconds()
    if evidence:
        return await provider.submit_evidence(known.provider_reference, evidence, timeout_seconds=seconds)
    return await provider.accept_dispute(known.provider_reference, timeout_seconds=seconds)


async def _note(tx: WriteTx, known: Chargeback, view: DisputeView, evidence: str) -> Chargeback:
    case, before = await reversals.lock(tx, known.payment_id)
    after = before.with_dispute(known.provider, view, now=tx.now())
    answered = next(one for one in after.chargebacks if one.chargeback_id == known.chargeback_id)
    if evidence:
        answered = replace(answered, evidence=evidence)
        after = after.with_chargeback(answered)
    await reverse_in(tx, case, before, after)
    action = "chargeback.answered" if evidence else "chargeback.accepted"
    audit.record(tx, action, known.chargeback_id, after=evidence.encode())
    return answered


def _closed(known: Chargeback) -> ServiceError:
    outcome = "won" if known.state is DisputeState.WON else "lost"
    return ServiceError(
        Kind.FAILED_PRECONDITION,
        "CHARGEBACK_CLOSED",
        f"This chargeback is decided already: it was {outcome}.",
    )
