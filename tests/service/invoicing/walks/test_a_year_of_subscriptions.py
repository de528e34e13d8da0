"""A year of a business of subscriptions: the same books each time, and those that a spreadsheet comes to as well."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
import pytest_asyncio

from chassis.clock import FrozenClock
from chassis.database import Database
from tests.service.invoicing.walks.model import Book
from tests.service.invoicing.walks.story import FIRST_DAY, LAST_DAY
from tests.service.invoicing.walks.subscriptions import DAY, Row, half_up
from tests.service.invoicing.walks.walk import Year, played, replay, walk
from tests.support.database import DatabaseUrls

SEEDS = {1: date(2027, 9, 30), 2: date(2027, 2, 28)}
"""How long the year of each is walked here; `-m chaos` walks these and more of them to the end."""
pytestmark = pytest.mark.xdist_group("a-year-of-subscriptions")
"""The years are walked once for all of these."""


async def _year(urls: DatabaseUrls, seed: int, *, until: date = LAST_DAY) -> Year:
    """A year on a clock of its own; jobs look at this organization only."""
    clock = FrozenClock(datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 16, tzinfo=UTC))
    db = Database(urls.app, pool_size=2, name="invoicing", clock=clock, test_clocks=True)
    await db.open()
    try:
        return await walk(db, seed, until=until)
    finally:
        await db.close()


@pytest_asyncio.fixture(scope="module")
async def years(invoicing_urls: DatabaseUrls) -> AsyncIterator[list[Year]]:
    """A year by each seed."""
    yield [await _year(invoicing_urls, seed, until=until) for seed, until in SEEDS.items()]


async def test_the_model_agrees_at_the_end_of_every_month(years: list[Year]) -> None:
    for year in years:
        assert max(year.sheets) == SEEDS[year.seed]
        assert replay(year, Book) == [], "the tape tells all"
        assert year.wrongs == []


async def test_everything_that_can_happen_did(years: list[Year]) -> None:
    """A walk in which nobody pays late or breaks a plan would prove nothing."""
    year = years[0]
    done = [action for _, actions in year.tape for action in actions]
    assert {name for name, _ in done} == {
        "announce", "begin_plan", "cancel", "change_price", "change_quantity", "claim", "credit_note", "dispute",
        "give_back", "give_up", "hold", "pause", "pause_reminders", "promise", "receive", "release", "report_usage",
        "resume", "settle_dispute", "waive", "write_off",
    }  # fmt: skip
    book = played(year, Book)
    assert {plan["state"] for plan in book.plans.values()} == {"completed", "broken"}
    assert {one["kind"] for one in book.invoices.values()} == {"invoice", "late_fee", "fee"}
    kinds = {one["kind"] for one in book.adjustments}
    assert kinds == {"credit_note", "early_discount", "hardship_discount"}
    assert any(name == "receive" and fields.get("credit") for name, fields in done)
    written_off = {fields["label"] for name, fields in done if name == "write_off"}
    paid = [label for name, fields in done if name == "receive" for label, _ in fields["parts"]]
    assert written_off & set(paid), "some of it came after all"
    assert {one["reminders"] for one in book.invoices.values()} == {0, 1, 2, 3}
    reasons = {why for one in book.invoices.values() for _, _, why in one["said"]}
    assert reasons == {
        "", "autopay", "claimed", "credit_covers", "disputed", "on_hold", "on_plan", "paused", "promised",
    }  # fmt: skip
    assert {one["state"] for one in book.promises.values()} >= {"kept", "broken"}
    assert len(book.invoices) > 120


@pytest.mark.parametrize(
    "until",
    [
        pytest.param(date(2027, 1, 31), id="two-months"),
        pytest.param(SEEDS[1], id="all-of-it", marks=pytest.mark.chaos),
    ],
)
async def test_the_same_seed_makes_the_same_books_to_the_byte_and_another_seed_others(
    invoicing_urls: DatabaseUrls, years: list[Year], until: date
) -> None:
    first, other = years
    again = await _year(invoicing_urls, first.seed, until=until)
    assert again.fingerprints == {day: one for day, one in first.fingerprints.items() if day <= until}
    assert again.tape == [one for one in first.tape if one[0] <= until]
    assert not set(again.fingerprints.values()) & set(other.fingerprints.values())


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(1, 22))
async def test_the_model_agrees_whatever_the_luck(invoicing_urls: DatabaseUrls, seed: int) -> None:
    year = await _year(invoicing_urls, seed)
    assert year.wrongs == []


class _RoundsDown(Book):
    """Net sums of reductions are cut, not rounded."""

    def net_of(self, invoice: Row, cents: int) -> int:
        return int(cents * invoice["net"] // invoice["total"])


class _DiscountsADayLonger(Book):
    def early_offer(self, invoice: Row) -> int:
        today, self.today = self.today, self.today - DAY
        offer = super().early_offer(invoice)
        self.today = today
        return offer


class _AsksADayLate(Book):
    """Instalments are asked for a day late."""

    def demanded(self, plan: Row, day: date) -> int:
        return super().demanded(plan, day - DAY)


class _ChargesWholePeriods(Book):
    """Quantities and pauses count from the next period on."""

    def cost(self, row: Row, line: Row, number: int) -> int:
        start = self.boundary(row, number)
        return int(self.at(line["price"], start) * self.at(line["quantity"], start))


class _NoticesPricesLate(Book):
    def change_price(self, *, schedule: str, cents: int, since: date) -> None:
        super().change_price(schedule=schedule, cents=cents, since=since + DAY)


class _InterestOfWholeMonths(Book):
    def late_fee(self, invoice: Row, policy: Row, owed: int, day: date) -> int:
        if not policy["by_year"]:
            return super().late_fee(invoice, policy, owed, day)
        return half_up(Fraction(owed * policy["percent"], 100 * 12))


class _BillsUsageByOneTier(Book):
    def usage(self, line: Row, until: date, price: int) -> list[int]:
        return [sum(super().usage({**line, "tiers": None}, until, price))]


class _KeepsReturnedMoney(Book):
    def give_back(self, *, payment: str, fee: int) -> None:
        super().give_back(payment=payment, fee=0)


class _LosesCredit(Book):
    """What was paid of an invoice that is credited is not given back."""

    def credit_note(self, *, label: str, cents: int) -> None:
        super().credit_note(label=label, cents=min(cents, self.left(self.invoices[label])))


class _RemindsADayEarly(Book):
    def reminder_day(self, invoice: Row, level: Row) -> date:
        return super().reminder_day(invoice, level) - DAY


class _RemindsOfInstalmentPlans(Book):
    """A plan that is kept stops late fees, but not reminders."""

    def silence(self, invoice: Row, day: date) -> str:
        why = super().silence(invoice, day)
        return "" if why == "on_plan" else why


class _TrustsBrokenPlans(Book):
    """Nobody looks whether the instalments come."""

    def is_on_track(self, plan: Row, day: date) -> bool:
        return bool(plan["state"] == "active")


class _BreaksPromisesWithoutGrace(Book):
    def outcome(self, promise: Row, received: int, owed: int, day: date) -> str:
        return super().outcome(promise, received, owed, day + timedelta(days=self.rules["plan_grace"]))


class _RemindsWhoeverIsHeld(Book):
    def hold(self, *, customer: str) -> None:
        """Hardship is no reason to be quiet."""

    def release(self, *, customer: str) -> None:
        """There was no hold."""


class _ForgetsClaims(Book):
    def claim(self, *, claim: str, label: str, until: date) -> None:
        """Who says that the money is on its way is not believed."""


class _FallsDueByDays(Book):
    def due_on(self, terms: Row, on: date) -> date:
        return on + timedelta(days=terms["days"])


@pytest.mark.parametrize("wrong", [
    _RoundsDown, _DiscountsADayLonger, _AsksADayLate, _ChargesWholePeriods, _NoticesPricesLate,
    _InterestOfWholeMonths, _BillsUsageByOneTier, _KeepsReturnedMoney, _LosesCredit, _RemindsADayEarly, _FallsDueByDays,
    _RemindsOfInstalmentPlans, _TrustsBrokenPlans, _BreaksPromisesWithoutGrace, _RemindsWhoeverIsHeld, _ForgetsClaims,
])  # fmt: skip
def test_a_model_with_one_wrong_rule_does_not_agree(years: list[Year], wrong: type[Book]) -> None:
    """Negative control: the comparison sees each of these mistakes."""
    assert any(replay(year, wrong) for year in years)
