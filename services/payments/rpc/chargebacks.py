"""Servicer of chargebacks: translate, call one operation, translate back."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.operations.answer_chargeback import accept_chargeback, submit_evidence
from services.payments.operations.list_chargebacks import get_chargeback, list_chargebacks
from services.payments.translate.reversals import to_proto_chargeback
from tallyport.payments.v1 import chargebacks_pb2, chargebacks_pb2_grpc

Context = Any


class Chargebacks(chargebacks_pb2_grpc.ChargebacksServicer):
    """Chargebacks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def GetChargeback(
        self, request: chargebacks_pb2.GetChargebackRequest, context: Context
    ) -> chargebacks_pb2.Chargeback:
        return to_proto_chargeback(await get_chargeback(self._desk, request.chargeback_id))

    async def ListChargebacks(
        self, request: chargebacks_pb2.ListChargebacksRequest, context: Context
    ) -> chargebacks_pb2.ListChargebacksResponse:
        page = await list_chargebacks(
            self._desk,
            payment_id=request.payment_id,
            open_only=request.open_only,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return chargebacks_pb2.ListChargebacksResponse(
            chargebacks=[to_proto_chargeback(one) for one in page.chargebacks],
            next_page_token=page.next_page_token,
        )

    async def SubmitEvidence(
        self, request: chargebacks_pb2.SubmitEvidenceRequest, context: Context
    ) -> chargebacks_pb2.Chargeback:
        return to_proto_chargeback(await submit_evidence(self._desk, request.chargeback_id, request.evidence))

    async def AcceptChargeback(
        self, request: chargebacks_pb2.AcceptChargebackRequest, context: Context
    ) -> chargebacks_pb2.Chargeback:
        return to_proto_chargeback(await accept_chargeback(self._desk, request.chargeback_id))


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return ((chargebacks_pb2_grpc.add_ChargebacksServicer_to_server, Chargebacks(desk)),)
