"""The state of the receivables' books over gRPC."""

from datetime import date
from typing import Any

from chassis.database import Database
from services.invoicing.cash_books import CashBooks
from services.invoicing.operations.close_period import (
    close_period,
    get_checklist,
    get_trial_balance,
    reopen_period,
)
from services.invoicing.operations.guard_books import get_books, lift_freeze
from services.invoicing.translate.books import to_proto_checklist, to_proto_state, to_proto_trial_balance
from services.invoicing.translate.values import from_proto_day, from_proto_text
from tallyport.invoicing.v1 import books_pb2 as pb
from tallyport.invoicing.v1 import books_pb2_grpc


class ReceivablesBooks(books_pb2_grpc.ReceivablesBooksServicer):
    """Balances, closing a period and opening it again, what the last check found, and the end of a freeze."""

    def __init__(self, db: Database, cash: CashBooks) -> None:
        self._db = db
        self._cash = cash

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
        return to_proto_checklist(
            await get_checklist(self._db, self._cash, from_proto_day("until", request.until))
        )

    async def ClosePeriod(self, request: pb.ClosePeriodRequest, context: Any) -> pb.ClosedPeriod:
        reason = from_proto_text("override_reason", request.override_reason)
        return await close_period(self._db, self._cash, _day(request.until), override_reason=reason)

    async def ReopenPeriod(self, request: pb.ReopenPeriodRequest, context: Any) -> pb.ClosedPeriod:
        reason = from_proto_text("reason", request.reason)
        return await reopen_period(self._db, self._cash, _day(request.until), reason=reason)


def _day(text: str) -> date:
    day = from_proto_day("until", text)
    assert day is not None  # the contract demands it
    return day
