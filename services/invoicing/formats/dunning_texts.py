"""What a reminder says, with its values put in as the reader writes them."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from chassis.money import Money, format_money
from services.invoicing.domain.dunning import DunningText, filled

_NOTHING_MORE: Final[Mapping[str, str]] = {"en": "none", "de": "keine", "nb": "ingen", "ar": "لا شيء"}


def wording(
    text: DunningText,
    *,
    number: str,
    amount: Money,
    due_date: date,
    deadline: date,
    fee: Money | None,
) -> str:
    """The text of a level for an invoice, in the text's own language."""
    locale = _known(text.locale)
    return filled(
        text.text,
        {
            "number": number,
            "amount": format_money(amount, locale),
            "due_date": format_date(due_date, "long", locale=_parse(locale)),
            "deadline": format_date(deadline, "long", locale=_parse(locale)),
            "fee": format_money(fee, locale)
            if fee
            else _NOTHING_MORE.get(_parse(locale).language, _NOTHING_MORE["en"]),
        },
    )


def _known(tag: str) -> str:
    try:
        _parse(tag)
    except (ValueError, UnknownLocaleError):
        return "en"
    return tag


def _parse(tag: str) -> Locale:
    return Locale.parse(tag.replace("-", "_"))
