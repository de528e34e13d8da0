"""Notes that a payer says to have transferred. No money moves: reminders pause until it is found or time is up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis import audit, idempotency, outbox
from chassis.caller import current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, invalid
from chassis.ids import new_id
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.transfer_claim import (
    VALID_FOR,
    ClaimStatus,
    TransferClaim,
    check_day,
    sniff_proof,
)
from services.payments.operations.get_transfer_instructions import invoices_for
from services.payments.store import cases, transfer_claims
from services.payments.translate.transfers import to_claimed, to_proto_claim
from tallyport.payments.v1 import transfers_pb2

AGGREGATE = "transfer_claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a payer says."""

    invoice_ids: Sequence[str]
    amount: Money
    transferred_on: date
    note: str
    proof_file_name: str
    proof: bytes


async def claim_transfer(desk: Desk, claimed: Claimed) -> transfers_pb2.TransferClaim:
    """Keep the claim once for the caller's key."""
    call = current_call()
    if claimed.amount.minor_units <= 0:
        raise invalid("amount", "not_positive", "The amount must be more than zero.")
    proof = sniff_proof(claimed.proof_file_name, claimed.proof)
    items = await invoices_for(desk, call, list(dict.fromkeys(claimed.invoice_ids)))
    if {item.amount_due.currency for item in items} != {claimed.amount.currency}:
        raise ServiceError(
            Kind.INVALID_ARGUMENT,
            "CURRENCY_MISMATCH",
            "The transfer must be in the currency of its invoices.",
        )

    async def write(tx: WriteTx) -> transfers_pb2.TransferClaim:
        today = (await cases.organization(tx)).day_of(tx.now())
        check_day(claimed.transferred_on, today)
        claim = TransferClaim(
            claim_id=new_id("tcl"),
            customer_id=items[0].customer_id,
            invoice_ids=tuple(item.invoice_id for item in items),
            amount=claimed.amount,
            transferred_on=claimed.transferred_on,
            note=claimed.note.strip(),
            status=ClaimStatus.OPEN,
            expires_on=today + VALID_FOR,
            created_at=tx.now(),
            claimed_by=call.caller.subject_name or call.actor,
            proof_file_name=proof.file_name if proof else "",
        )
        await transfer_claims.insert(tx, claim, proof)
        outbox.append(
            tx, to_claimed(claim), aggregate_type=AGGREGATE, aggregate_id=claim.claim_id, aggregate_version=1
        )
        audit.record(tx, "transfer_claim.created", claim.claim_id)
        return to_proto_claim(claim)

    return await idempotency.once(desk.db, transfers_pb2.TransferClaim, write)
