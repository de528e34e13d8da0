"""CSV files: with a saved mapping, or without one where the names of the columns are known."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.money import Money
from services.payments.domain.bank_statement import ParsedStatement, StatementLine, is_reference
from services.payments.formats.csv_balances import Running, ends_of
from services.payments.formats.csv_columns import Columns, find_columns, mapped_columns
from services.payments.formats.csv_values import find_date_format, find_decimal_sign, plain_amount, read_date
from services.payments.formats.source import (
    LONGEST_NAME,
    LONGEST_REFERENCE,
    ReadOptions,
    amount,
    check_length,
    clean,
    decode,
    unreadable,
)

_DELIMITERS = ";,\t|"
_LONGEST_CELL = 100_000
_OUT = frozenset({"d", "debit", "af", "s", "soll", "dr", "db", "dbit", "debet", "out", "-", "withdrawal"})
_IN = frozenset({"c", "credit", "bij", "h", "haben", "cr", "crdt", "in", "+", "deposit"})
_SUM = re.compile(
    r"\b(sub)?(total|totals|summe|sum|saldo|salden|balance|totaal|totale|solde|suma|gesamt|kontostand)\b",
    re.IGNORECASE,
)
_LIKE_A_DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}$")
_NOT_BOOKED = frozenset(
    {
        "pending",
        "reverted",
        "declined",
        "failed",
        "cancelled",
        "canceled",
        "vorgemerkt",
        "offen",
        "refused",
        "processing",
    }
)


@dataclass(frozen=True, slots=True)
class _Row:
    line_number: int
    cells: Sequence[str]

    def cell(self, place: int) -> str:
        return self.cells[place].strip() if 0 <= place < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the file at hand is read."""

    columns: Columns
    date_format: str
    decimal_sign: str
    currency: str


def read(content: bytes, options: ReadOptions) -> Sequence[ParsedStatement]:
    """One statement for each account and currency in the file. Running balances are checked where there are any."""
    mapping = options.mapping
    text = decode(content, mapping.encoding if mapping else "")
    rows = _rows(text, mapping.delimiter if mapping else "", mapping.skip_lines if mapping else 0)
    cells = [row.cells for row in rows]
    if mapping is not None:
        columns: Columns | None = mapped_columns(mapping, cells, 0)
    else:
        columns = find_columns(cells)
    if columns is None:
        why = "No header with a date and an amount was found. Save a mapping for the files of this bank."
        raise unreadable(1, "unknown_header", why)
    body = [row for row in rows[columns.header_row + 1 :] if _is_entry(row, columns)]
    _must_be_whole(body, columns, text)
    check_length(len(body), None)
    reading = _Reading(
        columns,
        mapping.date_format if mapping else _date_format(body, columns),
        mapping.decimal_sign if mapping else _decimal_sign(body, columns),
        options.currency,
    )
    return _statements(body, reading)


def _rows(text: str, delimiter: str, skipped: int) -> list[_Row]:
    """Rows that hold something, with the number of the line on which each begins."""
    lines = text.split("\n")
    first = skipped
    if lines and lines[0].lower().startswith("sep=") and not skipped:
        delimiter, first = delimiter or lines[0][4:5], 1
    rest = "\n".join(lines[first:])
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(
        io.StringIO(rest), delimiter=delimiter or _delimiter(lines[first : first + 60]), strict=True
    )
    rows: list[_Row] = []
    begins = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return rows
        except csv.Error as error:
            raise unreadable(
                first + begins + 1, "broken_csv", f"The row cannot be read: {clean(str(error), 100)}."
            ) from None
        if any("\n" in cell and _holds_rows(cell, reader.dialect.delimiter, len(cells)) for cell in cells):
            why = "A quotation mark is not closed, so that the row runs into the next."
            raise unreadable(first + begins + 1, "broken_csv", why)
        if any(cell.strip() for cell in cells):
            rows.append(_Row(first + begins + 1, cells))
            check_length(len(rows) - 100, first + begins + 1)
        begins = reader.line_num


