"""Customers propose changes; some are taken at once, on the others staff decide."""

from typing import Any

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import customer_proposals_pb2 as pb
from tallyport.invoicing.v1 import customers_pb2
from tests.service.invoicing.office import Office

ADDRESS = customers_pb2.CustomerAddress(lines=["1 New Pier"], city="Boston", country="US")


async def propose(
    office: Office, customer_id: str, *, as_: str = "", key: str | None = None, **data: Any
) -> pb.ProposeCustomerChangeResponse:
    request = pb.ProposeCustomerChangeRequest(
        customer_id=customer_id, data=pb.ProposedCustomerData(**data), note="we moved"
    )
    caller = office.person_of(as_ or customer_id)
    return await office.call(office.customer_proposals.ProposeCustomerChange, request, as_=caller, key=key)


async def take_at_once(office: Office, *groups: "pb.CustomerDataGroup.ValueType") -> None:
    request = pb.UpdateCustomerPolicyRequest(policy=pb.CustomerPolicy(taken_at_once=groups))
    await office.call(office.customer_proposals.UpdateCustomerPolicy, request)


async def accept(office: Office, proposal_id: str) -> pb.CustomerProposal:
    request = pb.AcceptCustomerProposalRequest(proposal_id=proposal_id)
    return await office.call(office.customer_proposals.AcceptCustomerProposal, request)


async def reject(office: Office, proposal_id: str) -> pb.CustomerProposal:
    request = pb.RejectCustomerProposalRequest(proposal_id=proposal_id, reason="send us the register")
    return await office.call(office.customer_proposals.RejectCustomerProposal, request)


async def read(office: Office, customer_id: str) -> customers_pb2.Customer:
    request = customers_pb2.GetCustomerRequest(customer_id=customer_id)
    return await office.call(office.customers.GetCustomer, request)


async def queue(office: Office, **fields: Any) -> list[pb.CustomerProposal]:
    as_ = fields.pop("as_", None)
    request = pb.ListCustomerProposalsRequest(**fields)
    answer = await office.call(office.customer_proposals.ListCustomerProposals, request, as_=as_)
    return list(answer.proposals)


async def test_a_proposal_waits_until_staff_accept_it(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    made = await propose(office, customer_id, billing_address=ADDRESS, legal_name="Blue Anchor LLC")
    assert not made.taken_fields
    (waiting,) = await queue(office, state=pb.CUSTOMER_PROPOSAL_STATE_OPEN)
    assert [change.field for change in waiting.changes] == ["billing_address", "legal_name"]
    assert not (await read(office, customer_id)).legal_name
    done = await accept(office, waiting.proposal_id)
    assert done.state == pb.CUSTOMER_PROPOSAL_STATE_ACCEPTED
    after = await read(office, customer_id)
    assert (after.legal_name, after.billing_address.city, after.version) == ("Blue Anchor LLC", "Boston", 2)
    with pytest.raises(ServiceError, match="PROPOSAL_NOT_OPEN"):
        await reject(office, waiting.proposal_id)


async def test_what_the_organization_leaves_to_customers_is_taken_at_once(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    await take_at_once(office, pb.CUSTOMER_DATA_GROUP_ADDRESS, pb.CUSTOMER_DATA_GROUP_CONTACT)
    made = await propose(
        office, customer_id, key="once", billing_address=ADDRESS, email="new@anchor.example",
        legal_name="Blue Anchor LLC",
    )  # fmt: skip
    assert list(made.taken_fields) == ["billing_address", "email"]
    assert made.customer.billing_address.city == "Boston"
    assert [change.field for change in made.proposal.changes] == ["legal_name"]
    again = await propose(
        office, customer_id, key="once", billing_address=ADDRESS, email="new@anchor.example",
        legal_name="Blue Anchor LLC",
    )  # fmt: skip
    assert again == made


async def test_a_rejected_proposal_tells_why_and_changes_nothing(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    made = await propose(office, customer_id, legal_name="Blue Anchor LLC")
    await reject(office, made.proposal.proposal_id)
    (own,) = await queue(office, as_=office.person_of(customer_id))
    assert (own.state, own.reason) == (pb.CUSTOMER_PROPOSAL_STATE_REJECTED, "send us the register")
    assert (await read(office, customer_id)).version == 1


async def test_a_second_proposal_takes_the_place_of_the_first(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    first = await propose(office, customer_id, legal_name="First")
    second = await propose(office, customer_id, legal_name="Second")
    states = {one.proposal_id: one.state for one in await queue(office, customer_id=customer_id)}
    assert states == {
        first.proposal.proposal_id: pb.CUSTOMER_PROPOSAL_STATE_WITHDRAWN,
        second.proposal.proposal_id: pb.CUSTOMER_PROPOSAL_STATE_OPEN,
    }


async def test_what_staff_changed_meanwhile_is_not_overwritten(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    made = await propose(office, customer_id, legal_name="Theirs")
    request = customers_pb2.UpdateCustomerRequest(customer_id=customer_id, legal_name="Ours")
    await office.call(office.customers.UpdateCustomer, request)
    with pytest.raises(ServiceError, match="CUSTOMER_CHANGED"):
        await accept(office, made.proposal.proposal_id)
    assert (await read(office, customer_id)).legal_name == "Ours"


async def test_nobody_proposes_or_reads_for_another_customer(office: Office) -> None:
    mine, theirs = [(await office.customer()).customer_id for _ in range(2)]
    with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
        await propose(office, theirs, as_=mine, legal_name="Ours now")
    made = await propose(office, theirs, legal_name="Theirs")
    assert await queue(office, as_=office.person_of(mine)) == []
    with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
        await queue(office, as_=office.person_of(mine), customer_id=theirs)
    request = pb.WithdrawCustomerProposalRequest(proposal_id=made.proposal.proposal_id)
    withdraw = office.customer_proposals.WithdrawCustomerProposal
    with pytest.raises(ServiceError, match="PROPOSAL_NOT_FOUND"):
        await office.call(withdraw, request, as_=office.person_of(mine))
    gone = await office.call(withdraw, request, as_=office.person_of(theirs))
    assert gone.state == pb.CUSTOMER_PROPOSAL_STATE_WITHDRAWN


async def test_a_wrong_tax_id_is_refused_when_it_is_proposed(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    wrong = customers_pb2.CustomerTaxIdList(values=[customers_pb2.CustomerTaxId(country="DE", value="1")])
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await propose(office, customer_id, tax_ids=wrong)
