"""Changes of customers: made, and proposed."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict

from services.invoicing.domain.customer_proposal import DataGroup, Document, Proposal, ProposalState, Version
from services.invoicing.translate.billing import from_proto_proposed
from services.invoicing.translate.values import to_proto_time
from tallyport.invoicing.v1 import customer_proposals_pb2 as pb
from tallyport.invoicing.v1 import customers_pb2

_GROUPS: Mapping["pb.CustomerDataGroup.ValueType", DataGroup] = {
    pb.CUSTOMER_DATA_GROUP_ADDRESS: DataGroup.ADDRESS,
    pb.CUSTOMER_DATA_GROUP_PURCHASE_ORDER: DataGroup.PURCHASE_ORDER,
    pb.CUSTOMER_DATA_GROUP_CONTACT: DataGroup.CONTACT,
    pb.CUSTOMER_DATA_GROUP_LEGAL: DataGroup.LEGAL,
}
_STATES: Mapping["pb.CustomerProposalState.ValueType", ProposalState] = {
    pb.CUSTOMER_PROPOSAL_STATE_OPEN: ProposalState.OPEN,
    pb.CUSTOMER_PROPOSAL_STATE_ACCEPTED: ProposalState.ACCEPTED,
    pb.CUSTOMER_PROPOSAL_STATE_REJECTED: ProposalState.REJECTED,
    pb.CUSTOMER_PROPOSAL_STATE_WITHDRAWN: ProposalState.WITHDRAWN,
}


def from_proto_state(state: "pb.CustomerProposalState.ValueType") -> ProposalState | None:
    return _STATES.get(state)


def from_proto_policy(policy: pb.CustomerPolicy) -> frozenset[DataGroup]:
    return frozenset(_GROUPS[group] for group in policy.taken_at_once)


def to_proto_policy(groups: Collection[DataGroup]) -> pb.CustomerPolicy:
    return pb.CustomerPolicy(taken_at_once=[number for number, group in _GROUPS.items() if group in groups])


def to_document(data: pb.ProposedCustomerData) -> dict[str, Any]:
    """A proposal as it is kept."""
    document: dict[str, Any] = MessageToDict(data, preserving_proto_field_name=True)
    for name in ("billing_address", "shipping_address", "tax_ids", "purchase_order_rule"):
        if data.HasField(name):
            document.setdefault(name, {})
    return document


def values_of(document: Document) -> dict[str, object]:
    """What a kept proposal, or a part of it, asks for, by field of a customer."""
    return from_proto_proposed(ParseDict(dict(document), pb.ProposedCustomerData()))


def to_proto_proposal(proposal: Proposal, *, for_staff: bool) -> pb.CustomerProposal:
    states = {state: number for number, state in _STATES.items()}
    return pb.CustomerProposal(
        proposal_id=proposal.proposal_id,
        customer_id=proposal.customer_id,
        customer_name=proposal.customer_name,
        state=states[proposal.state],
        changes=to_proto_changes(proposal.before, proposal.after),
        note=proposal.note,
        proposed_by_name=proposal.proposed_by_name,
        created_at=to_proto_time(proposal.created_at),
        decided_at=to_proto_time(proposal.decided_at),
        decided_by_name=proposal.decided_by_name if for_staff else "",
        reason=proposal.reason,
    )


def to_proto_proposal_page(
    proposals: Sequence[Proposal], token: str, *, for_staff: bool
) -> pb.ListCustomerProposalsResponse:
    return pb.ListCustomerProposalsResponse(
        proposals=[to_proto_proposal(one, for_staff=for_staff) for one in proposals], next_page_token=token
    )


def to_proto_version_page(
    versions: Sequence[Version], token: str
) -> customers_pb2.ListCustomerVersionsResponse:
    return customers_pb2.ListCustomerVersionsResponse(
        versions=[
            customers_pb2.CustomerVersion(
                version=one.version,
                changed_at=to_proto_time(one.changed_at),
                changed_by=one.changed_by,
                changed_by_name=one.changed_by_name,
                reason=one.reason,
                changes=to_proto_changes(one.before, one.after),
            )
            for one in versions
        ],
        next_page_token=token,
    )


def to_proto_changes(before: Document, after: Document) -> list[customers_pb2.CustomerFieldChange]:
    return [
        customers_pb2.CustomerFieldChange(field=name, before=_json(before, name), after=_json(after, name))
        for name in sorted({*before, *after})
    ]


def _json(document: Document, name: str) -> str:
    return json.dumps(document[name], ensure_ascii=False, sort_keys=True) if name in document else ""
