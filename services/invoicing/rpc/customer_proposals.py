"""What customers propose to change, over gRPC."""

from typing import Any

from chassis.caller import Audience, current_call
from chassis.database import Database
from services.invoicing.operations import decide_customer_proposal as decide
from services.invoicing.operations.propose_customer_change import (
    Wish,
    propose_customer_change,
    withdraw_customer_proposal,
)
from services.invoicing.translate import customer_proposals as translate
from services.invoicing.translate.values import from_proto_text
from tallyport.invoicing.v1 import customer_proposals_pb2 as pb
from tallyport.invoicing.v1 import customer_proposals_pb2_grpc


class CustomerProposals(customer_proposals_pb2_grpc.CustomerProposalsServicer):
    """Proposed changes of billing data."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ProposeCustomerChange(
        self, request: pb.ProposeCustomerChangeRequest, context: Any
    ) -> pb.ProposeCustomerChangeResponse:
        wish = Wish(
            customer_id=request.customer_id,
            proposed=translate.to_document(request.data),
            note=from_proto_text("note", request.note),
        )
        return await propose_customer_change(self._db, wish)

    async def ListCustomerProposals(
        self, request: pb.ListCustomerProposalsRequest, context: Any
    ) -> pb.ListCustomerProposalsResponse:
        page, token = await decide.list_customer_proposals(
            self._db,
            customer_id=request.customer_id,
            state=translate.from_proto_state(request.state),
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return translate.to_proto_proposal_page(page, token, for_staff=_is_staff())

    async def AcceptCustomerProposal(
        self, request: pb.AcceptCustomerProposalRequest, context: Any
    ) -> pb.CustomerProposal:
        done = await decide.accept_customer_proposal(self._db, request.proposal_id, request.reason)
        return translate.to_proto_proposal(done, for_staff=True)

    async def RejectCustomerProposal(
        self, request: pb.RejectCustomerProposalRequest, context: Any
    ) -> pb.CustomerProposal:
        done = await decide.reject_customer_proposal(self._db, request.proposal_id, request.reason)
        return translate.to_proto_proposal(done, for_staff=True)

    async def WithdrawCustomerProposal(
        self, request: pb.WithdrawCustomerProposalRequest, context: Any
    ) -> pb.CustomerProposal:
        gone = await withdraw_customer_proposal(self._db, request.proposal_id)
        return translate.to_proto_proposal(gone, for_staff=False)

    async def GetCustomerPolicy(
        self, request: pb.GetCustomerPolicyRequest, context: Any
    ) -> pb.CustomerPolicy:
        return translate.to_proto_policy(await decide.get_customer_policy(self._db))

    async def UpdateCustomerPolicy(
        self, request: pb.UpdateCustomerPolicyRequest, context: Any
    ) -> pb.CustomerPolicy:
        groups = translate.from_proto_policy(request.policy)
        return translate.to_proto_policy(await decide.update_customer_policy(self._db, groups))


def _is_staff() -> bool:
    return current_call().caller.audience is Audience.STAFF
