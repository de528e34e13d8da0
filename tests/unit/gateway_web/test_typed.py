"""Numbers as people type them, in the portal and in the console alike."""

import pytest

from chassis.money import Money
from services.gateway.web.typed import plain_number, read_amount


@pytest.mark.parametrize("typed", ["12.50", "12,50", " 12.5 ", "١٢٫٥٠", "१२.५", "1\u00a02.50"])
def test_an_amount_is_read_in_the_digits_and_signs_of_any_script(typed: str) -> None:
    assert read_amount(typed, "EUR") == Money(1_250, "EUR")


@pytest.mark.parametrize("typed", ["", "a lot", "-1", "1,250.00", "1.2.3", "12.505", "1e3", "²"])
def test_what_may_be_meant_otherwise_is_no_amount(typed: str) -> None:
    assert read_amount(typed, "EUR") is None


def test_a_number_is_written_with_a_point() -> None:
    assert plain_number("٢٫٥") == "2.5"
