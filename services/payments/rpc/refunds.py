"""Servicer of refunds: translate, call one operation, translate back."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.operations.create_refund import create_refund
from services.payments.operations.list_refunds import get_refund, list_refunds
from services.payments.translate.reversals import from_proto_line_wishes, from_proto_wish, to_proto_refund
from tallyport.payments.v1 import refunds_pb2, refunds_pb2_grpc

Context = Any


class Refunds(refunds_pb2_grpc.RefundsServicer):
    """Refunds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def CreateRefund(
        self, request: refunds_pb2.CreateRefundRequest, context: Context
    ) -> refunds_pb2.Refund:
        wish, lines = from_proto_wish(request), from_proto_line_wishes(request)
        return to_proto_refund(await create_refund(self._desk, wish, lines))

    async def GetRefund(self, request: refunds_pb2.GetRefundRequest, context: Context) -> refunds_pb2.Refund:
        return to_proto_refund(await get_refund(self._desk, request.refund_id))

    async def ListRefunds(
        self, request: refunds_pb2.ListRefundsRequest, context: Context
    ) -> refunds_pb2.ListRefundsResponse:
        page = await list_refunds(
            self._desk,
            payment_id=request.payment_id,
            customer_id=request.customer_id,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return refunds_pb2.ListRefundsResponse(
            refunds=[to_proto_refund(refund) for refund in page.refunds], next_page_token=page.next_page_token
        )


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return ((refunds_pb2_grpc.add_RefundsServicer_to_server, Refunds(desk)),)
