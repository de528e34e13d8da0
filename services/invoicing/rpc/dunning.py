"""Dunning over gRPC."""

from typing import Any

from chassis.caller import current_call
from chassis.database import Database
from chassis.errors import invalid
from services.invoicing.operations import manage_dunning as manage
from services.invoicing.operations import read_dunning as read
from services.invoicing.operations.preview_dunning_letter import preview_dunning_letter
from services.invoicing.payments import FindTransferSlip, no_transfer_slip
from services.invoicing.translate import dunning as translate
from services.invoicing.translate.values import from_proto_day, from_proto_text
from tallyport.invoicing.v1 import dunning_pb2 as pb
from tallyport.invoicing.v1 import dunning_pb2_grpc


class Dunning(dunning_pb2_grpc.DunningServicer):
    """Reminding of what is late."""

    def __init__(self, db: Database, find_slip: FindTransferSlip = no_transfer_slip) -> None:
        self._db = db
        self._find_slip = find_slip

    async def ListDunningPolicies(
        self, request: pb.ListDunningPoliciesRequest, context: Any
    ) -> pb.ListDunningPoliciesResponse:
        found = await manage.list_dunning_policies(self._db)
        return pb.ListDunningPoliciesResponse(policies=[translate.to_proto_policy(one) for one in found])

    async def PutDunningPolicy(self, request: pb.PutDunningPolicyRequest, context: Any) -> pb.DunningPolicy:
        policy = translate.from_proto_policy(request.policy)
        return translate.to_proto_policy(await manage.put_dunning_policy(self._db, policy))

    async def DeleteDunningPolicy(
        self, request: pb.DeleteDunningPolicyRequest, context: Any
    ) -> pb.DeleteDunningPolicyResponse:
        await manage.delete_dunning_policy(self._db, from_proto_text("segment", request.segment))
        return pb.DeleteDunningPolicyResponse()

    async def ListDunningPresets(
        self, request: pb.ListDunningPresetsRequest, context: Any
    ) -> pb.ListDunningPresetsResponse:
        found = await manage.list_dunning_presets(self._db)
        return pb.ListDunningPresetsResponse(presets=[translate.to_proto_preset(one) for one in found])

    async def PauseDunning(self, request: pb.PauseDunningRequest, context: Any) -> pb.DunningPause:
        until = from_proto_day("until", request.until)
        if until is None:
            raise invalid("until", "required", "Say until when.")
        return await manage.pause_dunning(
            self._db, customer_id=request.customer_id, invoice_id=request.invoice_id, until=until,
            reason=from_proto_text("reason", request.reason),
        )  # fmt: skip

    async def EndDunningPause(self, request: pb.EndDunningPauseRequest, context: Any) -> pb.DunningPause:
        return await manage.end_dunning_pause(self._db, request.pause_id)

    async def ListDunningPauses(
        self, request: pb.ListDunningPausesRequest, context: Any
    ) -> pb.ListDunningPausesResponse:
        found = await read.list_dunning_pauses(self._db, request.customer_id)
        return pb.ListDunningPausesResponse(pauses=[translate.to_proto_pause(one) for one in found])

    async def PreviewDunningLetter(
        self, request: pb.PreviewDunningLetterRequest, context: Any
    ) -> pb.DunningLetterPreview:
        level = translate.from_proto_level("level", request.level)
        return await preview_dunning_letter(
            self._db, level, locale=request.locale, invoice_id=request.invoice_id
        )

    async def GetDunningState(self, request: pb.GetDunningStateRequest, context: Any) -> pb.DunningState:
        return await read.get_dunning_state(self._db, request.invoice_id)

    async def ListDunningNotices(
        self, request: pb.ListDunningNoticesRequest, context: Any
    ) -> pb.ListDunningNoticesResponse:
        return await read.list_dunning_notices(
            self._db, customer_id=request.customer_id, invoice_id=request.invoice_id,
            page_size=request.page_size, page_token=request.page_token,
        )  # fmt: skip

    async def GetDunningLetterPdf(
        self, request: pb.GetDunningLetterPdfRequest, context: Any
    ) -> pb.DunningLetterPdf:
        return await read.get_dunning_letter(
            self._db, current_call().organization_id, request.notice_id, self._find_slip
        )

    async def GetDunningLetter(
        self, request: pb.GetDunningLetterRequest, context: Any
    ) -> pb.DunningLetterPdf:
        return await read.get_dunning_letter(
            self._db, request.organization_id, request.notice_id, self._find_slip
        )
