"""The closed loop, and what it makes of failures."""

import asyncio

import pytest

from bench.ledgers import refuse_errors, rows_per_payment
from bench.load import ERRORS_MAX, closed_loop
from bench.processor_time import microseconds_per
from bench.results import NothingPrintedError


async def test_the_loop_keeps_so_many_in_flight_and_asks_for_each_item_once() -> None:
    running, most, asked = 0, 0, []

    async def ask(_: int, item: int) -> str | None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        asked.append(item)
        running -= 1
        return None

    window = await closed_loop(iter(range(50)), ask, in_flight=4, seconds=30)
    assert (most, sorted(asked), window.answers) == (4, list(range(50)), 50)


async def test_the_loop_gives_up_when_nothing_works() -> None:
    async def ask(_: int, item: int) -> str | None:
        return f"refused {item % 2}"

    window = await closed_loop(iter(range(10_000)), ask, in_flight=1, seconds=30)
    assert len(window.errors) == ERRORS_MAX
    with pytest.raises(NothingPrintedError, match="50 x refused 1"):
        refuse_errors("a figure", window)


async def test_a_window_without_answers_is_refused() -> None:
    async def ask(_: int, item: int) -> str | None:
        return None

    window = await closed_loop(iter([]), ask, in_flight=2, seconds=30)
    with pytest.raises(NothingPrintedError, match="nothing was answered"):
        refuse_errors("a figure", window)


def test_rows_of_a_payment_leave_out_tables_that_hardly_grow() -> None:
    before, after = {"payments": 5, "series": 10}, {"payments": 15, "series": 11, "lines": 20}
    assert rows_per_payment(before, after, 10) == {"lines": 2.0, "payments": 1.0}


def test_processor_time_is_told_for_each_piece_of_work() -> None:
    assert microseconds_per(100, {"a": 1.0}, {"a": 1.5, "b": 0.75, "c": 0.0}) == {"b": 7500, "a": 5000}
