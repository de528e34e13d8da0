"""What all formats share: decoding, amounts, days, and how a wrong file is refused."""

import calendar
import codecs
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chassis.errors import FieldError, Kind, ServiceError
from chassis.money import Money, exponent_of
from services.payments.domain.csv_mapping import CsvMapping

MOST_LINES = 50_000
LONGEST_TEXT = 2_000
LARGEST_AMOUNT_MINOR_UNITS = 10**15
LONGEST_NAME = 140
LONGEST_REFERENCE = 140
_BOMS: Mapping[bytes, str] = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_PLAIN_AMOUNT = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,12})?|[+-]?\.\d{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What a file may leave out: the currency of the account, and how its bank writes CSV."""

    currency: str = ""
    mapping: CsvMapping | None = None


def unreadable(line_number: int | None, code: str, why: str) -> ServiceError:
    """The refusal of a wrong file: where and why."""
    message = f"Line {line_number}: {why}" if line_number else why
    field = f"content.line_{line_number}" if line_number else "content"
    place = {"line": str(line_number)} if line_number else {}
    return ServiceError(
        Kind.INVALID_ARGUMENT,
        "BANK_FILE_UNREADABLE",
        message,
        fields=(FieldError(field, code, message),),
        **place,
    )


def shown(text: str) -> str:
    """A piece of the file for an error message."""
    plain = clean(text, 60)
    return f"“{plain}”"


def decode(content: bytes, encoding: str = "") -> str:
    """The file as text: by its byte order mark, as told, as UTF-8, and else as Windows writes it."""
    for mark, name in _BOMS.items():
        if content.startswith(mark):
            return _lines(content.decode(name, errors="replace"))
    for name in (encoding, "utf-8", "cp1252"):
        try:
            if name:
                return _lines(content.decode(name))
        except (UnicodeDecodeError, LookupError):
            continue
    return _lines(content.decode("latin-1"))


def _lines(text: str) -> str:
    """With one kind of line end, without zeros and the end-of-file sign of DOS."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").rstrip("\x1a")


def clean(text: str, limit: int = LONGEST_TEXT) -> str:
    """One line without control signs or doubled blanks, cut to a length."""
    piece = text[: 4 * limit]
    if not piece.isprintable():
        piece = "".join(_printable(character) for character in piece)
    return " ".join(piece.split())[:limit].strip()


def _printable(character: str) -> str:
    """Soft hyphens and the like go, other control signs become blanks."""
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category[0] == "C" else character


def amount(text: str, currency: str, line_number: int | None) -> Money:
    """A plain decimal with a point as money; refused when it is none, too large, or finer than the currency."""
    plain = text.strip()
    if not _PLAIN_AMOUNT.fullmatch(plain):
        raise unreadable(line_number, "bad_amount", f"{shown(text)} is not an amount.")
    try:
        exponent = exponent_of(currency)
    except ValueError:
        raise unreadable(line_number, "unknown_currency", f"{shown(currency)} is not a currency.") from None
    units = Decimal(plain).scaleb(exponent)
    if units != units.to_integral_value():
        why = f"{shown(text)} has more than {exponent} decimals, which {currency} does not have."
        raise unreadable(line_number, "too_many_decimals", why)
    if abs(units) > LARGEST_AMOUNT_MINOR_UNITS:
        raise unreadable(line_number, "amount_too_large", f"{shown(text)} is too large.")
    return Money(int(units), currency)


def day(year: int, month: int, number: int, line_number: int | None, *, clamp: bool = False) -> date:
    """A day between 1980 and 2099. With `clamp`, 30 February, on which banks compute interest, is its last day."""
    try:
        if clamp and 1 <= month <= 12 and 28 < number <= 31:
            number = min(number, calendar.monthrange(year, month)[1])
        found = date(year, month, number)
    except ValueError:
        found = date.min
    if not 1980 <= found.year <= 2099:
        raise unreadable(line_number, "bad_date", f"There is no day {year:04d}-{month:02d}-{number:02d}.")
    return found


def check_length(lines: int, line_number: int | None) -> None:
    """Refuse files that are too long to be read in one go."""
    if lines > MOST_LINES:
        why = f"The file has more than {MOST_LINES} lines. Import it in smaller parts."
        raise unreadable(line_number, "too_many_lines", why)
