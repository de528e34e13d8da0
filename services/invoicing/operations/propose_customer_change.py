"""What customers want changed of their billing data: some of it at once, the rest with the leave of staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import invalid, not_found
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.customer import Customer, changed
from services.invoicing.domain.customer_proposal import PREFIX, Proposal, ProposalState, difference, split
from services.invoicing.operations.update_customer import change_customer
from services.invoicing.store import customer_history as history
from services.invoicing.store.customers import get_customer
from services.invoicing.translate.customer_proposals import to_proto_proposal, values_of
from services.invoicing.translate.customers import document_of, to_proto_own_customer
from tallyport.invoicing.v1 import customer_proposals_pb2 as pb

_BY_ITSELF = "changed by the customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for, by name of the field in the contract."""

    customer_id: str
    proposed: Mapping[str, Any]
    note: str


async def propose_customer_change(db: Database, wish: Wish) -> pb.ProposeCustomerChangeResponse:
    """What was taken and what waits. CUSTOMER_NOT_FOUND for any but the caller's own customer."""
    current_call().may_see_customer(wish.customer_id)
    values = values_of(wish.proposed)
    if not values:
        raise invalid("data", "empty", "Say what should be changed.")

    async def work(tx: WriteTx) -> pb.ProposeCustomerChangeResponse:
        before = await get_customer(tx, wish.customer_id, for_update=True)
        wanted = changed(before, values)
        old, new = difference(document_of(before), document_of(wanted))
        at_once, waiting = split(wish.proposed.keys() & {*old, *new}, await history.taken_at_once(tx))
        after = await _taken(tx, before, {name: wish.proposed[name] for name in at_once})
        proposal = await _waiting(tx, wish, before, waiting) if waiting else None
        return pb.ProposeCustomerChangeResponse(
            customer=to_proto_own_customer(after),
            taken_fields=sorted(at_once),
            proposal=None if proposal is None else to_proto_proposal(proposal, for_staff=False),
        )

    return await once(db, pb.ProposeCustomerChangeResponse, work)


async def withdraw_customer_proposal(db: Database, proposal_id: str) -> Proposal:
    """Take an own proposal back. PROPOSAL_NOT_FOUND, PROPOSAL_NOT_OPEN."""
    call = current_call()

    async def work(tx: WriteTx) -> Proposal:
        found = await history.get_proposal(tx, proposal_id)
        if found.customer_id != call.caller.customer_id:
            raise not_found("proposal")
        await get_customer(tx, found.customer_id, for_update=True)
        return await _withdrawn(tx, await history.get_proposal(tx, proposal_id))

    return await db.run_write(call.organization_id, work)


async def _taken(tx: WriteTx, before: Customer, proposed: Mapping[str, Any]) -> Customer:
    if not proposed:
        return before
    return await change_customer(tx, before, values_of(proposed), reason=_BY_ITSELF)


async def _waiting(tx: WriteTx, wish: Wish, before: Customer, waiting: set[str]) -> Proposal:
    """A new proposal in place of the one that waits."""
    earlier = await history.open_proposal_of(tx, wish.customer_id)
    if earlier is not None:
        await _withdrawn(tx, earlier)
    call = current_call()
    proposed = {name: wish.proposed[name] for name in sorted(waiting)}
    old, new = difference(document_of(before), document_of(changed(before, values_of(proposed))))
    proposal = Proposal(
        proposal_id=new_id(PREFIX), customer_id=before.customer_id, customer_name=before.name,
        proposed=proposed, before=old, after=new, note=wish.note, proposed_by=call.actor,
        proposed_by_name=call.caller.subject_name or "", created_at=tx.now(),
    )  # fmt: skip
    await history.insert_proposal(tx, proposal)
    audit.record(tx, "customer_proposal.made", proposal.proposal_id, reason=wish.note)
    return proposal


async def _withdrawn(tx: WriteTx, proposal: Proposal) -> Proposal:
    name = current_call().caller.subject_name or ""
    gone = proposal.decided(ProposalState.WITHDRAWN, by_name=name, reason="", at=tx.now())
    await history.decide(tx, gone)
    audit.record(tx, "customer_proposal.withdrawn", proposal.proposal_id)
    return gone
