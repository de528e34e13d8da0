"""What lines came to adds up to what there was to pay."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.invoicing.domain.invoice import Buyer, new_draft
from services.invoicing.domain.line_price import prices
from services.invoicing.domain.pricing import Line

_DRAFT = new_draft(
    invoice_id="inv_1", customer_id="cus_1", currency="EUR", buyer=Buyer("Ada", (), "DE", ""),
    invoice_date=date(2026, 1, 1), due_date=date(2026, 1, 1), created_at=datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip
_LINES = st.builds(
    Line,
    description=st.just("Screws"),
    quantity=st.decimals(min_value="0.0001", max_value=999, places=4),
    unit_price=st.integers(-9_999, 99_999).map(lambda units: Money(units, "EUR")),
    tax_rate_percent=st.sampled_from([Decimal(0), Decimal(7), Decimal("8.875"), Decimal(19)]),
)


@given(st.lists(_LINES, min_size=1, max_size=12))
def test_the_lines_of_an_invoice_add_up_to_its_total(lines: list[Line]) -> None:
    invoice = _DRAFT.with_lines(lines)
    assert sum(prices(invoice), Money.zero("EUR")) == invoice.total


def test_tax_that_is_rounded_once_falls_on_the_lines_within_a_cent() -> None:
    line = Line("Stamp", Decimal(1), Money(10, "EUR"), Decimal(19))
    invoice = replace(_DRAFT.with_lines([line] * 3), invoice_id="inv_2")
    assert [price.minor_units for price in prices(invoice)] == [12, 12, 12]
    assert invoice.total == Money(36, "EUR")
