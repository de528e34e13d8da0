"""Imports from files: rows as they were understood, what was wrong with the others, and what was made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.invoicing.domain.pricing import Line, Tax, TaxCategory, Totals, totals

MAX_ERRORS = 1_000
SAMPLE_ROWS = 10
BATCH_ROWS = 200
NOT_UNDONE = "undo"
"""What stands for the column where an error says why something could not be taken back."""


class ImportState(StrEnum):
    """How far an import is."""

    PREVIEW = "preview"
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class ImportKind(StrEnum):
    """What a file holds. `INVOICES` are open and settled ones alike."""

    INVOICES = "invoices"
    CUSTOMERS = "customers"
    ITEMS = "items"
    OPEN_INVOICES = "open_invoices"
    HISTORY = "history"
    CREDIT_NOTES = "credit_notes"

    @property
    def is_of_invoices(self) -> bool:
        return self in (ImportKind.INVOICES, ImportKind.OPEN_INVOICES, ImportKind.HISTORY)


class ImportFormat(StrEnum):
    """How a file is written."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    EINVOICE_XML = "einvoice_xml"
    EINVOICE_PDF = "einvoice_pdf"
    EINVOICE_ZIP = "einvoice_zip"


class DateOrder(StrEnum):
    """How a file writes dates."""

    YEAR_MONTH_DAY = "year_month_day"
    DAY_MONTH_YEAR = "day_month_year"
    MONTH_DAY_YEAR = "month_day_year"


class DecimalSign(StrEnum):
    """What stands between units and cents."""

    POINT = "."
    COMMA = ","


class Outcome(StrEnum):
    """What became of something that an import made."""

    MADE = "made"
    UNDONE = "undone"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a row. `line` counts lines of the file from one.

    `message` is English; others put it into words by `code` and `params`. Both are empty for what has no code.
    """

    line: int
    column: str
    message: str
    code: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaxPart:
    """One line of a breakdown of taxes: what is taxed alike, and the tax on it."""

    category: TaxCategory
    rate_percent: Decimal
    taxable: Money
    tax: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An invoice as a row tells it; `total` holds everything. `taxes` is empty where tax is not told apart.

    `received` is what was paid of it before, by `settled_date`, which is None when nothing was.
    """

    line: int
    external_id: str
    customer_external_id: str
    customer_name: str
    customer_email: str
    invoice_date: date
    due_date: date
    total: Money
    description: str
    disputed: bool
    settled_date: date | None
    received: Money
    taxes: tuple[TaxPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A customer, an item or a credit note as a row tells it: its key (external id, SKU, number) and plain texts."""

    line: int
    key: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class How:
    """How to understand a file: columns by field, dates and amounts; what is left out is found by looking."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    date_order: DateOrder | None = None
    decimal_sign: DecimalSign | None = None


@dataclass(frozen=True, slots=True)
class Understanding:
    """How a file was understood. None where it can be understood in two ways; `missing` are fields it must have."""

    columns: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    date_order: DateOrder | None = None
    decimal_sign: DecimalSign | None = None
    missing: tuple[str, ...] = ()
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class UnderstoodFile:
    """Rows that can be imported, what is wrong with the others, and how the file was understood."""

    rows: Sequence[Row | Record]
    errors: Sequence[RowError]
    total_rows: int
    understanding: Understanding


@dataclass(frozen=True, slots=True)
class Making:
    """An invoice, customer, item or credit note that an import made, and the version it was made with."""

    line: int
    noun: str
    object_id: str
    version: int
    outcome: Outcome = Outcome.MADE


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """How the columns of a header were understood when such a file was imported last."""

    kind: ImportKind
    understanding: Understanding
    used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import with its progress. `sample` holds the first rows."""

    import_id: str
    file_name: str
    state: ImportState
    notify: bool
    total_rows: int
    handled_rows: int
    created_rows: int
    unchanged_rows: int
    failed_rows: int
    errors: Sequence[RowError]
    actor: str
    created_at: datetime
    finished_at: datetime | None = None
    sample: Sequence[Row | Record] = ()
    kind: ImportKind = ImportKind.INVOICES
    format: ImportFormat = ImportFormat.CSV
    understanding: Understanding = Understanding()
    undone_records: int = 0
    kept_records: int = 0
    undo_reason: str = ""

    def started(self) -> "Import":
        """At work: its counters begin anew, rows with errors count as handled."""
        if self.state is not ImportState.PREVIEW:
            raise already_started()
        if self.understanding.missing:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "IMPORT_COLUMNS_MISSING",
                f"No column was found for: {', '.join(self.understanding.missing)}. Say which columns hold these.",
            )  # fmt: skip
        return replace(
            self, state=ImportState.RUNNING, handled_rows=self.failed_rows, created_rows=0, unchanged_rows=0
        )

    def undoing(self, reason: str) -> "Import":
        """Being taken back. IMPORT_NOT_DONE unless it is done, or was taken back only in part."""
        if self.state is not ImportState.DONE and not (
            self.state is ImportState.UNDONE and self.kept_records
        ):
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "IMPORT_NOT_DONE",
                "Only an import that is done can be undone, and only what is left of it.",
            )  # fmt: skip
        errors = [error for error in self.errors if error.column != NOT_UNDONE]
        return replace(self, state=ImportState.UNDOING, undo_reason=reason, kept_records=0, errors=errors)

    def with_errors(self, errors: Sequence[RowError]) -> Sequence[RowError]:
        """The first errors, with these behind them."""
        return [*self.errors, *errors][:MAX_ERRORS]


def already_started() -> ServiceError:
    """IMPORT_ALREADY_STARTED."""
    return ServiceError(
        Kind.FAILED_PRECONDITION, "IMPORT_ALREADY_STARTED", "This import was started already."
    )


def imported_lines(row: Row) -> tuple[Line, ...]:
    """The lines of an imported invoice: one for the sum, or one for each line of the breakdown of taxes."""
    if not row.taxes:
        return (Line(row.description, Decimal(1), row.total, Decimal(0)),)
    return tuple(
        Line(row.description, Decimal(1), part.taxable, part.rate_percent,
             taxes=(Tax("", part.rate_percent, part.category),))
        for part in row.taxes
    )  # fmt: skip


def imported_totals(row: Row) -> Totals:
    """What its lines come to."""
    return totals(imported_lines(row), row.total.currency)


def breakdown_holds(row: Row) -> bool:
    """Whether the breakdown comes to the total, and to the taxes that we would work out."""
    try:
        found = imported_totals(row)
    except (TypeError, ValueError):
        return False
    told = sum((part.tax for part in row.taxes), Money.zero(row.total.currency))
    return found.total == row.total and found.tax_total == told
