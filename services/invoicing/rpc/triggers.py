"""Invoices made by events, over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations.manage_triggers import (
    create_trigger,
    list_trigger_events,
    list_triggers,
    set_trigger_enabled,
    update_trigger,
)
from services.invoicing.operations.report_event import report_event
from services.invoicing.translate.triggers import from_proto_trigger, to_proto_trigger, to_proto_trigger_event
from services.invoicing.translate.values import from_proto_text
from tallyport.invoicing.v1 import schedules_pb2 as pb
from tallyport.invoicing.v1 import schedules_pb2_grpc


class InvoiceTriggers(schedules_pb2_grpc.InvoiceTriggersServicer):
    """Triggers and the events that set them off."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def CreateTrigger(self, request: pb.CreateTriggerRequest, context: Any) -> pb.Trigger:
        return await create_trigger(self._db, from_proto_trigger(request))

    async def ListTriggers(self, request: pb.ListTriggersRequest, context: Any) -> pb.ListTriggersResponse:
        found = await list_triggers(self._db)
        return pb.ListTriggersResponse(triggers=[to_proto_trigger(trigger) for trigger in found])

    async def UpdateTrigger(self, request: pb.UpdateTriggerRequest, context: Any) -> pb.Trigger:
        wish = from_proto_trigger(request.trigger)
        return to_proto_trigger(await update_trigger(self._db, request.trigger_id, wish))

    async def ListTriggerEvents(
        self, request: pb.ListTriggerEventsRequest, context: Any
    ) -> pb.ListTriggerEventsResponse:
        found, token = await list_trigger_events(
            self._db,
            event_name=request.event_name,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        events = [to_proto_trigger_event(one) for one in found]
        return pb.ListTriggerEventsResponse(events=events, next_page_token=token)

    async def SetTriggerEnabled(self, request: pb.SetTriggerEnabledRequest, context: Any) -> pb.Trigger:
        return to_proto_trigger(
            await set_trigger_enabled(self._db, request.trigger_id, enabled=request.enabled)
        )

    async def ReportEvent(self, request: pb.ReportEventRequest, context: Any) -> pb.ReportEventResponse:
        fields = {name: from_proto_text(f"fields.{name}", text) for name, text in request.fields.items()}
        external_id = from_proto_text("external_id", request.external_id)
        invoice_ids, known = await report_event(self._db, external_id, request.event_name, fields)
        return pb.ReportEventResponse(invoice_ids=invoice_ids, already_known=known)
