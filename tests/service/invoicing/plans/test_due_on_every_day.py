"""Four instalments paid early, late, in parts and twice: what is asked for is right on every single day."""

from datetime import date, timedelta

import pytest

from tallyport.invoicing.v1 import instalment_plans_pb2 as pb
from tallyport.invoicing.v1 import reservations_pb2
from tests.service.invoicing.office import Office, usd
from tests.service.invoicing.plans.test_instalment_plans import accept, allow, ask, get, look

_FIRST, _LAST = date(2026, 11, 22), date(2027, 3, 20)
_INSTALMENTS = {
    date(2026, 12, 1): 10_001,
    date(2027, 1, 1): 10_000,
    date(2027, 2, 1): 10_000,
    date(2027, 3, 1): 10_000,
}
_PLAN_DEBT = sum(_INSTALMENTS.values())


async def _due_items(office: Office, customer_id: str, until: date) -> int:
    """What automatic payments would collect by the end of a day."""
    request = reservations_pb2.ListDueItemsRequest(
        organization_id=office.organization_id, customer_ids=[customer_id], due_until=until.isoformat()
    )
    answer = await office.as_payments(office.open_items.ListDueItems, request)
    return sum(item.amount_due.minor_units for item in answer.items)


@pytest.mark.parametrize(
    "payments",
    [
        pytest.param(
            {
                date(2026, 11, 25): 4_000,  # early, in part
                date(2026, 12, 1): 6_001,  # the rest in time
                date(2027, 1, 3): 2_500,  # late, in part
                date(2027, 1, 6): 12_500,  # late, and half of the next one with it
                date(2027, 2, 6): 5_000,  # on the last day of the grace
                date(2027, 2, 27): 9_999,  # all but a cent
                date(2027, 3, 4): 1,
            },
            id="in-parts",
        ),
        pytest.param({date(2026, 11, 30): 10_001, date(2026, 12, 15): 30_000}, id="all-at-once"),
        pytest.param({date(2026, 12, 1): 10_001, date(2027, 1, 1): 9_999}, id="broken-for-a-cent"),
    ],
)
async def test_what_is_due_now_is_right_on_every_day(office: Office, payments: dict[date, int]) -> None:
    await allow(office, grace_days=5)
    customer = (await office.customer()).customer_id
    for cents, due_date in ((15_000, "2026-11-01"), (25_001, "2026-11-10")):
        await office.invoice(customer, cents, invoice_date="2026-10-01", due_date=due_date)
    plan = await accept(office, await ask(office, customer))
    paid, is_broken, day = 0, False, _FIRST
    while day <= _LAST:
        office.clock.advance(timedelta(days=1))
        await look(office)
        is_broken = is_broken or paid < _asked_by(day - timedelta(days=6))
        cents = payments.get(day, 0)
        for cents_before in (paid, paid + cents) if cents else (paid,):
            if cents_before > paid:
                await _pay(office, customer, cents, day)
            wanted = _PLAN_DEBT - cents_before if is_broken else max(0, _asked_by(day) - cents_before)
            shown = await office.plan(customer)
            assert sum(part.amount.minor_units for part in shown.parts) == wanted, day
            assert shown.payable.minor_units == _PLAN_DEBT - cents_before, day
            assert await _due_items(office, customer, day) == wanted, day
            assert await _listed(office, customer) == wanted, day
        paid += cents
        day += timedelta(days=1)
    state = (await get(office, plan.plan_id)).state
    ended = pb.INSTALMENT_PLAN_STATE_BROKEN if is_broken else pb.INSTALMENT_PLAN_STATE_COMPLETED
    assert (state, paid == _PLAN_DEBT) == (ended, not is_broken)
    assert await office.wrongs() == []


def _asked_by(day: date) -> int:
    return sum(cents for due_on, cents in _INSTALMENTS.items() if due_on <= day)


async def _listed(office: Office, customer_id: str) -> int:
    """What the invoices themselves say is to pay now."""
    listed = (await office.list_invoices(customer_id=customer_id)).invoices
    return sum(
        (one.instalment.asked_now if one.HasField("instalment") else one.amount_due).minor_units
        for one in listed
    )


async def _pay(office: Office, customer_id: str, cents: int, day: date) -> None:
    shown = await office.plan(customer_id, amount=usd(cents))
    parts = {part.invoice_id: part.amount.minor_units for part in shown.parts}
    await office.paid(f"pay_{day}_{customer_id}", customer_id, cents, parts)
