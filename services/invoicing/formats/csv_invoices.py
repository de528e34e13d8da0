"""Reading invoices from CSV files as accounting systems write them."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from chassis.money import Money
from services.invoicing.domain.invoice_import import DateOrder, Row, RowError

MAX_ROWS = 50_000
MAX_TEXT_CHARACTERS = 200

_ALIASES: Mapping[str, Sequence[str]] = {
    "external_id": ("invoicenumber", "invoiceno", "invoiceid", "externalid", "number", "invoice"),
    "customer_external_id": ("customerid", "customernumber", "customerno", "accountid", "customerexternalid"),
    "customer_name": ("customername", "customer", "name", "company"),
    "customer_email": ("customeremail", "email", "emailaddress"),
    "invoice_date": ("invoicedate", "date", "issuedate", "issued"),
    "due_date": ("duedate", "due"),
    "amount": ("invoiceamount", "amount", "total", "totalamount", "amountdue"),
    "currency": ("currency", "currencycode"),
    "description": ("description", "memo", "subject"),
    "disputed": ("disputed", "dispute", "isdisputed"),
    "settled_date": ("settleddate", "paiddate", "datepaid", "paymentdate", "settled"),
}
_REQUIRED = ("external_id", "customer_external_id", "invoice_date", "due_date", "amount")
_TRUE = frozenset({"yes", "y", "true", "1", "x"})
_FALSE = frozenset({"no", "n", "false", "0", ""})
_DATE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})")
_ORDERS: Mapping[DateOrder, tuple[int, int, int]] = {
    DateOrder.YEAR_MONTH_DAY: (0, 1, 2),
    DateOrder.DAY_MONTH_YEAR: (2, 1, 0),
    DateOrder.MONTH_DAY_YEAR: (2, 0, 1),
}
T = TypeVar("T")


class CsvFileError(Exception):
    """The file as a whole cannot be read; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class CsvInvoices:
    """What a file holds: rows that can be imported and what is wrong with the others, by line."""

    rows: Sequence[Row]
    errors: Sequence[RowError]
    total_rows: int


class _WrongCell(Exception):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.error = (column, message)


