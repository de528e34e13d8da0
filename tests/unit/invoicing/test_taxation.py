"""The tax port: lines take what their taxation says, the built-in table or any other."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from chassis.errors import ServiceError
from chassis.money import Money
from services.invoicing.domain.billing import TaxTreatment
from services.invoicing.domain.invoice_draft import LineDraft, fill_lines
from services.invoicing.domain.pricing import Tax, TaxCategory
from services.invoicing.domain.tax_table import TaxRate, without_tax
from services.invoicing.domain.taxation import TableTaxation

_DAY = date(2026, 11, 21)
_STATE = Tax("State tax", Decimal("6.25"), TaxCategory.STANDARD)
_COUNTY = Tax("County tax", Decimal("2"), TaxCategory.STANDARD)


@dataclass(frozen=True)
class Platform:
    """What a tax platform said of one address, by tax code."""

    day: date
    said: dict[str, tuple[Tax, ...]]

    def by_code(self, code: str) -> tuple[Tax, ...] | None:
        return self.said.get(code)

    def by_rate(self, rate_percent: Decimal) -> tuple[Tax, ...]:
        return ()


def _line(**fields: object) -> LineDraft:
    values = {
        "item_id": "", "description": "Rope", "quantity": Decimal(1), "unit_price": Money(10_000, "USD"),
        "tax_rate_percent": None, **fields,
    }  # fmt: skip
    return LineDraft(**values)  # type: ignore[arg-type]


def test_a_platform_stands_in_the_place_of_the_table() -> None:
    platform = Platform(_DAY, {"P0000000": (_STATE, _COUNTY)})
    (line,) = fill_lines([_line(tax_code="P0000000")], {}, "USD", platform)
    assert (line.taxes, line.tax_rate_percent) == ((_STATE, _COUNTY), Decimal("8.25"))
    with pytest.raises(ServiceError) as refused:
        fill_lines([_line(tax_code="unheard-of")], {}, "USD", platform)
    assert [one.field for one in refused.value.fields] == ["lines[0].tax_code"]


@pytest.mark.parametrize("treatment", [TaxTreatment.REVERSE_CHARGE, TaxTreatment.EXEMPT])
def test_a_rate_on_a_line_is_not_for_buyers_who_bear_no_tax(treatment: TaxTreatment) -> None:
    relief = without_tax(treatment, "", seller_country="DE", buyer_country="AT")
    assert relief is not None
    (line,) = fill_lines([_line(tax_rate_percent=Decimal(19))], {}, "USD", TableTaxation(_DAY, relief=relief))
    assert (line.taxes, line.tax_rate_percent) == ((relief,), Decimal(0))


def test_what_staff_said_of_a_line_goes_before_every_source() -> None:
    platform = Platform(_DAY, {"P0000000": (_STATE,)})
    table = TableTaxation(_DAY, [TaxRate(code="P0000000", name="State", taxes=(_STATE,), valid_from=_DAY)])
    for source in (platform, table):
        (line,) = fill_lines([_line(tax_code="P0000000", tax_rate_percent=Decimal(5))], {}, "USD", source)
        assert (line.taxes, line.tax_rate_percent) == ((), Decimal(5))