def _delimiter(lines: Sequence[str]) -> str:
    """The sign that divides most lines into the same number of cells, more than one."""
    best, best_score = ",", 0
    for sign in _DELIMITERS:
        counts = Counter(line.count(sign) for line in lines if line.strip())
        score = max((frequency * count for count, frequency in counts.items()), default=0)
        if sign == "," and best == ";" and best_score:
            continue  # commas beside semicolons are decimals
        if score > best_score:
            best, best_score = sign, score
    return best


def _is_entry(row: _Row, columns: Columns) -> bool:
    """Titles and notes have neither a day nor an amount, sums say so. What has only one of the two is refused."""
    day = row.cell(columns.at("date"))
    has_amount = any(row.cell(columns.at(role)) for role in ("amount", "credit", "debit"))
    if (day and has_amount) or (not day and not has_amount):
        return bool(day)
    is_day = find_date_format([day]) is not None or bool(_LIKE_A_DAY.match(day))
    if any(_SUM.search(cell) for cell in row.cells) or (not is_day and not has_amount):
        return False
    if has_amount:
        raise unreadable(row.line_number, "no_date", "The row has an amount, but no day.")
    raise unreadable(row.line_number, "no_amount", "The row has a day, but no amount.")


def _holds_rows(cell: str, delimiter: str, width: int) -> bool:
    """Whether a text over several lines has swallowed whole rows."""
    return any(line.count(delimiter) >= max(1, width - 1) for line in cell.split("\n")[1:-1])


def _must_be_whole(body: Sequence[_Row], columns: Columns, text: str) -> None:
    """Refuse a last row that was cut off: it has fewer cells than all others, or ends within its amount."""
    if len(body) < 2:
        return
    *others, last = body
    is_short = len(last.cells) < min(columns.width, *(len(row.cells) for row in others))
    ends_in_amount = not text.endswith("\n") and len(last.cells) - 1 == columns.at("amount")
    decimals = (
        [len(re.split("[.,]", row.cell(columns.at("amount")))) for row in body] if ends_in_amount else []
    )
    if is_short or (ends_in_amount and decimals[-1] < min(decimals[:-1])):
        raise unreadable(last.line_number, "cut_off", "The last row is cut off. Fetch the file again.")


def _date_format(body: Sequence[_Row], columns: Columns) -> str:
    texts = [row.cell(columns.at("date")) for row in body]
    found = find_date_format(texts)
    if found is None and body:
        for row in body:  # which one is no date at all?
            if find_date_format([row.cell(columns.at("date"))]) is None and not _is_ambiguous(row, columns):
                raise unreadable(
                    row.line_number, "bad_date", f"“{clean(row.cell(columns.at('date')), 40)}” is not a date."
                )
        why = "Its dates can be read in two ways, or are written in several. Save a mapping that tells how."
        raise unreadable(body[0].line_number, "ambiguous_date", why)
    return found or "%Y-%m-%d"


def _is_ambiguous(row: _Row, columns: Columns) -> bool:
    text = row.cell(columns.at("date"))
    return (
        any(sign in text for sign in "/-")
        and text[:1].isdigit()
        and any(part.isdigit() for part in text.split("/"))
    )


def _decimal_sign(body: Sequence[_Row], columns: Columns) -> str:
    roles = ("amount", "credit", "debit", "balance")
    texts = [cell for row in body for role in roles if (cell := row.cell(columns.at(role)))]
    found = find_decimal_sign(texts)
    if found is None:
        why = "Its amounts can be read in two ways. Save a mapping that tells the decimal sign."
        raise unreadable(body[0].line_number, "ambiguous_amount", why)
    return found


def _statements(body: Sequence[_Row], reading: _Reading) -> Sequence[ParsedStatement]:
    groups: dict[tuple[str, str], list[tuple[_Row, StatementLine, Money | None]]] = {}
    warnings: list[str] = []
    for row in body:
        if row.cell(reading.columns.at("state")).lower() in _NOT_BOOKED:
            warnings.append(f"Line {row.line_number}: not booked, left out.")
            continue
        account = clean(row.cell(reading.columns.at("account")), LONGEST_REFERENCE).replace(" ", "")
        currency = _currency(row, reading)
        group = groups.setdefault((account, currency), [])
        group.append((row, _line(row, reading, currency, len(group) + 1), _balance(row, reading, currency)))
    if not groups:
        raise unreadable(1, "no_statement", "The file holds no booked line.")
    return [_statement(account, currency, group, warnings) for (account, currency), group in groups.items()]


