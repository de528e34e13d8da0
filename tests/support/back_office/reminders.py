"""Stand-in for dunning: pauses are kept, nothing is sent."""

from typing import Any

from chassis.errors import not_found
from tallyport.invoicing.v1 import dunning_pb2 as pb
from tallyport.invoicing.v1.dunning_pb2_grpc import DunningServicer


class Reminders(DunningServicer):
    """Pauses of customers."""

    def __init__(self) -> None:
        self._pauses: dict[str, pb.DunningPause] = {}

    async def ListDunningPauses(self, request: Any, context: Any) -> pb.ListDunningPausesResponse:
        found = [one for one in self._pauses.values() if one.customer_id == request.customer_id]
        return pb.ListDunningPausesResponse(pauses=found)

    async def PauseDunning(self, request: Any, context: Any) -> pb.DunningPause:
        pause = pb.DunningPause(
            pause_id=f"dpa_{len(self._pauses) + 1}", customer_id=request.customer_id, until=request.until,
            reason=request.reason,
        )  # fmt: skip
        self._pauses[pause.pause_id] = pause
        return pause

    async def EndDunningPause(self, request: Any, context: Any) -> pb.DunningPause:
        if request.pause_id not in self._pauses:
            raise not_found("dunning pause")
        return self._pauses.pop(request.pause_id)
