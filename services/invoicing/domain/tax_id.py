"""Tax ids, checked by the rules of the country that gave them."""

import re
from dataclasses import dataclass

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from chassis.errors import ServiceError, invalid

VAT, OTHER = "vat", "other"
_PLAIN = re.compile(r"[A-Z0-9][A-Z0-9 ./&-]{1,38}", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s.]+")
_EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)

_NAMED_IN_VAT = frozenset({"CH", "GB", "NO"})
"""More countries whose VAT numbers begin with their code."""


@dataclass(frozen=True, slots=True)
class TaxId:
    """A tax id: the country that gave it, what it is (vat, ein, abn, other), and its compact value."""

    country: str
    kind: str
    value: str

    @property
    def label(self) -> str:
        """Country and kind in one word: eu_vat, us_ein, gb_vat."""
        if self.kind == VAT and self.country in _EU:
            return "eu_vat"
        return f"{self.country.lower()}_{self.kind}"


def checked_tax_id(country: str, kind: str, value: str, *, field: str = "tax_ids") -> TaxId:
    """The id in its compact form. VALIDATION_FAILED with what is wrong: the kind, the length or the check digit."""
    kind = kind or VAT
    module = None if kind == OTHER else get_cc_module(country.lower(), kind)
    if module is None or not hasattr(module, "validate"):
        if kind not in (VAT, OTHER):
            raise invalid(f"{field}.type", "unknown", f"No tax id of {country} is called “{kind}”.")
        if not _PLAIN.fullmatch(value):
            raise _wrong(field, country, kind)
        return TaxId(country, kind, _SEPARATORS.sub("", value).upper())
    try:
        compact = str(module.validate(value))
    except ValidationError as error:
        raise _wrong(field, country, kind, str(error)) from None
    except (ValueError, TypeError, LookupError):  # a rule of the library that met signs it does not expect
        raise _wrong(field, country, kind) from None
    prefix = "EL" if country == "GR" else country
    if kind == VAT and country in _EU and not compact.startswith(prefix):
        compact = prefix + compact
    return TaxId(country, kind, compact)


def read_tax_id(text: str, country: str, *, field: str) -> TaxId | None:
    """The id that a text of somebody in a country means, checked as its own signs say; None where nobody can say whose
    it is. VALIDATION_FAILED for what is none.
    """
    prefix = "GR" if text[:2].upper() == "EL" else text[:2].upper()
    if prefix in _EU | _NAMED_IN_VAT:
        return checked_tax_id(prefix, VAT, text, field=field)
    if not any(sign.isdigit() for sign in text):
        raise _wrong(field, country or "any country", OTHER)
    if country in _EU:
        try:
            return checked_tax_id(country, VAT, text, field=field)
        except ServiceError:  # a number of the tax office, which has no check that holds everywhere
            pass
    return checked_tax_id(country, OTHER, text, field=field) if country else None


def _wrong(field: str, country: str, kind: str, why: str = "") -> ServiceError:
    name = "VAT number" if kind == VAT else kind.upper() if kind != OTHER else "tax id"
    return invalid(f"{field}.value", "tax_id", f"This is not a {name} of {country}. {why}".strip())
