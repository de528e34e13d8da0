"""Servicers of the books."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from chassis.caller import current_call
from services.payments.desk import Desk
from services.payments.operations.follow_close import follow_close, follow_reopening, get_close_facts
from services.payments.operations.guard_books import check_now, get_books, lift_freeze, lock_period
from services.payments.operations.read_books import get_trial_balance, list_ledger_entries
from services.payments.translate.books import (
    to_proto_close_facts,
    to_proto_entry,
    to_proto_lock,
    to_proto_state,
    to_proto_trial_balance,
)
from services.payments.translate.payments import from_proto_day
from tallyport.payments.v1 import books_pb2 as pb
from tallyport.payments.v1 import books_pb2_grpc

Context = Any


class Books(books_pb2_grpc.BooksServicer):
    """The books of payments."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def GetTrialBalance(self, request: pb.GetTrialBalanceRequest, context: Context) -> pb.TrialBalance:
        until = from_proto_day(request.until, "until")
        return to_proto_trial_balance(await get_trial_balance(self._desk, until))

    async def ListLedgerEntries(
        self, request: pb.ListLedgerEntriesRequest, context: Context
    ) -> pb.ListLedgerEntriesResponse:
        entries, token = await list_ledger_entries(
            self._desk,
            payment_id=request.payment_id,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return pb.ListLedgerEntriesResponse(
            entries=[to_proto_entry(entry) for entry in entries], next_page_token=token
        )

    async def LockPeriod(self, request: pb.LockPeriodRequest, context: Context) -> pb.PeriodLock:
        return await lock_period(self._desk, _day(request.until))

    async def GetBooksState(self, request: pb.GetBooksStateRequest, context: Context) -> pb.BooksState:
        found = await get_books(self._desk)
        return to_proto_state(found.lock, found.state)

    async def VerifyBooks(self, request: pb.VerifyBooksRequest, context: Context) -> pb.BooksState:
        found = await check_now(self._desk, current_call().organization_id)
        return to_proto_state(found.lock, found.state)

    async def LiftFreeze(self, request: pb.LiftFreezeRequest, context: Context) -> pb.BooksState:
        return await lift_freeze(self._desk, request.reason)


class BooksChecks(books_pb2_grpc.BooksChecksServicer):
    """What invoicing and the command line ask of the books."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def CheckOrganization(
        self, request: pb.CheckOrganizationRequest, context: Context
    ) -> pb.BooksState:
        found = await check_now(self._desk, request.organization_id)
        return to_proto_state(found.lock, found.state)

    async def GetCloseFacts(self, request: pb.GetCloseFactsRequest, context: Context) -> pb.CloseFacts:
        day = _day(request.until)
        return to_proto_close_facts(await get_close_facts(self._desk, request.organization_id, day))

    async def FollowClose(self, request: pb.FollowCloseRequest, context: Context) -> pb.PeriodLock:
        day = _day(request.until)
        return to_proto_lock(
            await follow_close(self._desk, request.organization_id, day, closed_by=request.closed_by)
        )

    async def FollowReopening(self, request: pb.FollowReopeningRequest, context: Context) -> pb.PeriodLock:
        return to_proto_lock(
            await follow_reopening(
                self._desk,
                request.organization_id,
                _day(request.until),
                reopened_by=request.reopened_by,
                reason=request.reason,
            )
        )


def _day(text: str) -> date:
    day = from_proto_day(text, "until")
    assert day is not None  # the contract demands it
    return day


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return (
        (books_pb2_grpc.add_BooksServicer_to_server, Books(desk)),
        (books_pb2_grpc.add_BooksChecksServicer_to_server, BooksChecks(desk)),
    )
