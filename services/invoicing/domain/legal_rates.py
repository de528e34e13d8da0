"""Rates that change by law, each in force from a day until the next one of its name.

What comes with the product names its day and its source. Staff add newer ones; nothing is guessed for days to come, but
a rate that may have changed meanwhile is named, so that somebody looks it up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

DE_BASE_RATE: Final = "de_base_rate"
"""BGB section 247, in percent a year. It changes on 1 January and 1 July; the Bundesbank announces it."""
NO_LATE_INTEREST: Final = "no_late_interest"
"""Forsinkelsesrenteloven section 3, in percent a year. It changes on 1 January and 1 July, by regulation."""
NO_COLLECTION_RATE: Final = "no_collection_rate"
"""Inkassosatsen of inkassoforskriften section 1-1, in kroner. It changes on 1 January, if at all."""
_CHANGES: Final = {DE_BASE_RATE: (1, 7), NO_LATE_INTEREST: (1, 7), NO_COLLECTION_RATE: (1,)}
NAMES: Final = frozenset(_CHANGES)
PERCENT: Final = frozenset({DE_BASE_RATE, NO_LATE_INTEREST})


@dataclass(frozen=True, slots=True)
class LegalRate:
    """A rate, from when it is in force, and who published it."""

    name: str
    valid_from: date
    value: Decimal
    source: str
    is_built_in: bool = False


def _built_in(name: str, valid_from: date, value: str, source: str) -> LegalRate:
    return LegalRate(name, valid_from, Decimal(value), source, is_built_in=True)


BUILT_IN: Final = (
    _built_in(DE_BASE_RATE, date(2025, 7, 1), "1.27", "Deutsche Bundesbank, Basiszinssatz zum 1. Juli 2025"),
    _built_in(
        DE_BASE_RATE, date(2026, 1, 1), "1.27", "Deutsche Bundesbank, Basiszinssatz zum 1. Januar 2026"
    ),
    _built_in(NO_LATE_INTEREST, date(2025, 1, 1), "12.5", "Finanstilsynet, forsinkelsesrente 1. halvår 2025"),
    _built_in(NO_LATE_INTEREST, date(2026, 1, 1), "12", "Finanstilsynet, forsinkelsesrente 1. halvår 2026"),
    _built_in(NO_COLLECTION_RATE, date(2017, 1, 1), "700", "Inkassoforskriften § 1-1, 1. januar 2017"),
    _built_in(NO_COLLECTION_RATE, date(2026, 1, 1), "750", "Inkassoforskriften § 1-1, 1. januar 2026"),
)


class LegalRates:
    """What is known of the rates; of two for the same name and day the one that was set here holds."""

    def __init__(self, set_here: Iterable[LegalRate] = ()) -> None:
        known = {(one.name, one.valid_from): one for one in (*BUILT_IN, *set_here)}
        self.all: Sequence[LegalRate] = sorted(known.values(), key=lambda one: (one.name, one.valid_from))

    def on(self, name: str, day: date) -> LegalRate:
        """The one in force on a day; the oldest that is known for days before."""
        mine = [one for one in self.all if one.name == name]
        return next((one for one in reversed(mine) if one.valid_from <= day), mine[0])

    def spans(self, name: str, first: date, last: date) -> list[tuple[int, Decimal]]:
        """(days, rate) from the first day to the last one, both counted, with each rate that was in force."""
        found: list[tuple[int, Decimal]] = []
        day = first
        while day <= last:
            later = [one.valid_from for one in self.all if one.name == name and one.valid_from > day]
            until = min([last, *(one - timedelta(days=1) for one in later)])
            found.append(((until - day).days + 1, self.on(name, day).value))
            day = until + timedelta(days=1)
        return found

    def to_check(self, today: date) -> list[str]:
        """Names of rates for which a day has come, since the newest one, on which the law may have changed them."""
        return sorted(
            name for name in NAMES if self.on(name, date.max).valid_from < _last_change(name, today)
        )


def _last_change(name: str, today: date) -> date:
    return max(date(today.year, month, 1) for month in _CHANGES[name] if month <= today.month)
