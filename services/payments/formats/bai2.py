"""BAI2 (Cash Management Balance Reporting, version 2), read the way banks write it.

Type codes nobody has heard of, wrapped texts and several records on one line occur in real files; the control totals
tell whether something was lost.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from chassis.errors import FieldError, Kind, ServiceError
from chassis.money import Money, exponent_of
from services.payments.domain.bank_statement import ParsedStatement, StatementLine
from services.payments.formats.source import (
    LARGEST_AMOUNT_MINOR_UNITS,
    LONGEST_NAME,
    LONGEST_REFERENCE,
    ReadOptions,
    check_length,
    clean,
    day,
    decode,
    shown,
    unreadable,
)

OPENING_LEDGER, CLOSING_LEDGER = "010", "015"
_RECORD = re.compile(r"\s*(01|02|03|16|49|88|98|99)\s*,")
_NEXT_ON_LINE = re.compile(r"/\s+(?=(?:01|02|03|16|49|88|98|99),)")
_TOLD = re.compile(r"\b(EREF|DBNM|CRNM|DACT|CACT|REMI|CREF): ?(.*?)(?= [A-Z]{4}: ?|$)")
"""What some banks say in texts: the name of debtor or creditor, their account, the end-to-end id."""
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_GROUP_STATES = {"2": "deletion", "4": "test"}
_TWO_DIGIT_TURN = 80
LONGEST_RECORD = 20_000


@dataclass(slots=True)
class _Record:
    """A record with its continuations, each without code and the slash at its end."""

    code: str
    parts: list[str]
    line_number: int

    def fields(self) -> list[str]:
        return [part.strip() for part in ",".join(self.parts).split(",")]


@dataclass(slots=True)
class _Draft:
    """An account while its records are read."""

    account: str
    currency: str
    as_of: date
    line_number: int
    opening: Money | None = None
    closing: Money | None = None
    total: int = 0
    lines: list[StatementLine] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _File:
    """What is known while reading: the group's day and currency, totals of account, group and file."""

    currency: str
    sender: str = ""
    as_of: date | None = None
    group_currency: str = ""
    group_is_left_out: bool = False
    account: _Draft | None = None
    done: list[_Draft] = field(default_factory=list)
    group_total: int = 0
    total: int = 0
    warnings: list[str] = field(default_factory=list)


def read(content: bytes, options: ReadOptions) -> Sequence[ParsedStatement]:
    """One statement for each account record. Control totals that are wrong refuse the file."""
    state = _File(currency=options.currency or "USD")
    for record in _records(decode(content)):
        _take(state, record)
    _close_account(state)
    if not state.done:
        raise unreadable(1, "no_statement", "The file holds no BAI2 account record (03).")
    check_length(sum(len(draft.lines) for draft in state.done), None)
    return [_statement(draft, state) for draft in state.done]


def _records(text: str) -> Iterator[_Record]:
    """Records, each with its continuations (88, or a line without a code, which is wrapped text)."""
    current: _Record | None = None
    for number, physical in enumerate(text.split("\n"), start=1):
        for line in _NEXT_ON_LINE.split(physical) if "/" in physical else (physical,):
            match = _RECORD.match(line)
            body = (line[match.end() :] if match else line).strip().removesuffix("/").rstrip()
            if match is not None and match.group(1) != "88":
                if current is not None:
                    yield current
                current = _Record(match.group(1), [body], number)
            elif current is None:
                if line.strip():
                    raise unreadable(number, "no_header", "A BAI2 file begins with a record 01.")
            elif match is None:
                current.parts[-1] = f"{current.parts[-1]} {body}".rstrip()
            else:
                current.parts.append(body)
            if current is not None and len(current.parts) + len(current.parts[-1]) > LONGEST_RECORD:
                raise unreadable(number, "record_too_long", "The record is too long.")
    if current is not None:
        yield current


