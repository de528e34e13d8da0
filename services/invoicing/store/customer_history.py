"""What was changed of customers, and what they propose to change."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import ReadTx, WriteTx
from chassis.errors import invalid, not_found
from services.invoicing.domain.customer_proposal import (
    DataGroup,
    Proposal,
    ProposalState,
    Version,
)
from services.invoicing.store.pages import decode_page_token, moment_of, page_of
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.customers import (
    customer_policies,
    customer_proposals,
    customer_versions,
    customers,
)

_SCOPE_VERSIONS, _SCOPE_PROPOSALS = "customer_versions", "customer_proposals"


async def insert_versions(tx: WriteTx, versions: Sequence[Version]) -> None:
    """Write what changes changed."""
    rows = [
        {
            "customer_id": one.customer_id, "version": one.version, "changed_at": one.changed_at,
            "changed_by": one.changed_by, "changed_by_name": one.changed_by_name, "reason": one.reason,
            "before": one.before, "after": one.after,
        }
        for one in versions
    ]  # fmt: skip
    await insert_rows(tx, customer_versions, rows)


async def list_versions(
    tx: ReadTx, customer_id: str, *, page_size: int, page_token: str
) -> tuple[list[Version], str]:
    """A page, the newest first, and the token of the next one."""
    query = select(customer_versions).where(
        customer_versions.c.organization_id == tx.organization_id,
        customer_versions.c.customer_id == customer_id,
    )
    after = decode_page_token(page_token, _SCOPE_VERSIONS)
    if after is not None:
        if not after[0].isdecimal():
            raise invalid("page_token", "page_token", "This page token is not of this list.")
        query = query.where(customer_versions.c.version < int(after[0]))
    rows = (await tx.execute(query.order_by(customer_versions.c.version.desc()).limit(page_size + 1))).all()
    rows, token = page_of(rows, page_size, _SCOPE_VERSIONS, lambda last: (str(last.version), customer_id))
    return [_version(row) for row in rows], token


async def insert_proposal(tx: WriteTx, proposal: Proposal) -> None:
    """Add a proposal; the customer is locked and has no other one that waits."""
    await tx.execute(
        insert(customer_proposals).values(
            organization_id=tx.organization_id, proposal_id=proposal.proposal_id,
            customer_id=proposal.customer_id, state=proposal.state.value, proposed=proposal.proposed,
            before=proposal.before, after=proposal.after, note=proposal.note,
            proposed_by=proposal.proposed_by, proposed_by_name=proposal.proposed_by_name,
            created_at=proposal.created_at,
        )
    )  # fmt: skip


async def decide(tx: WriteTx, proposal: Proposal) -> None:
    """Write what became of a proposal."""
    await tx.execute(
        update(customer_proposals)
        .where(customer_proposals.c.organization_id == tx.organization_id)
        .where(customer_proposals.c.proposal_id == proposal.proposal_id)
        .values(
            state=proposal.state.value, decided_at=proposal.decided_at,
            decided_by_name=proposal.decided_by_name, reason=proposal.reason,
        )
    )  # fmt: skip


async def get_proposal(tx: ReadTx, proposal_id: str) -> Proposal:
    """A proposal; NOT_FOUND. Lock its customer before it is decided."""
    query = _proposals(tx).where(customer_proposals.c.proposal_id == proposal_id)
    row = (await tx.execute(query)).first()
    if row is None:
        raise not_found("proposal")
    return _proposal(row)


async def open_proposal_of(tx: ReadTx, customer_id: str) -> Proposal | None:
    """The one that waits."""
    query = _proposals(tx).where(
        customer_proposals.c.customer_id == customer_id,
        customer_proposals.c.state == ProposalState.OPEN.value,
    )
    row = (await tx.execute(query)).first()
    return None if row is None else _proposal(row)


async def list_proposals(
    tx: ReadTx, *, customer_id: str, state: ProposalState | None, page_size: int, page_token: str
) -> tuple[list[Proposal], str]:
    """A page, the newest first, and the token of the next one."""
    query = _proposals(tx)
    if customer_id:
        query = query.where(customer_proposals.c.customer_id == customer_id)
    if state is not None:
        query = query.where(customer_proposals.c.state == state.value)
    place = tuple_(customer_proposals.c.created_at, customer_proposals.c.proposal_id)
    after = decode_page_token(page_token, _SCOPE_PROPOSALS)
    if after is not None:
        query = query.where(place < tuple_(moment_of(after[0]), after[1]))
    order = (customer_proposals.c.created_at.desc(), customer_proposals.c.proposal_id.desc())
    rows = (await tx.execute(query.order_by(*order).limit(page_size + 1))).all()
    rows, token = page_of(
        rows, page_size, _SCOPE_PROPOSALS, lambda last: (last.created_at.isoformat(), last.proposal_id)
    )
    return [_proposal(row) for row in rows], token


async def taken_at_once(tx: ReadTx) -> frozenset[DataGroup]:
    """What customers change by themselves."""
    query = select(customer_policies.c.taken_at_once).where(
        customer_policies.c.organization_id == tx.organization_id
    )
    groups = (await tx.execute(query)).scalar_one_or_none() or ()
    return frozenset(DataGroup(group) for group in groups)


async def put_policy(tx: WriteTx, groups: Collection[DataGroup]) -> None:
    """Replace what customers change by themselves."""
    values = {"taken_at_once": sorted(group.value for group in groups), "changed_at": tx.now()}
    await tx.execute(
        upsert(customer_policies)
        .values(organization_id=tx.organization_id, **values)
        .on_conflict_do_update(index_elements=["organization_id"], set_=values)
    )


def _proposals(tx: ReadTx) -> Any:
    return (
        select(customer_proposals, customers.c.name.label("customer_name"))
        .join(
            customers,
            (customers.c.organization_id == customer_proposals.c.organization_id)
            & (customers.c.customer_id == customer_proposals.c.customer_id),
        )
        .where(customer_proposals.c.organization_id == tx.organization_id)
    )


def _version(row: Row[Any]) -> Version:
    return Version(
        customer_id=row.customer_id, version=row.version, changed_at=row.changed_at,
        changed_by=row.changed_by, changed_by_name=row.changed_by_name, reason=row.reason,
        before=row.before, after=row.after,
    )  # fmt: skip


def _proposal(row: Row[Any]) -> Proposal:
    values: Mapping[str, Any] = {
        name: getattr(row, name) for name in Proposal.__dataclass_fields__ if name != "state"
    }
    return replace(Proposal(**values), state=ProposalState(row.state))
