"""What was changed of a customer, what a customer wants changed, and what needs nobody's leave."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from chassis.errors import Kind, ServiceError

PREFIX = "cpr"
Document = Mapping[str, Any]
"""Fields by name, as in the JSON of a customer."""


class DataGroup(StrEnum):
    """Billing data that an organization may let its customers change by themselves."""

    ADDRESS = "address"
    PURCHASE_ORDER = "purchase_order"
    CONTACT = "contact"
    LEGAL = "legal"


GROUP_OF: Mapping[str, DataGroup] = {
    "billing_address": DataGroup.ADDRESS,
    "shipping_address": DataGroup.ADDRESS,
    "purchase_order_number": DataGroup.PURCHASE_ORDER,
    "purchase_order_rule": DataGroup.PURCHASE_ORDER,
    "email": DataGroup.CONTACT,
    "locale": DataGroup.CONTACT,
    "time_zone": DataGroup.CONTACT,
    "legal_name": DataGroup.LEGAL,
    "tax_ids": DataGroup.LEGAL,
}
"""The group of each field that a customer may propose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One change of a customer: who, when, why, and the fields before and after."""

    customer_id: str
    version: int
    changed_at: datetime
    changed_by: str
    changed_by_name: str
    reason: str
    before: Document
    after: Document


class ProposalState(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a customer wants changed: `proposed` as it was asked for, fields before and after as they are shown."""

    proposal_id: str
    customer_id: str
    customer_name: str
    proposed: Document
    before: Document
    after: Document
    note: str
    proposed_by: str
    proposed_by_name: str
    created_at: datetime
    state: ProposalState = ProposalState.OPEN
    decided_at: datetime | None = None
    decided_by_name: str = ""
    reason: str = ""

    def decided(self, state: ProposalState, *, by_name: str, reason: str, at: datetime) -> "Proposal":
        """PROPOSAL_NOT_OPEN unless it still waits."""
        if self.state is not ProposalState.OPEN:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PROPOSAL_NOT_OPEN", "This proposal was decided already.",
                proposal_id=self.proposal_id,
            )  # fmt: skip
        return replace(self, state=state, decided_by_name=by_name, reason=reason, decided_at=at)


def difference(before: Document, after: Document) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only the fields that differ, before and after."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


def split(fields: Collection[str], groups: Collection[DataGroup]) -> tuple[set[str], set[str]]:
    """Fields that are taken at once, and those that wait."""
    at_once = {name for name in fields if GROUP_OF.get(name) in groups}
    return at_once, set(fields) - at_once