def _statement(
    account: str,
    currency: str,
    group: Sequence[tuple[_Row, StatementLine, Money | None]],
    warnings: Sequence[str],
) -> ParsedStatement:
    opening = closing = None
    balances = [balance for _, _, balance in group if balance is not None]
    if balances and len(balances) == len(group):
        running = [Running(line, balance) for (_, line, _), balance in zip(group, balances, strict=True)]
        opening, closing = ends_of(running)
    return ParsedStatement(
        account_identification=account,
        currency=currency,
        lines=[line for _, line, _ in group],
        opening=opening,
        closing=closing,
        line_number=group[0][0].line_number,
        warnings=tuple(warnings),
    )


def _line(row: _Row, reading: _Reading, currency: str, number: int) -> StatementLine:
    columns = reading.columns
    value = row.cell(columns.at("value"))
    text = " ".join(dict.fromkeys(cell for place in columns.texts if (cell := row.cell(place))))
    reference = clean(row.cell(columns.at("reference")), LONGEST_REFERENCE)
    end_to_end_id = clean(row.cell(columns.at("e2e")), LONGEST_REFERENCE)
    return StatementLine(
        booked_on=read_date(row.cell(columns.at("date")), reading.date_format, row.line_number),
        amount=_money(row, reading, currency),
        entry=number,
        line_number=row.line_number,
        value_on=read_date(value, reading.date_format, row.line_number) if value else None,
        counterparty_name=clean(row.cell(columns.at("name")), LONGEST_NAME),
        counterparty_account=clean(row.cell(columns.at("iban")), LONGEST_REFERENCE).replace(" ", ""),
        remittance_text=clean(text),
        end_to_end_id=end_to_end_id if is_reference(end_to_end_id) else "",
        bank_reference=reference,
        entry_reference=reference,
    )


def _money(row: _Row, reading: _Reading, currency: str) -> Money:
    """The signed amount: of one column, of one and a direction, or of two columns."""
    columns = reading.columns
    if columns.at("amount") >= 0:
        units = _units(row, "amount", reading, currency)
        direction = row.cell(columns.at("direction")).lower()
        if direction in _OUT:
            units = -abs(units)
        elif direction in _IN:
            units = abs(units)
        elif direction:
            raise unreadable(
                row.line_number, "no_direction", f"“{clean(direction, 20)}” is neither in nor out."
            )
        fee = _units(row, "fee", reading, currency) if row.cell(columns.at("fee")) else 0
        return Money(units - fee, currency)
    credit, debit = row.cell(columns.at("credit")), row.cell(columns.at("debit"))
    if not credit and not debit:
        raise unreadable(row.line_number, "no_amount", "The row has no amount.")
    units = _units(row, "credit", reading, currency) if credit else 0
    return Money(units - abs(_units(row, "debit", reading, currency) if debit else 0), currency)


def _units(row: _Row, role: str, reading: _Reading, currency: str) -> int:
    plain = plain_amount(row.cell(reading.columns.at(role)), reading.decimal_sign, row.line_number)
    return amount(plain, currency, row.line_number).minor_units


def _balance(row: _Row, reading: _Reading, currency: str) -> Money | None:
    if not row.cell(reading.columns.at("balance")):
        return None
    return Money(_units(row, "balance", reading, currency), currency)


def _currency(row: _Row, reading: _Reading) -> str:
    found = row.cell(reading.columns.at("currency")).upper() or reading.currency
    if not found:
        raise unreadable(
            row.line_number, "no_currency", "The file names no currency. Choose the account it belongs to."
        )
    return found


def looks_like_csv(text: str) -> bool:
    """Whether the first lines divide into cells."""
    lines = [line for line in text[:20_000].split("\n")[:60] if line.strip()]
    return any(line.count(sign) >= 1 for line in lines for sign in _DELIMITERS) and len(lines) >= 1
