"""Transfers and claims between messages and domain."""

from collections.abc import Mapping

from services.payments.domain.transfer_claim import ClaimStatus, Proof, TransferClaim
from services.payments.translate.payments import to_proto_money, to_proto_time
from tallyport.payments.v1 import events_pb2, transfers_pb2

_STATUS: Mapping[ClaimStatus, "transfers_pb2.TransferClaimStatus.ValueType"] = {
    ClaimStatus.OPEN: transfers_pb2.TRANSFER_CLAIM_STATUS_OPEN,
    ClaimStatus.MATCHED: transfers_pb2.TRANSFER_CLAIM_STATUS_MATCHED,
    ClaimStatus.EXPIRED: transfers_pb2.TRANSFER_CLAIM_STATUS_EXPIRED,
    ClaimStatus.CLOSED: transfers_pb2.TRANSFER_CLAIM_STATUS_CLOSED,
}


def to_proto_claim(claim: TransferClaim) -> transfers_pb2.TransferClaim:
    """A claim as its callers see it."""
    return transfers_pb2.TransferClaim(
        claim_id=claim.claim_id,
        customer_id=claim.customer_id,
        invoice_ids=claim.invoice_ids,
        amount=to_proto_money(claim.amount),
        transferred_on=claim.transferred_on.isoformat(),
        note=claim.note,
        proof_file_name=claim.proof_file_name,
        status=_STATUS[claim.status],
        expires_on=claim.expires_on.isoformat(),
        payment_id=claim.payment_id,
        created_at=to_proto_time(claim.created_at),
        claimed_by=claim.claimed_by,
    )


def to_proto_proof(proof: Proof) -> transfers_pb2.TransferProof:
    """A proof as its callers see it."""
    return transfers_pb2.TransferProof(
        file_name=proof.file_name, media_type=proof.media_type, content=proof.content
    )


def to_claimed(claim: TransferClaim) -> events_pb2.TransferClaimed:
    """The news that a transfer is said to be on its way."""
    return events_pb2.TransferClaimed(
        claim_id=claim.claim_id,
        customer_id=claim.customer_id,
        invoice_ids=claim.invoice_ids,
        amount=to_proto_money(claim.amount),
        expires_on=claim.expires_on.isoformat(),
    )


def to_claim_closed(claim: TransferClaim) -> events_pb2.TransferClaimClosed:
    """The news that a claim is over."""
    return events_pb2.TransferClaimClosed(
        claim_id=claim.claim_id,
        customer_id=claim.customer_id,
        invoice_ids=claim.invoice_ids,
        outcome=claim.status.value,
    )
