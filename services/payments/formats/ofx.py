"""OFX 1 (SGML, where values have no end tag) and OFX 2 (XML), by one tolerant reader of tags.

No XML parser is involved: nothing is expanded, fetched or nested, and an ampersand may stand for itself.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from chassis.money import Money
from services.payments.domain.bank_statement import ParsedStatement, StatementLine, is_reference
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

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9._]{0,40})\s*/?>")
_CHARSET = re.compile(rb"^\s*(?:CHARSET|ENCODING)\s*:\s*([\w-]+)", re.MULTILINE | re.IGNORECASE)
_XML_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([\w-]+)[\"']")
_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
_STATEMENTS = frozenset({"STMTRS", "CCSTMTRS"})
_CHARSETS = {
    "1252": "cp1252",
    "8859-1": "latin-1",
    "ISO-8859-1": "latin-1",
    "USASCII": "",
    "NONE": "",
    "UNICODE": "",
}


@dataclass(slots=True)
class _Draft:
    """A statement while its tags are read; the currency may come after the lines."""

    line_number: int
    values: dict[str, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)


def read(content: bytes, options: ReadOptions) -> Sequence[ParsedStatement]:
    """The statements of a file. OFX tells a closing balance only: what was there before the lines is not known."""
    text = decode(content, _encoding(content))
    if not re.search(r"<OFX\s*>", text, re.IGNORECASE):
        raise unreadable(1, "no_statement", "The file holds no <OFX>.")
    drafts = list(_drafts(text))
    if not drafts:
        raise unreadable(1, "no_statement", "The OFX file holds no bank statement (STMTRS).")
    return [_statement(draft, options) for draft in drafts]


def _encoding(content: bytes) -> str:
    head = content[:1000]
    found = [match.group(1).decode() for match in _CHARSET.finditer(head)]
    xml = _XML_ENCODING.search(head)
    if xml:
        return xml.group(1).decode()
    for name in reversed(found):
        known = _CHARSETS.get(name.upper(), name)
        if known and not known.upper().startswith("UTF"):
            return "" if _is_utf8(content) else known
    return ""


def _is_utf8(content: bytes) -> bool:
    """Files that call themselves 1252 and are UTF-8 all the same."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _drafts(text: str) -> Iterator[_Draft]:
    draft: _Draft | None = None
    row: dict[str, str] | None = None
    parents: list[str] = []
    for line_number, closing, name, value in _tags(text):
        if closing:
            if name in parents:
                del parents[len(parents) - 1 - parents[::-1].index(name) :]
            if name == "STMTTRN":
                row = None
            if name in _STATEMENTS and draft is not None:
                yield draft
                draft = row = None
        elif name in _STATEMENTS:
            if draft is not None:
                yield draft
            draft, row, parents = _Draft(line_number), None, []
        elif draft is not None:
            if name == "STMTTRN":
                row = {}
                draft.rows.append((line_number, row))
                check_length(len(draft.rows), line_number)
            elif value:
                inside = parents[-1] if parents else ""
                key = (
                    f"{inside}.{name}"
                    if inside in ("BANKACCTTO", "CCACCTTO", "PAYEE", "LEDGERBAL", "AVAILBAL")
                    else name
                )
                target = row if row is not None else draft.values
                target.setdefault(key, value)
                if row is None:
                    draft.places.setdefault(key, line_number)
            elif len(parents) < 50:
                parents.append(name)
    if draft is not None:
        yield draft


def _tags(text: str) -> Iterator[tuple[int, bool, str, str]]:
    """Tags with the value that follows on the line. Only known shapes are tags: other angle brackets are text."""
    line_number, seen = 1, 0
    match = _TAG.search(text)
    while match is not None:
        following = _TAG.search(text, match.end())
        line_number += text.count("\n", seen, match.start())
        seen = match.start()
        value = text[match.end() : following.start() if following else len(text)]
        yield line_number, bool(match[1]), match[2].upper(), _value(value)
        match = following


def _value(text: str) -> str:
    plain = text.strip()
    if plain.startswith("<![CDATA["):
        return plain.removeprefix("<![CDATA[").removesuffix("]]>").strip()
    return html.unescape(plain) if "&" in plain else plain


def _statement(draft: _Draft, options: ReadOptions) -> ParsedStatement:
    values = draft.values
    currency = clean(values.get("CURDEF", ""), 3).upper() or options.currency
    lines = [_line(row, number, currency, place) for number, (place, row) in enumerate(draft.rows, start=1)]
    closing = closing_day = None
    if "LEDGERBAL.BALAMT" in values:
        place = draft.places["LEDGERBAL.BALAMT"]
        closing = amount(_decimal(values["LEDGERBAL.BALAMT"]), currency, place)
        closing_day = _day(values["LEDGERBAL.DTASOF"], place) if "LEDGERBAL.DTASOF" in values else None
    account = clean(values.get("ACCTID", ""), LONGEST_REFERENCE).replace(" ", "")
    if not account:
        raise unreadable(draft.line_number, "no_account", "The statement names no account (ACCTID).")
    return ParsedStatement(
        account_identification=account,
        currency=currency,
        lines=lines,
        reference="",
        from_day=_day(values["DTSTART"], draft.places["DTSTART"]) if "DTSTART" in values else None,
        to_day=_day(values["DTEND"], draft.places["DTEND"]) if "DTEND" in values else closing_day,
        closing=closing,
        line_number=draft.line_number,
    )


def _line(row: dict[str, str], number: int, currency: str, line_number: int) -> StatementLine:
    for name in ("TRNAMT", "DTPOSTED"):
        if name not in row:
            raise unreadable(line_number, "value_missing", f"The transaction has no {name}.")
    money: Money = amount(_decimal(row["TRNAMT"]), currency, line_number)
    name = row.get("NAME") or row.get("PAYEE.NAME", "")
    memo = row.get("MEMO", "")
    reference = row.get("FITID", "")
    value_on = _day(row["DTAVAIL"], line_number) if "DTAVAIL" in row else None
    other = row.get("REFNUM") or row.get("CHECKNUM", "")
    return StatementLine(
        booked_on=_day(row["DTPOSTED"], line_number),
        amount=money,
        entry=number,
        line_number=line_number,
        value_on=value_on,
        counterparty_name=clean(name, LONGEST_NAME),
        counterparty_account=clean(
            row.get("BANKACCTTO.ACCTID") or row.get("CCACCTTO.ACCTID", ""), LONGEST_REFERENCE
        ).replace(" ", ""),
        remittance_text=clean(memo or name),
        end_to_end_id=clean(other, LONGEST_REFERENCE) if is_reference(other) else "",
        bank_reference=clean(reference, LONGEST_REFERENCE),
        entry_reference=clean(reference, LONGEST_REFERENCE),
    )


def _decimal(text: str) -> str:
    """The sign of decimals is a point or a comma, whichever comes last."""
    plain = text.strip().replace(" ", "")
    if "," in plain and plain.rfind(",") > plain.rfind("."):
        return plain.replace(".", "").replace(",", ".")
    return plain.replace(",", "")


def _day(text: str, line_number: int) -> date:
    """The day as written. The zone behind it names the bank's own time, and its day is meant."""
    match = _DAY.match(text.strip())
    if match is None or not text.isascii():
        raise unreadable(line_number, "bad_date", f"{shown(text)} is not a date (YYYYMMDD).")
    return day(int(match[1]), int(match[2]), int(match[3]), line_number)