def _take(state: _File, record: _Record) -> None:
    match record.code:
        case "01":
            state.sender = record.fields()[0]
        case "02":
            _close_account(state)
            _open_group(state, record)
        case "03":
            _close_account(state)
            state.account = _account(state, record)
        case "16":
            _detail(state, record)
        case "49":
            _end_account(state, record)
        case "98":
            _close_account(state)
            _check_total(state.group_total, record)
            state.total += state.group_total
        case "99":
            _check_total(state.total, record)


def _open_group(state: _File, record: _Record) -> None:
    fields = record.fields() + [""] * 6
    state.as_of = _day(fields[3], record.line_number)
    state.group_currency = fields[5] if re.fullmatch(r"[A-Z]{3}", fields[5]) else ""
    kind = _GROUP_STATES.get(fields[2])
    state.group_is_left_out = kind is not None
    state.group_total = 0
    if kind:
        state.warnings.append(f"Line {record.line_number}: a group marked as {kind} was left out.")


def _account(state: _File, record: _Record) -> _Draft:
    fields = record.fields()
    if state.as_of is None:
        raise unreadable(record.line_number, "no_group", "The account stands in no group (record 02).")
    named = fields[1] if len(fields) > 1 and re.fullmatch(r"[A-Z]{3}", fields[1]) else ""
    currency = named or state.group_currency or state.currency
    draft = _Draft(clean(fields[0], LONGEST_REFERENCE), currency, state.as_of, record.line_number)
    if not draft.account:
        raise unreadable(record.line_number, "no_account", "The account record (03) names no account.")
    place = 2
    while place < len(fields):
        code, figure = fields[place], fields[place + 1] if place + 1 < len(fields) else ""
        units = _units(figure, record.line_number) if figure else 0
        draft.total += units
        if code == OPENING_LEDGER and figure:
            draft.opening = _money(units, currency, record.line_number)
        if code == CLOSING_LEDGER and figure:
            draft.closing = _money(units, currency, record.line_number)
        place += 3  # type, amount, item count
        place = _after_funds(fields, place)
    return draft


def _after_funds(fields: Sequence[str], place: int) -> int:
    """The place behind a funds type and what belongs to it."""
    kind = fields[place].upper() if place < len(fields) else ""
    if kind == "S":
        return place + 4
    if kind == "V":
        return place + 3
    if kind == "D":
        count = fields[place + 1] if place + 1 < len(fields) else ""
        return place + 2 + 2 * (int(count) if re.fullmatch(r"\d{1,3}", count) else 0)
    return place + 1


def _detail(state: _File, record: _Record) -> None:
    """A transaction: 1xx to 3xx and 920 to 959 came in, 4xx to 6xx and 960 to 999 went out."""
    draft = state.account
    if draft is None:
        raise unreadable(
            record.line_number, "no_account", "The transaction stands in no account (record 03)."
        )
    fields, rest = _detail_fields(record)
    code = fields[0].strip()
    if not re.fullmatch(r"\d{1,3}", code):
        raise unreadable(record.line_number, "bad_type", f"{shown(code)} is not a type code.")
    figure = fields[1].strip() if len(fields) > 1 else ""
    units = _units(figure, record.line_number) if figure else 0
    draft.total += units
    sign = _sign(int(code))
    if sign == 0:
        if units:
            draft.warnings.append(f"Line {record.line_number}: type {code} moves no money and was left out.")
        return
    value_on = None
    if len(fields) > 3 and fields[2].strip().upper() == "V" and fields[3].strip():
        value_on = _day(fields[3].strip(), record.line_number)
    bank_reference = clean(fields[rest], LONGEST_REFERENCE) if rest < len(fields) else ""
    customer_reference = clean(fields[rest + 1], LONGEST_REFERENCE) if rest + 1 < len(fields) else ""
    text = clean(",".join(fields[rest + 2 :]))
    told = {match[1]: match[2].strip(" ,-") for match in _TOLD.finditer(text)}
    draft.lines.append(
        StatementLine(
            booked_on=draft.as_of,
            amount=_money(sign * units, draft.currency, record.line_number),
            entry=len(draft.lines) + 1,
            line_number=record.line_number,
            value_on=value_on,
            counterparty_name=clean(told.get("DBNM" if sign > 0 else "CRNM", ""), LONGEST_NAME),
            counterparty_account=clean(told.get("DACT" if sign > 0 else "CACT", ""), LONGEST_REFERENCE),
            remittance_text=text,
            end_to_end_id=clean(told.get("EREF", ""), LONGEST_REFERENCE) or customer_reference,
            bank_reference=bank_reference,
            entry_reference=bank_reference,
        )
    )
    check_length(len(draft.lines), record.line_number)


