"""The invoice form: what is typed, what is wrong with it, what is sent."""

from typing import Any

import pytest

from services.gateway.console.invoice_entries import (
    InvoiceEntry,
    LineEntry,
    changed_lines,
    from_form,
    mistakes,
    refused,
    to_lines,
)
from services.gateway.web.forms import Form


def entry(*lines: LineEntry, **days: Any) -> InvoiceEntry:
    return InvoiceEntry(lines=lines, **days)


GOOD = LineEntry(description="Berth", quantity="2", unit_price="480,50", tax_rate_percent="5.5")


def test_lines_come_from_repeated_fields_in_their_order() -> None:
    form = Form(
        {
            "item_id": ["", "itm_1"],
            "description": ["Berth", ""],
            "quantity": ["2", "1"],
            "unit_price": ["480.50", ""],
            "tax_rate_percent": ["5.5", ""],
        }
    )
    assert [line.item_id or line.description for line in from_form(form).lines] == ["Berth", "itm_1"]


def test_a_decimal_comma_is_understood() -> None:
    (line,) = to_lines(entry(GOOD), "USD")
    assert line.unit_price.minor_units == 48_050


def test_empty_lines_are_not_sent() -> None:
    assert len(to_lines(entry(LineEntry(quantity="1"), GOOD, LineEntry()), "USD")) == 1


def test_an_item_alone_is_a_line_without_mistakes() -> None:
    assert mistakes(entry(LineEntry(item_id="itm_1")), "USD") == {}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (LineEntry(unit_price="5"), "description-0"),
        (LineEntry(description="Berth"), "unit_price-0"),
        (LineEntry(description="Berth", unit_price="5.001"), "unit_price-0"),
        (LineEntry(description="Berth", unit_price="-5"), "unit_price-0"),
        (LineEntry(description="Berth", unit_price="5", quantity="two"), "quantity-0"),
        (LineEntry(description="Berth", unit_price="5", tax_rate_percent="100"), "tax_rate_percent-0"),
        (LineEntry(), "description-0"),
    ],
)
def test_a_mistake_is_told_at_its_field(line: LineEntry, field: str) -> None:
    assert list(mistakes(entry(line), "USD")) == [field]


def test_a_due_date_before_the_invoice_date_is_a_mistake() -> None:
    wrong = mistakes(entry(GOOD, invoice_date="2026-11-21", due_date="2026-11-20"), "USD")
    assert list(wrong) == ["due_date"]


def test_a_line_can_be_added_and_removed_without_script() -> None:
    both = entry(GOOD, LineEntry(description="Mooring"))
    assert len(changed_lines(both, "add") or []) == 3
    assert changed_lines(both, "remove:0") == [LineEntry(description="Mooring")]
    assert changed_lines(entry(GOOD), "remove:0") == [LineEntry()]
    assert changed_lines(both, "review") is None


def test_a_refused_line_is_found_although_empty_lines_were_left_out() -> None:
    typed = entry(LineEntry(), GOOD, LineEntry(item_id="itm_gone"))
    assert refused({"lines[1].item_id": "There is no such item."}, typed) == {
        "item_id-2": "There is no such item."
    }
