"""Shows claims of transfers and their proofs to those who may see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.caller import Audience, current_call
from chassis.errors import not_found
from chassis.paging import DEFAULT_PAGE_SIZE, read_token, write_token
from services.payments.desk import Desk
from services.payments.domain.transfer_claim import Proof, TransferClaim
from services.payments.store import transfer_claims


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """Some claims, and the token of what follows; empty on the last page."""

    claims: Sequence[TransferClaim]
    next_page_token: str


async def list_transfer_claims(
    desk: Desk, *, customer_id: str, open_only: bool, page_size: int, page_token: str
) -> ClaimPage:
    """A page, the newest first; customers get their own whatever they ask for."""
    call = current_call()
    if call.caller.audience is Audience.CUSTOMER:
        own = call.caller.customer_id
        if own is None or customer_id not in ("", own):
            raise not_found("customer")
        customer_id = own
    size = page_size or DEFAULT_PAGE_SIZE
    after = read_token(page_token)
    async with desk.db.read(call.organization_id) as tx:
        found = await transfer_claims.page(
            tx, customer_id=customer_id, open_only=open_only, after=after, limit=size + 1
        )
    shown = found[:size]
    token = write_token((shown[-1].created_at, shown[-1].claim_id)) if len(found) > size else ""
    return ClaimPage(shown, token)


async def get_transfer_proof(desk: Desk, claim_id: str) -> Proof:
    """The proof of a claim that the caller may see; TRANSFER_CLAIM_NOT_FOUND, TRANSFER_PROOF_NOT_FOUND."""
    call = current_call()
    async with desk.db.read(call.organization_id) as tx:
        claim = await transfer_claims.find(tx, claim_id)
        if claim is None:
            raise not_found("transfer_claim")
        call.may_see_customer(claim.customer_id, "transfer_claim")
        proof = await transfer_claims.find_proof(tx, claim_id)
    if proof is None:
        raise not_found("transfer_proof")
    return proof
