"""Reading CSV files: headers by many names, rows with errors that say what to do."""

from dataclasses import dataclass
from datetime import date

import pytest

from services.invoicing.domain.invoice_import import DateOrder, How, ImportKind, Row, RowError
from services.invoicing.formats.import_file import understand
from services.invoicing.formats.import_problems import PROBLEMS
from services.invoicing.formats.sources.detection import read_source

HEADER = "invoice number,customer id,invoice date,due date,amount"
DATA_SET_HEADER = (
    "countrycode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,"
    "SettledDate,PaperlessBill,DaysToSettle,DaysLate"
)


@dataclass(frozen=True)
class Invoices:
    """What came of a file of invoices."""

    rows: list[Row]
    errors: list[RowError]
    total_rows: int


def read(text: str, order: DateOrder | None = None, currency: str = "USD") -> Invoices:
    _, source = read_source(text.encode())
    found = understand(
        source, ImportKind.INVOICES, How(date_order=order), currency=currency, today=date(2026, 11, 21)
    )
    assert found.understanding.missing == ()
    return Invoices([row for row in found.rows if isinstance(row, Row)], list(found.errors), found.total_rows)


def test_the_public_data_set_is_understood() -> None:
    row = "391,0379-NEVHP,06/04/2013,611365,02/01/2013,01/02/2013,55.94,Yes,15/01/2013,Paper,13,0"
    (found,) = read(f"{DATA_SET_HEADER}\n{row}\n", DateOrder.DAY_MONTH_YEAR).rows
    assert (found.external_id, found.customer_external_id) == ("611365", "0379-NEVHP")
    assert (found.invoice_date, found.due_date) == (date(2013, 1, 2), date(2013, 2, 1))
    assert (found.total.minor_units, found.disputed) == (5594, True)
    assert (found.settled_date, found.customer_name) == (date(2013, 1, 15), "0379-NEVHP")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_quotes_and_a_byte_order_mark_are_understood(separator: str) -> None:
    header = HEADER.replace(",", separator) + separator + "description"
    row = separator.join(["A-1", "C-1", "2026-01-02", "2026-02-01", "12.5", '"Rope,; ""thick"""'])
    (found,) = read(f"\ufeff{header}\r\n\r\n{row}\r\n").rows
    assert (found.description, found.total.minor_units, found.line) == ('Rope,; "thick"', 1250, 3)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (",C,2026-01-01,2026-01-02,1", "external_id"),
        ("A,,2026-01-01,2026-01-02,1", "customer_external_id"),
        ("A,C,2026-02-30,2026-03-02,1", "invoice_date"),
        ("A,C,01/02/2026,2026-03-02,1", "invoice_date"),
        ("A,C,2026-01-05,2026-01-02,1", "due_date"),
        ("A,C,2026-01-01,2026-01-02,1.005", "amount"),
        ("A,C,2026-01-01,2026-01-02,1,000", "amount"),
        ("A,C,2026-01-01,2026-01-02,-5", "amount"),
        ("A,C,2026-01-01,2026-01-02,0", "amount"),
        ("A,C,2026-01-01,2026-01-02,99999999999999999", "amount"),
        ("A,C,2026-01-01", "due_date"),
    ],
)
def test_a_wrong_cell_is_named(row: str, column: str) -> None:
    if row.endswith("1,000"):
        row = 'A,C,2026-01-01,2026-01-02,"1,000"'
    found = read(f"{HEADER}\n{row}\nB,C,2026-01-01,2026-01-02,1\n")
    assert [(error.line, error.column) for error in found.errors] == [(2, column)]
    assert [one.external_id for one in found.rows] == ["B"]
    assert found.total_rows == 2


def test_optional_columns_are_checked_too() -> None:
    header = f"{HEADER},currency,disputed,settled date,email"
    good = "2026-01-01,2026-01-02,100"
    found = read(
        f"{header}\nA,C,{good},JPY,x,2026-02-01,a@b.example\nB,C,{good},XXX?,,,\nD,C,{good},,maybe,,\n"
        f"E,C,{good},,,2027-01-01,\nF,C,{good},,,2025-01-01,\nG,C,{good},,,,no-address\nA,C,{good},,,,\n"
    )
    assert [str(one.total) for one in found.rows] == ["100 JPY"]
    assert [error.column for error in found.errors] == [
        "currency", "disputed", "settled_date", "settled_date", "customer_email", "external_id",
    ]  # fmt: skip


PARTS_HEADER = f"{HEADER},paid,open amount,paid date"


def test_what_was_paid_of_an_open_invoice_is_told_in_two_ways() -> None:
    rows = "A-1,C-1,2026-01-02,2026-02-01,100.00,40.00,,2026-01-20\nA-2,C-1,2026-01-02,2026-02-01,100.00,,75.00,\n"
    first, second = read(f"{PARTS_HEADER}\n{rows}").rows
    assert (first.received.minor_units, first.settled_date) == (4_000, date(2026, 1, 20))
    assert (second.received.minor_units, second.settled_date) == (2_500, date(2026, 11, 21))


def test_a_file_that_tells_only_what_is_open_means_that() -> None:
    (found,) = read(
        "invoice number,customer id,invoice date,due date,open amount\nA-1,C-1,2026-01-02,2026-02-01,12.00\n"
    ).rows
    assert (found.total.minor_units, found.received.minor_units, found.settled_date) == (1_200, 0, None)


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ("100.00,100.01,,", "paid", "paid_too_much"),
        ("100.00,-1.00,,", "paid", "negative"),
        ("100.00,40.00,50.00,", "open_amount", "sums_differ"),
        ("100.00,,100.01,", "open_amount", "sums_differ"),
        ("100.00,40.00,,2026-01-01", "settled_date", "settled_before_invoice"),
        ("100.00,40.00,,2026-11-22", "settled_date", "settled_in_future"),
        ("abc,,,", "amount", "not_amount"),
    ],
)
def test_sums_that_cannot_be_are_refused_with_a_code(cells: str, column: str, code: str) -> None:
    (error,) = read(f"{PARTS_HEADER}\nA-1,C-1,2026-01-02,2026-02-01,{cells}\n").errors
    assert (error.column, error.code) == (column, code)
    assert error.message == PROBLEMS[code].format(**error.params)


@pytest.mark.parametrize(
    ("kind", "paid", "code"),
    [(ImportKind.OPEN_INVOICES, "100.00", "is_settled"), (ImportKind.HISTORY, "40.00", "is_open")],
)
def test_open_invoices_are_open_and_history_is_settled(kind: ImportKind, paid: str, code: str) -> None:
    _, source = read_source(
        f"{PARTS_HEADER}\nA-1,C-1,2026-01-02,2026-02-01,100.00,{paid},,2026-02-01\n".encode()
    )
    found = understand(source, kind, How(), currency="USD", today=date(2026, 11, 21))
    assert [error.code for error in found.errors] == [code]
