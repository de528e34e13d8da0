"""Exports: which columns each kind has, and how a value of a column reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum, auto

Value = str | int | Decimal | date | bool | None
"""A cell: a text, a whole number, an amount or rate, a day, yes or no, nothing."""
Record = Sequence[Value]
"""A row in the order of its columns."""


class ExportKind(StrEnum):
    """What to export."""

    INVOICES = "invoices"
    INVOICE_LINES = "invoice_lines"
    PAYMENTS = "payments"
    CREDIT_NOTES = "credit_notes"
    CUSTOMERS = "customers"
    LEDGER = "ledger"
    STATEMENT = "statement"


class ExportFormat(StrEnum):
    """How to write it."""

    CSV = "csv"
    JSON_LINES = "json_lines"
    XLSX = "xlsx"
    ZIP_OF_PDFS = "zip_of_pdfs"


class ColumnType(Enum):
    """What the cells of a column are."""

    TEXT = auto()
    NUMBER = auto()
    MONEY = auto()
    DAY = auto()
    FLAG = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Money is stored as `<name>_minor_units` of the row's `currency`, and written in its major unit."""

    name: str
    type: ColumnType = ColumnType.TEXT


def _columns(names: str) -> tuple[Column, ...]:
    """`day:D total:M rate:N disputed:F number` and so on."""
    types = {
        "D": ColumnType.DAY, "M": ColumnType.MONEY, "N": ColumnType.NUMBER, "F": ColumnType.FLAG,
        "": ColumnType.TEXT,
    }  # fmt: skip
    parts = (name.partition(":") for name in names.split())
    return tuple(Column(name, types[letter]) for name, _, letter in parts)


COLUMNS: Mapping[ExportKind, tuple[Column, ...]] = {
    ExportKind.INVOICES: _columns(
        "number kind status invoice_date:D due_date:D customer_id customer_external_id customer_name currency"
        " subtotal:M tax:M total:M paid:M credited:M due:M disputed:M purchase_order_number external_id invoice_id"
    ),
    ExportKind.INVOICE_LINES: _columns(
        "invoice_number invoice_date:D status customer_name line_no:N sku description quantity:N currency"
        " unit_price:M tax_rate_percent:N amount:M invoice_id"
    ),
    ExportKind.PAYMENTS: _columns(
        "received_on:D receipt_number payer_name invoice_number customer_name currency amount:M from_credit:F"
        " payment_id invoice_id"
    ),
    ExportKind.CREDIT_NOTES: _columns(
        "number issued_on:D invoice_number customer_name currency subtotal:M tax:M total:M to_credit:M reason_code"
        " reason credit_note_id invoice_id"
    ),
    ExportKind.CUSTOMERS: _columns(
        "customer_id external_id name legal_name email currency locale address postal_code city region country"
        " tax_id payment_terms_days:N on_hold:F parent_customer_id created_on:D"
    ),
    ExportKind.LEDGER: _columns(
        "day:D entry_id line_no:N source source_id kind description account owner currency debit:M credit:M"
    ),
    ExportKind.STATEMENT: _columns(
        "day:D kind number customer_name due_date:D currency amount:M balance:M document_id"
    ),
}

STAFF_ONLY: Mapping[ExportKind, str] = {
    ExportKind.CUSTOMERS: "customers.read",
    ExportKind.LEDGER: "books.read",
}
"""Kinds that people of customers never get, with what staff must be allowed."""
