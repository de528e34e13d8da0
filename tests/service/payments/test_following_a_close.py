"""Invoicing closes a period: it hears what is left to do here, and the cash ledger is closed and opened with it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest

from chassis.errors import Kind, ServiceError
from chassis.rpc.client import as_service, connect
from chassis.settings import BaseServiceSettings
from services.invoicing.cash_books import RemoteCashBooks
from tallyport.payments.v1 import books_pb2 as pb
from tallyport.payments.v1 import books_pb2_grpc
from tests.service.payments.bank.desk import HEADER, BankDesk
from tests.service.payments.till import Till


@asynccontextmanager
async def asking(till: Till, peer: str = "invoicing") -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Calls by the method's name, with the certificate of a service."""
    settings = BaseServiceSettings(**till.mesh.settings(peer), payments_address=till.address)
    async with connect(settings, "payments") as channel:
        stub = books_pb2_grpc.BooksChecksStub(channel)

        async def ask(method: str, request: Any) -> Any:
            return await as_service(getattr(stub, method))(request)

        yield ask


def _facts(till: Till, until: str) -> pb.GetCloseFactsRequest:
    return pb.GetCloseFactsRequest(organization_id=till.organization_id, until=until)


async def test_a_close_hears_what_is_left_to_do(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    till.invoices.add("inv_2", 700)
    await till.pay({"inv_1": 5_000})
    unclear = await till.pay({"inv_2": 700}, token=None)
    await till.execute(
        "UPDATE payment_attempts SET state = 'review' WHERE payment_id = :p", p=unclear.payment_id
    )
    desk = BankDesk.of(till)
    account = await desk.account(currency="USD")
    lines = "2026-03-02;125.00;Nordkai;thanks;1;225.00\n2026-03-05;10.00;;more;2;235.00\n"
    await desk.load(HEADER + lines, bank_account_id=account.bank_account_id)
    async with asking(till) as ask:
        told = await ask("GetCloseFacts", _facts(till, "2026-03-04"))
        assert (told.unmatched_receipts.count, list(told.unmatched_receipts.found)) == (1, ["Nordkai"])
        assert [one.minor_units for one in told.unmatched_receipts.amounts] == [12_500]
        assert told.unclear_payments.count == 0
        assert [one.minor_units for one in told.customer_funds] == [5_000]
        today = till.clock.now().date().isoformat()
        told = await ask("GetCloseFacts", _facts(till, today))
        assert told.unmatched_receipts.count == 2
        assert list(told.unclear_payments.found) == [unclear.payment_id]


async def test_the_cash_ledger_follows_a_close_and_a_reopening(till: Till) -> None:
    where = {"organization_id": till.organization_id, "until": "2024-03-31"}
    reopening = pb.FollowReopeningRequest(**where, reopened_by="Anna", reason="a late bill")
    async with asking(till) as ask:
        closed = await ask("FollowClose", pb.FollowCloseRequest(**where, closed_by="Anna"))
        assert (closed.until, closed.locked_by) == ("2024-03-31", "Anna")
        again = await ask("FollowClose", pb.FollowCloseRequest(**where, closed_by="Somebody else"))
        assert again == closed
        further = pb.FollowCloseRequest(
            organization_id=till.organization_id, until="2024-04-30", closed_by="Anna"
        )
        await ask("FollowClose", further)
        assert (await ask("FollowReopening", reopening)).until == "2024-04-30"  # not the last one: stays
        later = pb.FollowReopeningRequest(
            organization_id=till.organization_id, until="2024-04-30", reopened_by="Anna", reason="a late bill"
        )
        assert (await ask("FollowReopening", later)).until == "2024-03-31"
        assert (await ask("FollowReopening", reopening)).until == ""
        tomorrow = pb.FollowCloseRequest(organization_id=till.organization_id, until="2999-12-31")
        with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
            await ask("FollowClose", tomorrow)
    rows = await till.rows("SELECT action FROM audit_log WHERE action LIKE 'books.%' ORDER BY seq")
    assert [row.action for row in rows] == ["books.period_locked"] * 2 + ["books.period_reopened"] * 2
    async with asking(till, "gateway") as ask:
        with pytest.raises(ServiceError) as refused:
            await ask("FollowReopening", reopening)
        assert refused.value.kind is Kind.PERMISSION_DENIED


async def test_invoicing_hears_of_a_lock_that_keeps_the_day_locked(till: Till) -> None:
    settings = BaseServiceSettings(**till.mesh.settings("invoicing"), payments_address=till.address)
    who = {"reopened_by": "Anna", "reason": "a late bill"}
    async with connect(settings, "payments") as channel:
        cash = RemoteCashBooks(channel)
        for day in (date(2024, 3, 31), date(2024, 4, 30)):
            assert await cash.close(till.organization_id, day, closed_by="Anna") == day
        with pytest.raises(ServiceError, match="up to 2024-04-30 by itself") as refused:
            await cash.reopen(till.organization_id, date(2024, 3, 31), **who)
        assert refused.value.reason == "CASH_LOCKED_FURTHER"
        for day in (date(2024, 4, 30), date(2024, 3, 31)):
            await cash.reopen(till.organization_id, day, **who)
        facts = await cash.facts(till.organization_id, date(2024, 3, 31))
        assert facts is not None
        assert facts.closed_until is None
