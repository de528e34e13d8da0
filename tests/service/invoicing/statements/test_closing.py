"""A period is closed after a look at it; then its figures stand, whatever comes later."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis import audit
from chassis.errors import ServiceError
from chassis.money import Money
from services.invoicing.cash_books import CashFact, CashFacts
from tallyport.invoicing.v1 import books_pb2 as pb
from tallyport.invoicing.v1 import invoices_pb2
from tests.service.invoicing.office import Office

OCTOBER = "2026-10-31"


async def checklist(office: Office, until: str = "") -> dict[str, pb.CloseCheck]:
    request = pb.GetCloseChecklistRequest(until=until)
    found = await office.call(office.books.GetCloseChecklist, request)
    return {pb.CloseCheckKind.Name(one.kind).split("_", 3)[3]: one for one in found.checks}


async def close(office: Office, until: str, *, key: str | None = None, **fields: str) -> pb.ClosedPeriod:
    request = pb.ClosePeriodRequest(until=until, **fields)
    return await office.call(office.books.ClosePeriod, request, key=key)


async def reopen(office: Office, until: str, **fields: Any) -> pb.ClosedPeriod:
    request = pb.ReopenPeriodRequest(until=until, reason="The supplier was wrong")
    return await office.call(office.books.ReopenPeriod, request, **fields)


async def closed_days(office: Office) -> tuple[str, list[str]]:
    """How far the receivables are closed, and all locks of the cash ledger."""
    found = await office.call(office.books.GetCloseChecklist, pb.GetCloseChecklistRequest())
    return found.closed.until, [day.isoformat() for day, _ in office.cash.closed]


async def balances(office: Office, until: str) -> dict[str, int]:
    request = pb.GetReceivablesTrialBalanceRequest(until=until)
    found = await office.call(office.books.GetReceivablesTrialBalance, request)
    assert found.balanced
    return {line.account: line.balance.minor_units for line in found.lines}


async def test_the_checklist_tells_what_is_left_to_do(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    invoice = await office.invoice(customer_id, 10_000)
    await office.draft(customer_id, 500)
    await office.paid("pay_1", customer_id, 12_500, {invoice.invoice_id: 10_000})
    other = await office.invoice(customer_id, 3_000)
    await office.reserve("pay_2", customer_id, {other.invoice_id: 3_000})
    found = await checklist(office, "2026-11-30")
    told = {
        name: (one.count, [money.minor_units for money in one.amounts], one.blocks)
        for name, one in found.items()
    }
    assert told == {
        "DRAFTS": (1, [500], True),
        "UNAPPLIED_CREDIT": (1, [2_500], False),
        "DISPUTES": (0, [], False),
        "PAYMENTS_UNDER_WAY": (1, [3_000], False),
        "SUSPENSE": (0, [], True),
        "BOOKS": (0, [], True),
        "TRIAL_BALANCE": (0, [], True),
        "UNMATCHED_RECEIPTS": (0, [], True),
        "UNCLEAR_PAYMENTS": (0, [], True),
        "CASH_AGREEMENT": (0, [], True),
    }
    assert list(found["DRAFTS"].found) == ["Blue Anchor Seafood"]


async def test_what_comes_late_counts_after_the_closed_period_whose_figures_stand(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    invoice = await office.invoice(customer_id, 10_000)
    today = office.clock.now().date()
    office.clock.advance(timedelta(days=1))
    before = await balances(office, today.isoformat())
    closed = await close(office, today.isoformat())
    assert (closed.until, closed.closed_by) == (today.isoformat(), "person:per_s")
    await office.paid("pay_late", customer_id, 4_000, {invoice.invoice_id: 4_000}, notify=False)
    assert await balances(office, today.isoformat()) == before
    after = await balances(office, (today + timedelta(days=1)).isoformat())
    assert after["cash_clearing"] == 4_000


async def test_what_blocks_is_closed_over_for_a_reason_only(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    await office.draft(customer_id, 500, invoice_date="2026-10-15", due_date="2026-11-15")
    with pytest.raises(ServiceError, match="drafts"):
        await close(office, OCTOBER)
    await close(office, OCTOBER, override_reason="It will not be sent")


async def test_a_period_is_closed_once_and_when_it_is_over(office: Office) -> None:
    await close(office, OCTOBER)
    for day, words in ((OCTOBER, "already"), ("2026-09-30", "already"), (str(date(2026, 11, 21)), "over")):
        with pytest.raises(ServiceError, match=words):
            await close(office, day)
    found = await office.call(office.books.GetCloseChecklist, pb.GetCloseChecklistRequest())
    assert (found.until, found.closed.until, found.ready) == (OCTOBER, OCTOBER, True)


async def test_what_payments_knows_is_asked_and_stands_in_the_way(office: Office) -> None:
    office.cash.facts_told = CashFacts(
        CashFact(2, [Money(9_000, "USD")], ["Nordkai", "Blue Anchor"]),
        CashFact(1, [Money(500, "USD")], ["pay_1"]),
    )
    office.cash.too_much = [Money(-250, "USD")]
    found = await checklist(office, OCTOBER)
    told = {name: (one.count, [money.minor_units for money in one.amounts]) for name, one in found.items()}
    assert told["UNMATCHED_RECEIPTS"] == (2, [9_000])
    assert list(found["UNMATCHED_RECEIPTS"].found) == ["Nordkai", "Blue Anchor"]
    assert told["UNCLEAR_PAYMENTS"] == (1, [500])
    assert told["CASH_AGREEMENT"] == (1, [-250])
    with pytest.raises(ServiceError, match="unmatched receipts, unclear payments, cash agreement"):
        await close(office, OCTOBER)
    assert office.cash.closed == []


async def test_the_cash_ledger_is_closed_with_the_receivables(office: Office) -> None:
    closed = await close(office, OCTOBER)
    assert closed.cash_until == OCTOBER
    assert office.cash.closed == [(date(2026, 10, 31), "person:per_s")]
    found = await office.call(office.books.GetCloseChecklist, pb.GetCloseChecklistRequest())
    assert found.closed.cash_until == OCTOBER


async def test_while_payments_is_away_nobody_says_that_all_is_well(office: Office) -> None:
    office.cash.is_away = True
    found = await checklist(office, OCTOBER)
    unknown = {name for name, one in found.items() if one.unknown}
    assert unknown == {"UNMATCHED_RECEIPTS", "UNCLEAR_PAYMENTS", "CASH_AGREEMENT"}
    with pytest.raises(ServiceError, match="CLOSE_BLOCKED"):
        await close(office, OCTOBER)
    request = pb.ClosePeriodRequest(until=OCTOBER, override_reason="The auditor waits")
    closed = await office.call(office.books.ClosePeriod, request, key="close")
    assert (closed.until, closed.cash_until) == (OCTOBER, "")
    office.cash.is_away = False  # the same again closes what had not heard of it
    assert (await office.call(office.books.ClosePeriod, request, key="close")).cash_until == OCTOBER


async def test_an_invoice_of_a_closed_period_needs_a_later_date(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    draft = await office.draft(customer_id, 500, invoice_date="2026-10-15", due_date="2026-11-15")
    await close(office, OCTOBER, override_reason="Its date will be changed")
    with pytest.raises(ServiceError, match="later invoice date") as refused:
        await office.finalize(draft.invoice_id)
    assert (refused.value.reason, refused.value.metadata["closed_until"]) == ("INVOICE_DATE_CLOSED", OCTOBER)
    request = invoices_pb2.UpdateInvoiceRequest(invoice_id=draft.invoice_id, invoice_date="2026-11-01")
    await office.call(office.invoices.UpdateInvoice, request)
    assert (await office.finalize(draft.invoice_id)).number


async def test_only_the_last_period_can_be_opened_again_and_says_why(office: Office) -> None:
    await close(office, "2026-09-30")
    await close(office, OCTOBER)
    for day in ("2026-09-30", "2026-08-31"):
        with pytest.raises(ServiceError, match="PERIOD_NOT_LAST"):
            await reopen(office, day)
    assert office.cash.closed[-1][0] == date(2026, 10, 31)
    assert (await reopen(office, OCTOBER, key="reopen")).until == "2026-09-30"
    assert (
        await reopen(office, OCTOBER, key="reopen")
    ).until == "2026-09-30"  # a repetition opens nothing more
    assert [day for day, _ in office.cash.closed] == [date(2026, 9, 30)]
    customer_id = (await office.customer()).customer_id
    await office.invoice(customer_id, 500, invoice_date="2026-10-15", due_date="2026-11-15")
    await close(office, OCTOBER)
    async with office.db.read(office.organization_id) as tx:
        rows = await tx.execute(text("SELECT record FROM audit_log WHERE action = 'books.period_reopened'"))
        (record,) = [json.loads(bytes(row.record)) for row in rows]
        assert await audit.verify(tx) is None
    assert (record["object_id"], record["reason"]) == (OCTOBER, "The supplier was wrong")


async def test_nothing_is_opened_while_payments_is_away(office: Office) -> None:
    await close(office, OCTOBER)
    office.cash.is_away = True
    with pytest.raises(ServiceError, match="PAYMENTS_AWAY"):
        await reopen(office, OCTOBER)
    found = await office.call(office.books.GetCloseChecklist, pb.GetCloseChecklistRequest())
    assert found.closed.until == OCTOBER


async def test_a_repeated_close_of_a_period_that_is_open_again_locks_nothing(office: Office) -> None:
    office.cash.is_away = True
    again = {"key": "close", "override_reason": "The auditor waits"}
    await close(office, OCTOBER, **again)
    office.cash.is_away = False
    await reopen(office, OCTOBER)
    assert (await close(office, OCTOBER, **again)).cash_until == ""
    assert await closed_days(office) == ("", [])
    await close(office, "2026-09-30")
    await close(office, OCTOBER, **again)
    assert await closed_days(office) == ("2026-09-30", ["2026-09-30"])


async def test_a_repeated_reopening_leaves_a_period_that_was_closed_again_closed(office: Office) -> None:
    await close(office, OCTOBER)
    await reopen(office, OCTOBER, key="reopen")
    assert await closed_days(office) == ("", [])
    await close(office, OCTOBER)
    assert (await reopen(office, OCTOBER, key="reopen")).until == ""
    assert await closed_days(office) == (OCTOBER, [OCTOBER])


async def test_a_refused_reopening_leaves_both_ledgers_closed(office: Office) -> None:
    await close(office, "2026-09-30")
    await reopen(office, "2026-09-30", key="reopen")
    await close(office, OCTOBER)
    with pytest.raises(ServiceError, match="IDEMPOTENCY_KEY_REUSED"):
        await reopen(office, OCTOBER, key="reopen")
    assert await closed_days(office) == (OCTOBER, [OCTOBER])


async def test_a_reopening_whose_answer_is_lost_leaves_both_ledgers_closed(office: Office) -> None:
    await close(office, OCTOBER)
    office.cash.loses_answers = True
    with pytest.raises(ServiceError, match="PAYMENTS_AWAY"):
        await reopen(office, OCTOBER)
    assert await closed_days(office) == (OCTOBER, [OCTOBER])


async def test_a_lock_of_the_cash_ledger_alone_is_named_and_nothing_is_opened(office: Office) -> None:
    await close(office, OCTOBER)
    await office.cash.close(office.organization_id, date(2026, 11, 15), closed_by="Anna")
    with pytest.raises(ServiceError, match="up to 2026-11-15 by itself") as refused:
        await reopen(office, OCTOBER)
    assert (refused.value.reason, refused.value.metadata["cash_until"]) == (
        "CASH_LOCKED_FURTHER",
        "2026-11-15",
    )
    assert await closed_days(office) == (OCTOBER, [OCTOBER, "2026-11-15"])
