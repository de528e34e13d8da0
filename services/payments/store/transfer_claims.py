"""Claims of transfers. Their proofs are read only by who asks for one."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.payments.domain.transfer_claim import ClaimStatus, Proof, TransferClaim


async def insert(tx: WriteTx, claim: TransferClaim, proof: Proof | None) -> None:
    """Write a new claim."""
    params = {
        "organization_id": tx.organization_id,
        "claim_id": claim.claim_id,
        "customer_id": claim.customer_id,
        "invoice_ids": list(claim.invoice_ids),
        "amount_minor_units": claim.amount.minor_units,
        "currency": claim.amount.currency,
        "transferred_on": claim.transferred_on,
        "note": claim.note,
        "proof_file_name": proof.file_name if proof else "",
        "proof_media_type": proof.media_type if proof else "",
        "proof": proof.content if proof else None,
        "status": claim.status.value,
        "expires_on": claim.expires_on,
        "created_at": claim.created_at,
        "claimed_by": claim.claimed_by,
    }
    await tx.execute(_INSERT, params)


async def find(tx: ReadTx, claim_id: str) -> TransferClaim | None:
    """One claim of the organization."""
    row = (await tx.execute(_FIND, {"organization_id": tx.organization_id, "claim_id": claim_id})).first()
    return None if row is None else _claim(row)


async def find_proof(tx: ReadTx, claim_id: str) -> Proof | None:
    """The proof of a claim, if it has one."""
    row = (await tx.execute(_PROOF, {"organization_id": tx.organization_id, "claim_id": claim_id})).first()
    if row is None or row.proof is None:
        return None
    return Proof(row.proof_file_name, row.proof_media_type, bytes(row.proof))


async def page(
    tx: ReadTx, *, customer_id: str, open_only: bool, after: tuple[datetime, str] | None, limit: int
) -> list[TransferClaim]:
    """At most `limit` claims below a position, the newest first; of all customers if none is named."""
    params = {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "open_only": open_only,
        "created_at": after[0] if after else None,
        "claim_id": after[1] if after else "",
        "limit": limit,
    }
    return [_claim(row) for row in await tx.execute(_PAGE, params)]


async def close(
    tx: WriteTx, claim_id: str, status: ClaimStatus, *, payment_id: str = "", reason: str = ""
) -> TransferClaim | None:
    """End a claim; None if it is not open any more."""
    params = {
        "organization_id": tx.organization_id,
        "claim_id": claim_id,
        "status": status.value,
        "payment_id": payment_id,
        "reason": reason,
        "now": tx.now(),
    }
    row = (await tx.execute(_CLOSE, params)).first()
    return None if row is None else _claim(row)


async def reopen(tx: WriteTx, payment_id: str) -> list[TransferClaim]:
    """Claims that ended because of this payment wait again, or are expired if their day is over; those that wait."""
    params = {"organization_id": tx.organization_id, "payment_id": payment_id, "today": tx.now().date()}
    claims = [_claim(row) for row in await tx.execute(_REOPEN, params)]
    return [claim for claim in claims if claim.status is ClaimStatus.OPEN]


async def open_of_invoices(tx: WriteTx, customer_id: str, invoice_ids: Sequence[str]) -> list[str]:
    """Open claims of a customer that name one of these invoices."""
    params = {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "invoice_ids": list(invoice_ids),
    }
    return [str(row.claim_id) for row in await tx.execute(_OPEN_OF_INVOICES, params)]


async def expired(tx: ReadTx, today: date, limit: int) -> list[tuple[str, str]]:
    """Organization and id of open claims whose day is over, in a sweep."""
    rows = await tx.execute(_EXPIRED, {"today": today, "limit": limit})
    return [(str(row.organization_id), str(row.claim_id)) for row in rows]


def _claim(row: Row[Any]) -> TransferClaim:
    return TransferClaim(
        claim_id=row.claim_id,
        customer_id=row.customer_id,
        invoice_ids=tuple(row.invoice_ids),
        amount=Money(row.amount_minor_units, row.currency),
        transferred_on=row.transferred_on,
        note=row.note,
        status=ClaimStatus(row.status),
        expires_on=row.expires_on,
        created_at=row.created_at,
        claimed_by=row.claimed_by,
        proof_file_name=row.proof_file_name,
        payment_id=row.payment_id,
        reopened=row.reopened,
    )


_COLUMNS = (
    "claim_id, customer_id, invoice_ids, amount_minor_units, currency, transferred_on, note, status, expires_on,"
    " created_at, claimed_by, proof_file_name, payment_id, reopened"
)
_ONE = "organization_id = :organization_id AND claim_id = :claim_id"
_INSERT = text("""
    INSERT INTO transfer_claims (
        organization_id, claim_id, customer_id, invoice_ids, amount_minor_units, currency, transferred_on, note,
        proof_file_name, proof_media_type, proof, status, expires_on, created_at, claimed_by
    ) VALUES (
        :organization_id, :claim_id, :customer_id, :invoice_ids, :amount_minor_units, :currency, :transferred_on,
        :note, :proof_file_name, :proof_media_type, :proof, :status, :expires_on, :created_at, :claimed_by
    )
""")
_FIND = text(f"SELECT {_COLUMNS} FROM transfer_claims WHERE {_ONE}")  # noqa: S608
_PROOF = text(f"SELECT proof, proof_file_name, proof_media_type FROM transfer_claims WHERE {_ONE}")  # noqa: S608
_PAGE = text(
    f"SELECT {_COLUMNS} FROM transfer_claims WHERE organization_id = :organization_id"  # noqa: S608
    " AND (:customer_id = '' OR customer_id = :customer_id) AND (NOT :open_only OR status = 'open')"
    " AND (CAST(:created_at AS timestamptz) IS NULL"
    " OR (created_at, claim_id) < (CAST(:created_at AS timestamptz), :claim_id))"
    " ORDER BY created_at DESC, claim_id DESC LIMIT :limit"
)
_CLOSE = text(
    "UPDATE transfer_claims SET status = :status, payment_id = :payment_id, close_reason = :reason, closed_at = :now"  # noqa: S608
    f" WHERE {_ONE} AND status = 'open' RETURNING {_COLUMNS}"
)
_REOPEN = text(
    "UPDATE transfer_claims SET payment_id = '', closed_at = CASE WHEN expires_on < :today THEN closed_at END,"  # noqa: S608
    " reopened = reopened + CASE WHEN expires_on < :today THEN 0 ELSE 1 END,"
    " status = CASE WHEN expires_on < :today THEN 'expired' ELSE 'open' END"
    " WHERE organization_id = :organization_id AND payment_id = :payment_id AND status = 'matched'"
    f" RETURNING {_COLUMNS}"
)
_OPEN_OF_INVOICES = text(
    "SELECT claim_id FROM transfer_claims WHERE organization_id = :organization_id AND customer_id = :customer_id"
    " AND status = 'open' AND invoice_ids && CAST(:invoice_ids AS text[]) ORDER BY created_at, claim_id"
)
_EXPIRED = text(
    "SELECT organization_id, claim_id FROM transfer_claims WHERE status = 'open' AND expires_on < :today"
    " ORDER BY expires_on LIMIT :limit"
)
