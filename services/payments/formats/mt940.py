"""SWIFT MT940, as banks write it: with and without envelope, with their own ways of filling :86:."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from chassis.errors import ServiceError
from chassis.money import Money
from services.payments.domain.bank_account import is_iban
from services.payments.domain.bank_statement import ParsedStatement, StatementLine, is_reference
from services.payments.formats.mt940_details import Details, read_coded_details, read_details
from services.payments.formats.source import (
    LONGEST_NAME,
    LONGEST_REFERENCE,
    ReadOptions,
    amount,
    check_length,
    clean,
    day,
    decode,
    shown,
    unreadable,
)

_TAG = re.compile(r"^\s{0,3}:(13D?|20|21|25P?|28C?|34F|6[02][FM]?|61|64|65|86|90[CD]|94[0-9]|NS):(.*)$")
"""Fields there are: a line of details may well begin with :26:37."""
_END = re.compile(r"^-(\}.*|XXX|)\s*$")
_ENVELOPE = re.compile(r"^\{1:.*?\{4:", re.DOTALL)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})([\d.,]{1,24})\s*")
_LINE = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4}|\s{4})?(?P<mark>R[CD]|E[CD]|[CD])(?P<funds>[A-Z])?\s?"
    r"(?P<amount>\d[\d.,]{0,22})(?P<kind>[A-Z][A-Z0-9 ]{3})?(?P<rest>.*)",
    re.DOTALL,
)
_TWO_DIGIT_TURN = 80


@dataclass(slots=True)
class _Field:
    tag: str
    text: str
    line_number: int


@dataclass(slots=True)
class _Pending:
    """A :61: with the fields that tell about it."""

    line: _Field
    details: list[str] = field(default_factory=list)
    coded: str = ""


@dataclass(slots=True)
class _Draft:
    """A statement while its fields are read."""

    line_number: int
    reference: str = ""
    account: str = ""
    number: str = ""
    opening: tuple[Money, date, bool] | None = None
    closing: tuple[Money, date, bool] | None = None
    pending: list["_Pending"] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    is_closed: bool = False


def read(content: bytes, options: ReadOptions) -> Sequence[ParsedStatement]:
    """The statements of a file, each page one of its own."""
    drafts: list[_Draft] = []
    for one in _fields(decode(content)):
        if one.tag == "20":
            drafts.append(_Draft(one.line_number, reference=clean(one.text, LONGEST_REFERENCE)))
        elif drafts:
            _take(drafts[-1], one)
    if not any(draft.account and (draft.opening or draft.closing or draft.pending) for draft in drafts):
        raise unreadable(
            1, "no_statement", "The file holds no MT940 statement: no :20: followed by :25: and balances."
        )
    statements = [_statement(draft, options) for draft in drafts]
    check_length(sum(len(statement.lines) for statement in statements), None)
    return statements


def _fields(text: str) -> Iterator[_Field]:
    """Tagged fields with the lines that continue them; what stands between messages is passed over."""
    current: _Field | None = None
    parts: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        line = _ENVELOPE.sub("", line) if line.startswith("{1:") else line
        match = _TAG.match(line)
        if match or _END.match(line):
            if current is not None:
                yield _Field(current.tag, "\n".join(parts), current.line_number)
            current = _Field(match.group(1), "", number) if match else None
            parts = [match.group(2)] if match else []
        elif current is not None and (current.tag in ("61", "86", "NS") and len(parts) < 200):
            parts.append(line)
    if current is not None:
        yield _Field(current.tag, "\n".join(parts), current.line_number)


def _take(draft: _Draft, one: _Field) -> None:
    match one.tag:
        case "25" | "25P" if not draft.account:
            draft.account = clean(one.text, LONGEST_REFERENCE)
        case "28" | "28C":
            draft.number = clean(one.text, LONGEST_REFERENCE)
        case "34F":
            why = (
                "This is an MT942 report of a day that is not over. Import the statement (MT940) of the day."
            )
            raise unreadable(one.line_number, "intraday_report", why)
        case "60F" | "60M" | "60":
            draft.opening = _balance(one)
        case "61":
            draft.pending.append(_Pending(one))
            check_length(len(draft.pending), one.line_number)
        case "86" if draft.pending and not draft.is_closed:
            draft.pending[-1].details.append(one.text)
        case "NS" if draft.pending and not draft.is_closed:
            draft.pending[-1].coded = one.text[:4_000]
        case "62F" | "62M" | "62":
            draft.closing = _balance(one)
            draft.is_closed = True


def _balance(one: _Field) -> tuple[Money, date, bool]:
    match = _BALANCE.fullmatch(one.text.split("\n")[0].strip())
    if match is None:
        raise unreadable(one.line_number, "bad_balance", f"{shown(one.text)} is not a balance.")
    sign, when, currency, figure = match.groups()
    money = amount(_decimal(figure), currency, one.line_number)
    signed = Money(-money.minor_units if sign == "D" else money.minor_units, currency)
    return signed, _day(when, one.line_number), one.tag.endswith("M")


def _statement(draft: _Draft, options: ReadOptions) -> ParsedStatement:
    if not draft.account:
        raise unreadable(draft.line_number, "no_account", "The statement has no account (:25:).")
    balance = draft.opening or draft.closing
    currency = balance[0].currency if balance else options.currency
    if not currency:
        raise unreadable(draft.line_number, "no_balance", "The statement has no balance and so no currency.")
    lines = []
    for number, pending in enumerate(draft.pending, start=1):
        line = _line(pending, currency, number)
        if line is None:
            draft.warnings.append(
                f"Line {pending.line.line_number}: an expected entry is not booked and was left out."
            )
        else:
            lines.append(line)
    return ParsedStatement(
        account_identification=draft.account,
        currency=currency,
        lines=lines,
        reference=f"{draft.number} {draft.reference}".strip(),
        from_day=draft.opening[1] if draft.opening else None,
        to_day=draft.closing[1] if draft.closing else None,
        opening=draft.opening[0] if draft.opening else None,
        closing=draft.closing[0] if draft.closing else None,
        opening_is_interim=bool(draft.opening and draft.opening[2]),
        closing_is_interim=bool(draft.closing and draft.closing[2]),
        line_number=draft.line_number,
        warnings=tuple(draft.warnings),
    )


def _line(pending: _Pending, currency: str, number: int) -> StatementLine | None:
    """A booked line; None for an expected one. RC takes a credit back, RD a debit."""
    one = pending.line
    match = _LINE.fullmatch(one.text)
    if match is None:
        raise _bad_line(one)
    mark = match["mark"]
    if mark in ("EC", "ED"):
        return None
    money = amount(_decimal(match["amount"]), currency, one.line_number)
    came = mark in ("C", "RD")
    value_on = _day(match["value"], one.line_number, clamp=True)
    own_reference, bank_reference, more = _references(match["rest"])
    details = read_details(pending.details, more)
    if not pending.details and pending.coded:
        details = read_coded_details(pending.coded)
    reference = own_reference if is_reference(own_reference) else ""
    return StatementLine(
        booked_on=_entry_day(match["entry"] or "", value_on, one.line_number),
        amount=money if came else Money(-money.minor_units, currency),
        entry=number,
        line_number=one.line_number,
        value_on=value_on,
        counterparty_name=clean(details.name, LONGEST_NAME),
        counterparty_account=clean(
            details.account or (more if is_iban(more) else ""), LONGEST_REFERENCE
        ).replace(" ", ""),
        remittance_text=clean(_remittance(details, more)),
        structured_reference=clean(details.structured, LONGEST_REFERENCE),
        end_to_end_id=clean(details.end_to_end_id or reference, LONGEST_REFERENCE),
        bank_reference=bank_reference,
        entry_reference=bank_reference,
    )


def _remittance(details: Details, more: str) -> str:
    return details.text or ("" if more == details.name else more)


def _references(rest: str) -> tuple[str, str, str]:
    """Reference of the owner, the bank's, and supplementary details (which some banks put on the same line)."""
    first, _, more = rest.partition("\n")
    own, sign, bank = first.partition("//")
    if not sign and (wide := re.split(r" {2,}", own.strip(), maxsplit=1))[1:]:
        own, more = wide[0], f"{wide[1]}\n{more}"
    more = clean(more)
    bank = clean(bank, LONGEST_REFERENCE)
    if not is_reference(bank):
        bank = more if re.fullmatch(r"\d{10,40}", more) else ""
    return clean(own, LONGEST_REFERENCE), bank, more


def _entry_day(text: str, value_on: date, line_number: int) -> date:
    """The booking day has no year: it is the one nearest to the value day."""
    if not text.strip():
        return value_on
    month, number = int(text[:2]), int(text[2:])
    years = (value_on.year - 1, value_on.year, value_on.year + 1)
    days = []
    for year in years:
        try:
            days.append(day(year, month, number, line_number, clamp=True))
        except ServiceError:
            continue
    if not days:
        raise unreadable(line_number, "bad_date", f"{shown(text)} is not a day (MMDD).")
    return min(days, key=lambda one: abs((one - value_on).days))


def _day(text: str, line_number: int, *, clamp: bool = False) -> date:
    year = int(text[:2])
    century = 1900 if year >= _TWO_DIGIT_TURN else 2000
    return day(century + year, int(text[2:4]), int(text[4:6]), line_number, clamp=clamp)


def _decimal(text: str) -> str:
    """The comma is the decimal sign; some banks write a point."""
    if "," in text:
        return text.replace(".", "").replace(",", ".")
    return text


def _bad_line(one: _Field) -> ServiceError:
    return unreadable(one.line_number, "bad_line", f"{shown(one.text)} is not a statement line (:61:).")