def read_csv_invoices(content: bytes, *, date_order: DateOrder, currency: str, today: date) -> CsvInvoices:
    """Understand a whole file. `currency` counts where a row names none; nothing was settled after `today`.

    Raises CsvFileError if it is no CSV file in UTF-8, lacks a needed column or has too many rows.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CsvFileError(f"The file is not in UTF-8 (byte {error.start}). Save it as CSV UTF-8.") from None
    if "\0" in text:
        raise CsvFileError("The file holds binary data. Save it as CSV UTF-8.")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    rows: list[Row] = []
    errors: list[RowError] = []
    seen: dict[str, int] = {}
    total = 0
    for line, cells in _rows(lines):
        total += 1
        if total > MAX_ROWS:
            raise CsvFileError(f"The file has more than {MAX_ROWS} rows. Split it.")
        try:
            row = _RowReader(line, cells, date_order, currency, today).read()
            if (first := seen.setdefault(row.external_id, line)) != line:
                raise _WrongCell(
                    "external_id", f"Invoice {row.external_id} is in line {first} already. Remove one."
                )
        except _WrongCell as wrong:
            errors.append(RowError(line, *wrong.error))
        else:
            rows.append(row)
    return CsvInvoices(rows, errors, total)


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max((",", ";", "\t"), key=header.count)


def _rows(reader: Iterator[list[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers with cells by our column names; empty lines are skipped."""
    try:
        header = next(reader, None)
        if header is None:
            raise CsvFileError("The file is empty.")
        columns = _columns(header)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                line: int = reader.line_num  # type: ignore[attr-defined]
                yield line, {name: cells[at].strip() for name, at in columns.items() if at < len(cells)}
    except csv.Error as error:
        raise CsvFileError(f"The file is not a CSV file: {error}.") from None


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Our column names to positions. Raises CsvFileError naming what is missing or there twice."""
    found: dict[str, int] = {}
    for at, title in enumerate(header):
        plain = re.sub(r"[^a-z0-9]", "", title.lower())
        name = next((name for name, aliases in _ALIASES.items() if plain in aliases), None)
        if name is None:
            continue
        if name in found:
            raise CsvFileError(f"Two columns mean the same: {header[found[name]]!r} and {title!r}.")
        found[name] = at
    missing = [name.replace("_", " ") for name in _REQUIRED if name not in found]
    if missing:
        raise CsvFileError(f"The file has no column for: {', '.join(missing)}.")
    return found


class _RowReader:
    """Reads the cells of one row; raises _WrongCell at the first one that is wrong."""

    def __init__(
        self, line: int, cells: Mapping[str, str], date_order: DateOrder, currency: str, today: date
    ) -> None:
        self._line = line
        self._cells = cells
        self._date_order = date_order
        self._currency = currency
        self._today = today

    def read(self) -> Row:
        invoice_date = self._date("invoice_date", needed=True)
        due_date = self._date("due_date", needed=True)
        settled_date = self._date("settled_date", needed=False)
        assert invoice_date is not None
        assert due_date is not None
        if due_date < invoice_date:
            raise _WrongCell("due_date", "The due date is before the invoice date.")
        if settled_date is not None and settled_date < invoice_date:
            raise _WrongCell("settled_date", "The settled date is before the invoice date.")
        if settled_date is not None and settled_date > self._today:
            raise _WrongCell("settled_date", "The settled date is in the future; leave it empty until then.")
        external_id = self._text("external_id", needed=True)
        customer = self._text("customer_external_id", needed=True)
        return Row(
            line=self._line,
            external_id=external_id,
            customer_external_id=customer,
            customer_name=self._text("customer_name") or customer,
            customer_email=self._email(),
            invoice_date=invoice_date,
            due_date=due_date,
            total=self._amount(),
            description=self._text("description") or f"Invoice {external_id}",
            disputed=self._yes_or_no("disputed"),
            settled_date=settled_date,
        )

    def _text(self, column: str, *, needed: bool = False) -> str:
        text = self._cells.get(column, "")
        if needed and not text:
            raise _WrongCell(column, "This cell must not be empty.")
        if len(text) > MAX_TEXT_CHARACTERS:
            raise _WrongCell(column, f"This is longer than {MAX_TEXT_CHARACTERS} characters.")
        return text

    def _email(self) -> str:
        text = self._text("customer_email")
        if text and not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
            raise _WrongCell("customer_email", f"{text!r} is not an e-mail address.")
        return text

    def _date(self, column: str, *, needed: bool) -> date | None:
        text = self._text(column, needed=needed)
        if not text:
            return None
        match = _DATE.fullmatch(text)
        year, month, day = (match.groups()[at] for at in _ORDERS[self._date_order]) if match else ("", "", "")
        return self._understood(
            column, text, lambda: date(_four_digits(year), int(month), int(day)), "a date in the chosen order"
        )

    def _amount(self) -> Money:
        text = self._text("amount", needed=True)
        currency = self._text("currency").upper() or self._currency
        money = self._understood(
            "amount", text, lambda: Money.parse(text, currency), f"an amount of {currency}, such as 1250.00"
        )
        if money.minor_units <= 0:
            raise _WrongCell("amount", "The amount must be more than zero.")
        return money

    def _yes_or_no(self, column: str) -> bool:
        text = self._text(column).lower()
        if text not in _TRUE | _FALSE:
            raise _WrongCell(column, f"{text!r} is neither yes nor no.")
        return text in _TRUE

    def _understood(self, column: str, text: str, read: Callable[[], T], wanted: str) -> T:
        try:
            return read()
        except ValueError:
            raise _WrongCell(column, f"{text!r} is not {wanted}.") from None


def _four_digits(year: str) -> int:
    if len(year) != 4:
        raise ValueError("a year has four digits")
    return int(year)