def _detail_fields(record: _Record) -> tuple[list[str], int]:
    """The fields, and the place behind the funds type: bank's reference, customer's reference, text with its commas.

    A continuation begins a new field until the text has begun, and then goes on with the text.
    """
    fields = record.parts[0].split(",")
    rest = _after_funds([part.strip() for part in fields], 2)
    for more in record.parts[1:]:
        if len(fields) > rest + 2:
            fields[-1] = f"{fields[-1].rstrip()} {more.strip()}"
        else:
            fields += more.split(",")
            rest = _after_funds([part.strip() for part in fields], 2)
    return fields, rest


def _sign(code: int) -> int:
    if 100 <= code <= 399 or 920 <= code <= 959:
        return 1
    if 400 <= code <= 699 or 960 <= code <= 999:
        return -1
    return 0


def _end_account(state: _File, record: _Record) -> None:
    if state.account is None:
        raise unreadable(
            record.line_number, "no_account", "The account trailer (49) follows no account (03)."
        )
    _check_total(state.account.total, record)
    _close_account(state)


def _close_account(state: _File) -> None:
    if state.account is not None:
        state.group_total += state.account.total
        if not state.group_is_left_out:
            state.done.append(state.account)
        state.account = None


def _check_total(found: int, record: _Record) -> None:
    """The control total of a trailer is the sum of all amounts above it."""
    figure = record.fields()[0]
    if figure and _units(figure, record.line_number) != found:
        names = {"49": "account", "98": "group", "99": "file"}
        message = (
            f"Line {record.line_number}: the control total of the {names[record.code]} is {clean(figure, 30)},"
            f" its amounts make {found}. Nothing was booked."
        )
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "BANK_FILE_UNBALANCED",
            message,
            fields=(FieldError(f"content.line_{record.line_number}", "control_total", message),),
            line=str(record.line_number),
        )


def _statement(draft: _Draft, state: _File) -> ParsedStatement:
    return ParsedStatement(
        account_identification=draft.account,
        currency=draft.currency,
        lines=draft.lines,
        reference=clean(f"{state.sender} {draft.as_of.isoformat()}", LONGEST_REFERENCE),
        from_day=draft.as_of,
        to_day=draft.as_of,
        opening=draft.opening,
        closing=draft.closing,
        line_number=draft.line_number,
        warnings=(*state.warnings, *draft.warnings),
    )


def _units(text: str, line_number: int) -> int:
    """Amounts have no decimal sign: they are minor units."""
    plain = text.strip()
    if not _WHOLE.fullmatch(plain) or abs(int(plain)) > LARGEST_AMOUNT_MINOR_UNITS:
        raise unreadable(line_number, "bad_amount", f"{shown(text)} is not an amount in minor units.")
    return int(plain)


def _money(units: int, currency: str, line_number: int) -> Money:
    try:
        exponent_of(currency)
    except ValueError:
        raise unreadable(line_number, "unknown_currency", f"{shown(currency)} is not a currency.") from None
    return Money(units, currency)


def _day(text: str, line_number: int) -> date:
    if not re.fullmatch(r"\d{6}|\d{8}", text):
        raise unreadable(line_number, "bad_date", f"{shown(text)} is not a date (YYMMDD).")
    if len(text) == 8:
        return day(int(text[:4]), int(text[4:6]), int(text[6:]), line_number)
    year = int(text[:2])
    century = 1900 if year >= _TWO_DIGIT_TURN else 2000
    return day(century + year, int(text[2:4]), int(text[4:]), line_number)
