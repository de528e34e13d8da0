"""A period is closed after a look at it; then its figures stand, whatever comes later."""

from datetime import date, timedelta

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import books_pb2 as pb
from tests.service.invoicing.office import Office

OCTOBER = "2026-10-31"


async def checklist(office: Office, until: str = "") -> dict[str, pb.CloseCheck]:
    request = pb.GetCloseChecklistRequest(until=until)
    found = await office.call(office.books.GetCloseChecklist, request)
    return {pb.CloseCheckKind.Name(one.kind).split("_", 3)[3]: one for one in found.checks}


async def close(office: Office, until: str, **fields: str) -> pb.ClosedPeriod:
    return await office.call(office.books.ClosePeriod, pb.ClosePeriodRequest(until=until, **fields))


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
