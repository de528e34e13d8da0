"""Schedules over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations.cancel_schedule import cancel_schedule
from services.invoicing.operations.change_schedule_price import change_schedule_price
from services.invoicing.operations.change_schedule_quantity import change_schedule_quantity
from services.invoicing.operations.create_schedule import create_schedule
from services.invoicing.operations.get_schedule import get_schedule, list_schedule_invoices
from services.invoicing.operations.list_schedules import list_schedules
from services.invoicing.operations.pause_schedule import pause_schedule, resume_schedule
from services.invoicing.operations.preview_upcoming import Upcoming, list_upcoming, preview_upcoming
from services.invoicing.operations.report_usage import list_usage, report_usage
from services.invoicing.operations.update_schedule import update_schedule
from services.invoicing.translate import schedule_requests as requests
from services.invoicing.translate import schedules as translate
from services.invoicing.translate.values import (
    from_proto_day,
    from_proto_decimal,
    from_proto_money,
    from_proto_text,
)
from tallyport.invoicing.v1 import schedules_pb2 as pb
from tallyport.invoicing.v1 import schedules_pb2_grpc


class Schedules(schedules_pb2_grpc.SchedulesServicer):
    """Schedules from the first period to the last, usage, and what is to come."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def CreateSchedule(self, request: pb.CreateScheduleRequest, context: Any) -> pb.Schedule:
        return await create_schedule(self._db, requests.from_proto_schedule(request))

    async def UpdateSchedule(self, request: pb.UpdateScheduleRequest, context: Any) -> pb.Schedule:
        changes = requests.from_proto_schedule_changes(request)
        return await update_schedule(self._db, request.schedule_id, changes)

    async def ChangeSchedulePrice(self, request: pb.ChangeSchedulePriceRequest, context: Any) -> pb.Schedule:
        price = from_proto_money("unit_price", request.unit_price)
        day = from_proto_day("effective_on", request.effective_on)
        return await change_schedule_price(self._db, request.schedule_id, request.line_no, price, day)

    async def ChangeScheduleQuantity(
        self, request: pb.ChangeScheduleQuantityRequest, context: Any
    ) -> pb.Schedule:
        quantity = from_proto_decimal(request.quantity, "0")
        day = from_proto_day("effective_on", request.effective_on)
        return await change_schedule_quantity(self._db, request.schedule_id, request.line_no, quantity, day)

    async def PauseSchedule(self, request: pb.PauseScheduleRequest, context: Any) -> pb.Schedule:
        return await pause_schedule(self._db, request.schedule_id)

    async def ResumeSchedule(self, request: pb.ResumeScheduleRequest, context: Any) -> pb.Schedule:
        return await resume_schedule(self._db, request.schedule_id)

    async def CancelSchedule(self, request: pb.CancelScheduleRequest, context: Any) -> pb.Schedule:
        reason = from_proto_text("reason", request.reason)
        return await cancel_schedule(self._db, request.schedule_id, now=request.now, reason=reason)

    async def GetSchedule(self, request: pb.GetScheduleRequest, context: Any) -> pb.Schedule:
        return translate.to_proto_schedule(await get_schedule(self._db, request.schedule_id))

    async def ListSchedules(self, request: pb.ListSchedulesRequest, context: Any) -> pb.ListSchedulesResponse:
        page, token = await list_schedules(
            self._db,
            page_size=request.page_size,
            page_token=request.page_token,
            customer_id=request.customer_id,
            status=translate.STATUSES.get(request.status),
            external_id=request.external_id,
        )
        return pb.ListSchedulesResponse(
            schedules=[translate.to_proto_schedule(shown) for shown in page], next_page_token=token
        )

    async def ListScheduleInvoices(
        self, request: pb.ListScheduleInvoicesRequest, context: Any
    ) -> pb.ListScheduleInvoicesResponse:
        made = await list_schedule_invoices(self._db, request.schedule_id, page_size=request.page_size)
        return translate.to_proto_scheduled_invoices(made)

    async def ReportUsage(self, request: pb.ReportUsageRequest, context: Any) -> pb.ReportUsageResponse:
        wishes = requests.from_proto_usage(request.records)
        recorded = await report_usage(self._db, request.schedule_id, wishes)
        return pb.ReportUsageResponse(recorded=recorded, repeated_count=len(wishes) - recorded)

    async def ListUsage(self, request: pb.ListUsageRequest, context: Any) -> pb.ListUsageResponse:
        page, unbilled, token = await list_usage(
            self._db, request.schedule_id, page_size=request.page_size, page_token=request.page_token
        )
        return translate.to_proto_usage(page, unbilled, token)

    async def PreviewUpcoming(
        self, request: pb.PreviewUpcomingRequest, context: Any
    ) -> pb.PreviewUpcomingResponse:
        found = await preview_upcoming(self._db, request.schedule_id, count=request.count)
        return pb.PreviewUpcomingResponse(invoices=[_upcoming(one, with_lines=True) for one in found])

    async def ListUpcoming(self, request: pb.ListUpcomingRequest, context: Any) -> pb.ListUpcomingResponse:
        until = from_proto_day("until", request.until)
        page, token = await list_upcoming(
            self._db, until=until, page_size=request.page_size, page_token=request.page_token
        )
        return pb.ListUpcomingResponse(
            invoices=[_upcoming(one, with_lines=False) for one in page], next_page_token=token
        )


def _upcoming(one: Upcoming, *, with_lines: bool) -> pb.UpcomingInvoice:
    return translate.to_proto_upcoming(
        one.schedule, one.planned, customer_name=one.customer.name, lines=one.lines, sums=one.sums,
        with_lines=with_lines,
    )  # fmt: skip
