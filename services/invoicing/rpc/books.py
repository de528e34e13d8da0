"""The state of the receivables' books over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations.close_period import close_period, get_checklist, get_trial_balance
from services.invoicing.operations.guard_books import get_books, lift_freeze
from services.invoicing.translate.books import to_proto_checklist, to_proto_state, to_proto_trial_balance
from services.invoicing.translate.values import from_proto_day, from_proto_text
from tallyport.invoicing.v1 import books_pb2 as pb
from tallyport.invoicing.v1 import books_pb2_grpc


class ReceivablesBooks(books_pb2_grpc.ReceivablesBooksServicer):
    """Balances, closing a period, what the last check found, and the end of a freeze."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def GetReceivablesBooks(
        self, request: pb.GetReceivablesBooksRequest, context: Any
    ) -> pb.ReceivablesBooksState:
        return to_proto_state(await get_books(self._db))

    async def LiftReceivablesFreeze(
        self, request: pb.LiftReceivablesFreezeRequest, context: Any
    ) -> pb.ReceivablesBooksState:
        return await lift_freeze(self._db, request.reason)

    async def GetReceivablesTrialBalance(
        self, request: pb.GetReceivablesTrialBalanceRequest, context: Any
    ) -> pb.ReceivablesTrialBalance:
        until = from_proto_day("until", request.until)
        return to_proto_trial_balance(await get_trial_balance(self._db, until))

    async def GetCloseChecklist(
        self, request: pb.GetCloseChecklistRequest, context: Any
    ) -> pb.CloseChecklist:
        return to_proto_checklist(await get_checklist(self._db, from_proto_day("until", request.until)))

    async def ClosePeriod(self, request: pb.ClosePeriodRequest, context: Any) -> pb.ClosedPeriod:
        until = from_proto_day("until", request.until)
        assert until is not None  # the contract demands it
        reason = from_proto_text("override_reason", request.override_reason)
        return await close_period(self._db, until, override_reason=reason)
