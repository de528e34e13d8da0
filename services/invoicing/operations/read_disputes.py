"""Read disputes and their files."""

from dataclasses import replace

from chassis.caller import Audience, current_call
from chassis.database import Database, ReadTx
from chassis.errors import ServiceError, not_found
from services.invoicing.domain.dispute import Side
from services.invoicing.domain.evidence import Evidence
from services.invoicing.operations.visibility import (
    DEFAULT_PAGE_SIZE,
    listed_customer_id,
    must_see_family_invoice,
)
from services.invoicing.store import disputes as store
from services.invoicing.store.invoices import get_invoice
from services.invoicing.translate.disputes import to_proto_dispute, to_proto_page
from tallyport.invoicing.v1 import disputes_pb2 as pb


def caller_side() -> Side:
    """On which side of a dispute the caller is."""
    return Side.STAFF if current_call().caller.audience is Audience.STAFF else Side.CUSTOMER


async def view_of(tx: ReadTx, dispute_id: str) -> pb.Dispute:
    """All of a dispute that the caller may see. DISPUTE_NOT_FOUND."""
    listed = await store.get_listed(tx, dispute_id)
    await must_see_dispute(tx, listed.dispute.invoice_id)
    return to_proto_dispute(
        listed,
        for_staff=caller_side() is Side.STAFF,
        entries=await store.entries_of(tx, dispute_id),
        evidence=await store.evidence_of(tx, dispute_id),
    )


async def must_see_dispute(tx: ReadTx, invoice_id: str) -> None:
    """DISPUTE_NOT_FOUND for whoever may not see its invoice."""
    if caller_side() is Side.STAFF:
        return
    try:
        await must_see_family_invoice(tx, await get_invoice(tx, invoice_id))
    except ServiceError:
        raise not_found("dispute") from None


async def get_dispute(db: Database, dispute_id: str) -> pb.Dispute:
    """A dispute. DISPUTE_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        return await view_of(tx, dispute_id)


async def get_evidence(db: Database, dispute_id: str, evidence_id: str) -> tuple[Evidence, bytes]:
    """A file with its content. DISPUTE_NOT_FOUND, EVIDENCE_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        await must_see_dispute(tx, (await store.get_dispute(tx, dispute_id)).invoice_id)
        return await store.get_evidence(tx, dispute_id, evidence_id)


async def list_disputes(
    db: Database, wanted: store.Wanted, *, page_size: int, page_token: str
) -> pb.ListDisputesResponse:
    """A page; a customer's people get their own or those of a customer below, a pay link those of its invoice."""
    caller = current_call().caller
    async with db.read(current_call().organization_id) as tx:
        if caller.audience is Audience.PAY_LINK:
            wanted = replace(wanted, invoice_id=caller.invoice_id or "", customer_id="", owner_id="")
        else:
            customer_id = await listed_customer_id(tx, wanted.customer_id)
            owner_id = wanted.owner_id if caller_side() is Side.STAFF else ""
            wanted = replace(wanted, customer_id=customer_id, owner_id=owner_id)
        found, token = await store.list_disputes(
            tx, wanted, page_size=page_size or DEFAULT_PAGE_SIZE, page_token=page_token
        )
        counts = await store.count_open(tx, wanted)
    return to_proto_page(found, token, counts, for_staff=caller_side() is Side.STAFF)
