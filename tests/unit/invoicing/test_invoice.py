"""Invoices: sums, tax once per rate, and what may happen when."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ServiceError
from chassis.money import Money
from services.invoicing.domain.invoice import Buyer, Invoice, Status
from services.invoicing.domain.pricing import Line, totals

NOW = datetime(2026, 11, 21, tzinfo=UTC)
BUYER = Buyer("Blue Anchor", (), "US", "")


def usd(cents: int) -> Money:
    return Money(cents, "USD")


def invoice(cents: int = 10_000, **fields: object) -> Invoice:
    nothing = usd(0)
    base = Invoice(
        invoice_id="inv_1", customer_id="cus_1", status=Status.DRAFT, number=None,
        invoice_date=date(2026, 11, 1), due_date=date(2026, 12, 1), subtotal=nothing, tax_total=nothing,
        total=nothing, paid=nothing, reserved=nothing, credited=nothing, buyer=BUYER, purchase_order_number="", memo="",
        external_id=None, disputed=nothing, version=1, event_version=0, created_at=NOW, finalized_at=None,
        paid_at=None,
    )  # fmt: skip
    filled = base.with_lines([Line("Rope", Decimal(1), usd(cents), Decimal(0))])
    return replace(filled, **fields)  # type: ignore[arg-type]


lines = st.builds(
    Line,
    description=st.just("x"),
    quantity=st.decimals("0", "9999", places=4),
    unit_price=st.integers(-1_000_000, 1_000_000).map(usd),
    tax_rate_percent=st.sampled_from([Decimal(text) for text in ("0", "6.25", "7", "8.875", "19")]),
)


def test_a_single_invoice_has_a_bound_so_that_sums_have_none() -> None:
    assert invoice(10**12).total == usd(10**12)
    with pytest.raises(ServiceError) as refused:
        invoice(10**12 + 1)
    assert [(one.field, one.code) for one in refused.value.fields] == [("lines", "too_large")]


@given(st.lists(lines, max_size=30))
def test_the_total_is_the_lines_and_the_tax_of_each_rate_rounded_once(items: list[Line]) -> None:
    sums = totals(items, "USD")
    assert sums.subtotal.minor_units == sum(line.amount.minor_units for line in items)
    assert sums.total == sums.subtotal + sums.tax_total
    assert sum(tax.taxable.minor_units for tax in sums.taxes) == sums.subtotal.minor_units
    for tax in sums.taxes:
        exact = Fraction(tax.taxable.minor_units) * Fraction(tax.rate_percent) / 100
        assert abs(tax.tax.minor_units - exact) <= Fraction(1, 2)


@given(st.lists(lines, max_size=30), st.randoms())
def test_the_order_of_lines_does_not_matter(items: list[Line], random: object) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert totals(shuffled, "USD") == totals(items, "USD")


@given(st.lists(lines, max_size=10))
def test_a_credit_mirrors_its_charge(items: list[Line]) -> None:
    mirrored = [replace(line, unit_price=-line.unit_price) for line in items]
    assert totals(mirrored, "USD").total == -totals(items, "USD").total


def test_tax_is_rounded_half_up_on_the_sum_and_not_line_by_line() -> None:
    rate = Decimal("10")
    sums = totals([Line("a", Decimal(1), usd(5), rate), Line("b", Decimal(1), usd(5), rate)], "USD")
    assert sums.tax_total == usd(1)
    assert totals([Line("a", Decimal(1), usd(5), rate)], "USD").tax_total == usd(1)
    assert totals([Line("a", Decimal(1), usd(4), rate)], "USD").tax_total == usd(0)
    assert Line("half", Decimal("0.5"), usd(5), rate).amount == usd(3)


def test_a_line_in_another_currency_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        totals([Line("a", Decimal(1), Money(1, "EUR"), Decimal(0))], "USD")


def test_a_draft_becomes_final_once_and_only_with_something_to_pay() -> None:
    final = invoice().finalized("INV-1", BUYER, NOW)
    assert (final.status, final.number, final.version, final.event_version) == (Status.OPEN, "INV-1", 2, 1)
    for wrong, reason in ((final, "INVOICE_NOT_DRAFT"), (invoice(0), "INVOICE_TOTAL_NOT_POSITIVE")):
        with pytest.raises(ServiceError, match=reason):
            wrong.finalized("INV-2", BUYER, NOW)
    with pytest.raises(ServiceError, match="INVOICE_NOT_DRAFT"):
        final.with_lines([])


def test_only_an_open_invoice_without_money_can_be_voided() -> None:
    final = invoice().finalized("INV-1", BUYER, NOW)
    assert final.voided().due == usd(0)
    paid = final.settle(usd(1), reserved=usd(0), at=NOW)
    for wrong in (invoice(), paid, final.voided(), final.settle(usd(10_000), reserved=usd(0), at=NOW)):
        with pytest.raises(ServiceError, match="INVOICE_NOT_VOIDABLE"):
            wrong.voided()
    with pytest.raises(ServiceError, match="INVOICE_BEING_PAID"):
        final.reserve(usd(1)).voided()


def test_overdue_follows_from_the_day_and_ends_with_the_payment() -> None:
    final = invoice().finalized("INV-1", BUYER, NOW)
    assert [final.days_overdue(date(2026, 12, day)) for day in (1, 2, 11)] == [0, 1, 10]
    paid = final.settle(usd(10_000), reserved=usd(0), at=NOW)
    assert (paid.status, paid.days_overdue(date(2027, 1, 1))) == (Status.PAID, 0)
    assert invoice().days_overdue(date(2027, 1, 1)) == 0
