"""Imports of invoices from files: rows as they were understood, and what was wrong with the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from chassis.money import Money
from services.invoicing.domain.pricing import Line

MAX_ERRORS = 100
SAMPLE_ROWS = 10
BATCH_ROWS = 200


class ImportState(StrEnum):
    """How far an import is."""

    PREVIEW = "preview"
    RUNNING = "running"
    DONE = "done"


class DateOrder(StrEnum):
    """How a file writes dates."""

    YEAR_MONTH_DAY = "year_month_day"
    DAY_MONTH_YEAR = "day_month_year"
    MONTH_DAY_YEAR = "month_day_year"


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a row. `line` counts lines of the file from one."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An invoice as a row tells it; `total` holds everything, tax is not told apart."""

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
    sample: Sequence[Row] = ()


def imported_line(row: Row) -> Line:
    """The one line of an imported invoice: files tell the sum only, with tax in it."""
    return Line(row.description, Decimal(1), row.total, Decimal(0))
