"""Servicer of autopay."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.operations.set_autopay import (
    confirm_run,
    get_autopay,
    list_runs,
    pause_autopay,
    set_autopay,
    skip_run,
    turn_off_autopay,
)
from services.payments.translate.methods import from_proto_autopay, to_proto_autopay, to_proto_run
from services.payments.translate.payments import from_proto_day
from tallyport.payments.v1 import autopay_pb2 as pb
from tallyport.payments.v1 import autopay_pb2_grpc

Context = Any


class Autopay(autopay_pb2_grpc.AutopayServicer):
    """What a customer lets us do by itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def GetAutopay(self, request: pb.GetAutopayRequest, context: Context) -> pb.AutopaySettings:
        return to_proto_autopay(await get_autopay(self._desk, request.customer_id))

    async def SetAutopay(self, request: pb.SetAutopayRequest, context: Context) -> pb.AutopaySettings:
        return to_proto_autopay(await set_autopay(self._desk, from_proto_autopay(request)))

    async def TurnOffAutopay(self, request: pb.TurnOffAutopayRequest, context: Context) -> pb.AutopaySettings:
        return to_proto_autopay(await turn_off_autopay(self._desk))

    async def PauseAutopay(self, request: pb.PauseAutopayRequest, context: Context) -> pb.AutopaySettings:
        return to_proto_autopay(await pause_autopay(self._desk, from_proto_day(request.until, "until")))

    async def SkipAutopay(self, request: pb.SkipAutopayRequest, context: Context) -> pb.AutopayRun:
        return to_proto_run(await skip_run(self._desk, request.run_id))

    async def ConfirmAutopay(self, request: pb.ConfirmAutopayRequest, context: Context) -> pb.AutopayRun:
        return to_proto_run(await confirm_run(self._desk, request.run_id))

    async def ListAutopayRuns(
        self, request: pb.ListAutopayRunsRequest, context: Context
    ) -> pb.ListAutopayRunsResponse:
        page = await list_runs(
            self._desk,
            customer_id=request.customer_id,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return pb.ListAutopayRunsResponse(
            runs=[to_proto_run(run) for run in page.runs], next_page_token=page.next_page_token
        )


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return ((autopay_pb2_grpc.add_AutopayServicer_to_server, Autopay(desk)),)
