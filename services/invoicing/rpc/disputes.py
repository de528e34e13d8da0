"""Disputes over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.domain.dispute import DisputePolicy
from services.invoicing.operations import answer_dispute as answer
from services.invoicing.operations import read_disputes as read
from services.invoicing.operations.open_dispute import open_dispute
from services.invoicing.operations.resolve_dispute import resolve_dispute, withdraw_dispute
from services.invoicing.store.disputes import Wanted
from services.invoicing.translate import disputes as translate
from services.invoicing.translate.values import from_proto_money, from_proto_text
from tallyport.invoicing.v1 import disputes_pb2 as pb
from tallyport.invoicing.v1 import disputes_pb2_grpc


class Disputes(disputes_pb2_grpc.DisputesServicer):
    """Objections to invoices."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def OpenDispute(self, request: pb.OpenDisputeRequest, context: Any) -> pb.Dispute:
        return await open_dispute(self._db, request.invoice_id, translate.from_proto_objection(request))

    async def AddDisputeEvidence(self, request: pb.AddDisputeEvidenceRequest, context: Any) -> pb.Dispute:
        return await answer.add_dispute_evidence(
            self._db, request.dispute_id, file_name=request.file_name, content=request.content
        )

    async def GetDisputeEvidence(
        self, request: pb.GetDisputeEvidenceRequest, context: Any
    ) -> pb.DisputeEvidenceFile:
        file, content = await read.get_evidence(self._db, request.dispute_id, request.evidence_id)
        return pb.DisputeEvidenceFile(file_name=file.file_name, media_type=file.media_type, content=content)

    async def AddDisputeMessage(self, request: pb.AddDisputeMessageRequest, context: Any) -> pb.Dispute:
        words = from_proto_text("text", request.text)
        return await answer.add_dispute_message(self._db, request.dispute_id, words)

    async def GetDispute(self, request: pb.GetDisputeRequest, context: Any) -> pb.Dispute:
        return await read.get_dispute(self._db, request.dispute_id)

    async def ListDisputes(self, request: pb.ListDisputesRequest, context: Any) -> pb.ListDisputesResponse:
        wanted = Wanted(
            customer_id=request.customer_id, invoice_id=request.invoice_id, owner_id=request.owner_id,
            only_open=request.only_open,
        )  # fmt: skip
        return await read.list_disputes(
            self._db, wanted, page_size=request.page_size, page_token=request.page_token
        )

    async def AssignDispute(self, request: pb.AssignDisputeRequest, context: Any) -> pb.Dispute:
        name = from_proto_text("owner_name", request.owner_name)
        return await answer.assign_dispute(self._db, request.dispute_id, request.owner_id, name)

    async def EscalateDispute(self, request: pb.EscalateDisputeRequest, context: Any) -> pb.Dispute:
        reason = from_proto_text("reason", request.reason)
        return await answer.escalate_dispute(self._db, request.dispute_id, reason)

    async def ResolveDispute(self, request: pb.ResolveDisputeRequest, context: Any) -> pb.Dispute:
        credit = from_proto_money("credit", request.credit) if request.HasField("credit") else None
        return await resolve_dispute(
            self._db, request.dispute_id, translate.from_proto_outcome(request.outcome), credit,
            from_proto_text("text", request.text),
        )  # fmt: skip

    async def WithdrawDispute(self, request: pb.WithdrawDisputeRequest, context: Any) -> pb.Dispute:
        return await withdraw_dispute(self._db, request.dispute_id)

    async def GetDisputePolicy(self, request: pb.GetDisputePolicyRequest, context: Any) -> pb.DisputePolicy:
        return translate.to_proto_policy(await answer.get_dispute_policy(self._db))

    async def PutDisputePolicy(self, request: pb.PutDisputePolicyRequest, context: Any) -> pb.DisputePolicy:
        policy = DisputePolicy(request.policy.answer_within_hours, request.policy.resolve_within_days)
        await answer.put_dispute_policy(self._db, policy)
        return translate.to_proto_policy(policy)
