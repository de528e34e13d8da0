"""What came in today and over the last 30 days."""

from collections.abc import Sequence
from datetime import date, timedelta

from chassis.caller import current_call
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.overview import CurrencyFigures, Overview
from services.payments.store import cases, lists
from services.payments.store.lists import DaySum

DAYS = 30


async def get_overview(desk: Desk) -> Overview:
    """The figures of the caller's organization."""
    async with desk.db.read(current_call().organization_id) as tx:
        organization = await cases.organization(tx)
        today = organization.day_of(tx.now())
        sums = await lists.received_since(tx, today - timedelta(days=DAYS - 1))
        failed = await lists.failed_since(tx, organization.moment_of(today))
        unfinished = await lists.count_unfinished(tx)
    currencies = sorted({entry.amount.currency for entry in sums} | set(failed))
    return Overview(
        today,
        [_figures(currency, today, sums, failed.get(currency, 0)) for currency in currencies],
        unfinished,
    )


def _figures(currency: str, today: date, sums: Sequence[DaySum], failed_today: int) -> CurrencyFigures:
    mine = {entry.day: entry for entry in sums if entry.amount.currency == currency}
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    zero = Money.zero(currency)
    return CurrencyFigures(
        today=mine[today].amount if today in mine else zero,
        payments_today=mine[today].payments if today in mine else 0,
        total=sum((mine[day].amount for day in days if day in mine), start=zero),
        days=[(day, mine[day].amount if day in mine else zero) for day in days],
        failed_today=failed_today,
    )
