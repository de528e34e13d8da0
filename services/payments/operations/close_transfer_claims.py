"""Ends claims of transfers: the money was found, staff have looked, or time is up."""

from collections.abc import Sequence
from functools import partial

from chassis import audit, idempotency, outbox
from chassis.caller import call_scope, service_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, not_found
from services.payments.desk import Desk
from services.payments.domain.transfer_claim import ClaimStatus, TransferClaim
from services.payments.operations.claim_transfer import AGGREGATE
from services.payments.store import transfer_claims
from services.payments.translate.transfers import to_claim_closed, to_claimed, to_proto_claim
from tallyport.payments.v1 import transfers_pb2

BATCH = 100


async def close_matching_claims(
    tx: WriteTx, customer_id: str, invoice_ids: Sequence[str], payment_id: str
) -> int:
    """End the customer's open claims that name one of these invoices: their money is `payment_id`. Returns how many."""
    claim_ids = await transfer_claims.open_of_invoices(tx, customer_id, invoice_ids)
    for claim_id in claim_ids:
        await _close(tx, claim_id, ClaimStatus.MATCHED, payment_id=payment_id)
    return len(claim_ids)


async def reopen_claims(tx: WriteTx, payment_id: str) -> None:
    """Let claims wait again whose money was not `payment_id` after all; those whose day is over have expired."""
    for claim in await transfer_claims.reopen(tx, payment_id):
        outbox.append(
            tx,
            to_claimed(claim),
            aggregate_type=AGGREGATE,
            aggregate_id=claim.claim_id,
            aggregate_version=claim.version,
        )
        audit.record(tx, "transfer_claim.reopened", claim.claim_id)


async def close_transfer_claim(desk: Desk, claim_id: str, reason: str) -> transfers_pb2.TransferClaim:
    """End a claim that staff have looked at; TRANSFER_CLAIM_NOT_OPEN if it is over."""

    async def write(tx: WriteTx) -> transfers_pb2.TransferClaim:
        if await transfer_claims.find(tx, claim_id) is None:
            raise not_found("transfer_claim")
        closed = await _close(tx, claim_id, ClaimStatus.CLOSED, reason=reason)
        if closed is None:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "TRANSFER_CLAIM_NOT_OPEN", "This claim is over already."
            )
        return to_proto_claim(closed)

    return await idempotency.once(desk.db, transfers_pb2.TransferClaim, write)


async def expire_claims(desk: Desk) -> int:
    """End claims whose day is over (in UTC), at most a batch; returns how many were looked at."""
    async with desk.db.sweep() as tx:
        due = await transfer_claims.expired(tx, tx.now().date(), BATCH)
    for organization_id, claim_id in due:
        with call_scope(service_call("payments", organization_id)):
            await desk.db.run_write(organization_id, partial(_expire, claim_id=claim_id))
    return len(due)


async def _expire(tx: WriteTx, *, claim_id: str) -> None:
    await _close(tx, claim_id, ClaimStatus.EXPIRED)


async def _close(
    tx: WriteTx, claim_id: str, status: ClaimStatus, *, payment_id: str = "", reason: str = ""
) -> TransferClaim | None:
    closed = await transfer_claims.close(tx, claim_id, status, payment_id=payment_id, reason=reason)
    if closed is not None:
        outbox.append(
            tx,
            to_claim_closed(closed),
            aggregate_type=AGGREGATE,
            aggregate_id=claim_id,
            aggregate_version=closed.version,
        )
        audit.record(tx, f"transfer_claim.{status.value}", claim_id, reason=reason)
    return closed
