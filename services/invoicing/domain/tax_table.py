"""Tax codes and what they mean on a day: the organization's own ones, and a built-in table of value added tax.

Built-in rates are those that the tax authorities of the countries publish; an organization's own code of the same name
goes before them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.invoicing.domain.billing import TaxTreatment
from services.invoicing.domain.pricing import Tax, TaxCategory

EUROPEAN_UNION = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
        "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    }
)  # fmt: skip
_ALWAYS = date(2000, 1, 1)
_STANDARD: Mapping[str, tuple[tuple[date, str], ...]] = {
    "AT": ((_ALWAYS, "20"),), "BE": ((_ALWAYS, "21"),), "BG": ((_ALWAYS, "20"),), "CH": ((date(2024, 1, 1), "8.1"),),
    "CY": ((_ALWAYS, "19"),), "CZ": ((_ALWAYS, "21"),), "DE": ((_ALWAYS, "19"),), "DK": ((_ALWAYS, "25"),),
    "EE": ((date(2024, 1, 1), "22"), (date(2025, 7, 1), "24")), "ES": ((_ALWAYS, "21"),),
    "FI": ((_ALWAYS, "24"), (date(2024, 9, 1), "25.5")), "FR": ((_ALWAYS, "20"),), "GB": ((_ALWAYS, "20"),),
    "GR": ((_ALWAYS, "24"),), "HR": ((_ALWAYS, "25"),), "HU": ((_ALWAYS, "27"),), "IE": ((_ALWAYS, "23"),),
    "IT": ((_ALWAYS, "22"),), "LT": ((_ALWAYS, "21"),), "LU": ((date(2024, 1, 1), "17"),), "LV": ((_ALWAYS, "21"),),
    "MT": ((_ALWAYS, "18"),), "NL": ((_ALWAYS, "21"),), "NO": ((_ALWAYS, "25"),), "PL": ((_ALWAYS, "23"),),
    "PT": ((_ALWAYS, "23"),), "RO": ((_ALWAYS, "19"), (date(2025, 8, 1), "21")), "SE": ((_ALWAYS, "25"),),
    "SI": ((_ALWAYS, "22"),), "SK": ((_ALWAYS, "20"), (date(2025, 1, 1), "23")),
}  # fmt: skip
_REDUCED: Mapping[str, tuple[tuple[date, str], ...]] = {
    "AT": ((_ALWAYS, "10"),), "BE": ((_ALWAYS, "6"),), "CH": ((date(2024, 1, 1), "2.6"),), "DE": ((_ALWAYS, "7"),),
    "ES": ((_ALWAYS, "10"),), "FR": ((_ALWAYS, "5.5"),), "GB": ((_ALWAYS, "5"),), "IT": ((_ALWAYS, "10"),),
    "NL": ((_ALWAYS, "9"),), "PL": ((_ALWAYS, "8"),),
}  # fmt: skip
STANDARD = "standard"
REDUCED = "reduced"
ZERO = "zero"
EXPORT = "export"
OUTSIDE_SCOPE = "outside-scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """What a tax code means from a day on. Several taxes are all due on the same sum, as a state's and a county's."""

    code: str
    name: str
    taxes: tuple[Tax, ...]
    valid_from: date
    is_built_in: bool = False

    @property
    def rate_percent(self) -> Decimal:
        return sum((tax.rate_percent for tax in self.taxes), Decimal(0))


def built_in(country: str) -> list[TaxRate]:
    """The table of a seller's country: standard and reduced rate, and codes that everybody has."""
    found = [
        TaxRate(
            code=code, name=name, valid_from=since, is_built_in=True,
            taxes=(Tax("", Decimal(rate), TaxCategory.STANDARD),),
        )
        for code, name, table in ((STANDARD, "Standard rate", _STANDARD), (REDUCED, "Reduced rate", _REDUCED))
        for since, rate in table.get(country, ())
    ]  # fmt: skip
    for code, name, category, reason in (
        (ZERO, "Zero rated", TaxCategory.ZERO, ""),
        (EXPORT, "Export outside the tax area", TaxCategory.EXPORT, "Export, free of tax"),
        (OUTSIDE_SCOPE, "Outside the scope of tax", TaxCategory.OUTSIDE_SCOPE, "Not subject to tax"),
    ):
        tax = Tax("", Decimal(0), category, reason)
        found.append(TaxRate(code=code, name=name, valid_from=_ALWAYS, taxes=(tax,), is_built_in=True))
    return found


def rate_of(code: str, day: date, rates: Iterable[TaxRate]) -> TaxRate | None:
    """What a code means on a day: the newest of the organization's own, else the newest built-in one."""
    known = [one for one in rates if one.code == code and one.valid_from <= day]
    return max(known, key=lambda one: (not one.is_built_in, one.valid_from), default=None)


def without_tax(
    treatment: TaxTreatment, certificate: str, *, seller_country: str, buyer_country: str
) -> Tax | None:
    """The one tax of a buyer who bears none; None for one who is taxed like everybody.

    Reverse charge within the European Union is article 196 of directive 2006/112/EC.
    """
    if treatment is TaxTreatment.EXEMPT:
        reason = f"Exempt, certificate {certificate}" if certificate else "Exempt"
        return Tax("", Decimal(0), TaxCategory.EXEMPT, reason)
    if treatment is not TaxTreatment.REVERSE_CHARGE:
        return None
    within = {seller_country, buyer_country} <= EUROPEAN_UNION
    reason = "Reverse charge, article 196 of directive 2006/112/EC" if within else "Reverse charge"
    return Tax("", Decimal(0), TaxCategory.REVERSE_CHARGE, reason)
