"""Staff decide on what customers propose, and on what customers change by themselves."""

from collections.abc import Collection

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.invoicing.domain.customer import changed_meanwhile
from services.invoicing.domain.customer_proposal import DataGroup, Proposal, ProposalState
from services.invoicing.operations.update_customer import change_customer
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE, listed_customer_id
from services.invoicing.store import customer_history as history
from services.invoicing.store.customers import get_customer
from services.invoicing.translate.customer_proposals import values_of
from services.invoicing.translate.customers import document_of


async def accept_customer_proposal(db: Database, proposal_id: str, reason: str) -> Proposal:
    """Make its changes. PROPOSAL_NOT_OPEN; CUSTOMER_CHANGED when one of its fields is not what it was."""

    async def work(tx: WriteTx) -> Proposal:
        customer_id = (await history.get_proposal(tx, proposal_id)).customer_id
        customer = await get_customer(tx, customer_id, for_update=True)
        proposal = (await history.get_proposal(tx, proposal_id)).decided(
            ProposalState.ACCEPTED, by_name=_name(), reason=reason, at=tx.now()
        )
        document = document_of(customer)
        if any(
            document.get(name) != proposal.before.get(name) for name in {*proposal.before, *proposal.after}
        ):
            raise changed_meanwhile(customer.version)
        why = f"proposed by {proposal.proposed_by_name or 'the customer'}"
        await change_customer(tx, customer, values_of(proposal.proposed), reason=reason or why)
        await history.decide(tx, proposal)
        audit.record(tx, "customer_proposal.accepted", proposal_id, reason=reason)
        return proposal

    return await db.run_write(current_call().organization_id, work)


async def reject_customer_proposal(db: Database, proposal_id: str, reason: str) -> Proposal:
    """Turn it down. PROPOSAL_NOT_OPEN."""

    async def work(tx: WriteTx) -> Proposal:
        customer_id = (await history.get_proposal(tx, proposal_id)).customer_id
        await get_customer(tx, customer_id, for_update=True)
        proposal = (await history.get_proposal(tx, proposal_id)).decided(
            ProposalState.REJECTED, by_name=_name(), reason=reason, at=tx.now()
        )
        await history.decide(tx, proposal)
        audit.record(tx, "customer_proposal.rejected", proposal_id, reason=reason)
        return proposal

    return await db.run_write(current_call().organization_id, work)


async def list_customer_proposals(
    db: Database, *, customer_id: str, state: ProposalState | None, page_size: int, page_token: str
) -> tuple[list[Proposal], str]:
    """A page, the newest first; a customer's people get their own, or those of a customer below."""
    async with db.read(current_call().organization_id) as tx:
        customer_id = await listed_customer_id(tx, customer_id)
        return await history.list_proposals(
            tx, customer_id=customer_id, state=state, page_size=page_size or DEFAULT_PAGE_SIZE,
            page_token=page_token,
        )  # fmt: skip


async def get_customer_policy(db: Database) -> Collection[DataGroup]:
    """What customers change by themselves."""
    async with db.read(current_call().organization_id) as tx:
        return await history.taken_at_once(tx)


async def update_customer_policy(db: Database, groups: Collection[DataGroup]) -> Collection[DataGroup]:
    """Say what customers change by themselves from now on."""

    async def work(tx: WriteTx) -> Collection[DataGroup]:
        before = await history.taken_at_once(tx)
        await history.put_policy(tx, groups)
        audit.record(
            tx, "customer_policy.updated", tx.organization_id,
            before=",".join(sorted(before)).encode(), after=",".join(sorted(groups)).encode(),
        )  # fmt: skip
        return groups

    return await db.run_write(current_call().organization_id, work)


def _name() -> str:
    return current_call().caller.subject_name or ""
