"""What a payer may type, and when a form is not paid."""

import pytest

from chassis.money import Money
from services.gateway.portal import paying
from services.gateway.web.forms import Form
from services.gateway.web.page import local_path

BEFORE = {"figure_credit": "0", "shown_card": "12500", "way": "card"}


def entries(
    entered: str = "125.00", *, currency: str = "USD", most: str = "12500", **fields: str
) -> paying.Entries:
    sent = (
        {"invoice": "inv_1", "amount_inv_1": entered, "version_inv_1": "3", "most_inv_1": most}
        | BEFORE
        | fields
    )
    return paying.submitted(Form.of(sent.items()), currency)


@pytest.mark.parametrize(
    ("entered", "units"),
    [("125.00", 12_500), ("125", 12_500), ("0.01", 1), ("12,5", 1_250), ("١٢٫٥٠", 1_250), (" 7.5 ", 750)],
)
def test_amounts_are_understood_as_typed(entered: str, units: int) -> None:
    result = entries(entered)
    assert not result.has_errors
    assert result.total() == Money(units, "USD")


@pytest.mark.parametrize(
    "entered", ["", "abc", "1.234", "1,234", "1,2,3", "-5", "0", "0.00", "125.01", "1e3", "²", "NaN"]
)
def test_what_is_not_a_payable_amount_is_refused_with_a_sentence(entered: str) -> None:
    result = entries(entered)
    assert result.has_errors
    assert result.lines["inv_1"].error


def test_the_version_that_was_shown_comes_back() -> None:
    assert entries().lines["inv_1"].version == 3


def test_currencies_without_minor_units_take_whole_amounts() -> None:
    assert entries("1200", currency="JPY").total() == Money(1_200, "JPY")
    assert entries("12.5", currency="JPY").has_errors


def test_a_thousand_that_was_typed_is_a_thousand() -> None:
    assert entries("1,000", most="250000").total() == Money(100_000, "USD")
    assert entries("1.000", most="250000").has_errors


def test_what_was_shown_is_charged_while_nothing_was_changed() -> None:
    shown = entries(shown_card="12875", figure_credit="500")
    shown = entries(shown_card="12875", figure_credit="500", basis=paying.basis_of(shown))
    assert paying.shown_as_entered(shown, "USD") == Money(12_875, "USD")


@pytest.mark.parametrize("changed", [{"entered": "10"}, {"keep_credit": "yes"}, {"way": "redirect"}])
def test_figures_that_nobody_has_seen_are_shown_first(changed: dict[str, str]) -> None:
    basis = paying.basis_of(entries())
    assert paying.shown_as_entered(entries(basis=basis), "USD") == Money(12_500, "USD")
    assert paying.shown_as_entered(entries(**{"basis": basis, **changed}), "USD") is None


@pytest.mark.parametrize(
    "text",
    [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "javascript:x",
        "",
        "/a\r\nSet-Cookie: x",
        "/" + "a" * 900,
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(text: str) -> None:
    assert local_path(text) == "/"


def test_a_path_of_ours_is_kept() -> None:
    assert local_path("/pay?invoice=inv_1") == "/pay?invoice=inv_1"
