"""What files to import hold, in words."""

from collections.abc import Mapping

from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from tallyport.invoicing.v1.imports_pb2 import (
    DateOrder,
    DecimalSign,
    Import,
    ImportFormat,
    ImportKind,
    ImportState,
)

STATES = {
    ImportState.IMPORT_STATE_PREVIEW: "preview",
    ImportState.IMPORT_STATE_RUNNING: "running",
    ImportState.IMPORT_STATE_DONE: "done",
    ImportState.IMPORT_STATE_UNDOING: "undoing",
    ImportState.IMPORT_STATE_UNDONE: "undone",
}
STATE_WORDS = {
    "preview": _("Looked at only"),
    "running": _("Importing …"),
    "done": _("Done"),
    "undoing": _("Being undone …"),
    "undone": _("Undone"),
}
KINDS = {
    "invoices": (ImportKind.IMPORT_KIND_INVOICES, _("Invoices, open and paid")),
    "open_invoices": (ImportKind.IMPORT_KIND_OPEN_INVOICES, _("Open invoices only")),
    "history": (ImportKind.IMPORT_KIND_HISTORY, _("History: invoices that were paid")),
    "credit_notes": (ImportKind.IMPORT_KIND_CREDIT_NOTES, _("Credit notes on invoices that are here")),
    "customers": (ImportKind.IMPORT_KIND_CUSTOMERS, _("Customers")),
    "items": (ImportKind.IMPORT_KIND_ITEMS, _("Items")),
}
ORDERS = {
    "": (DateOrder.DATE_ORDER_UNSPECIFIED, _("Find out from the file")),
    "ymd": (DateOrder.DATE_ORDER_YEAR_MONTH_DAY, _("2026-03-31 (year, month, day)")),
    "dmy": (DateOrder.DATE_ORDER_DAY_MONTH_YEAR, _("31/03/2026 (day, month, year)")),
    "mdy": (DateOrder.DATE_ORDER_MONTH_DAY_YEAR, _("03/31/2026 (month, day, year)")),
}
SIGNS = {
    "": (DecimalSign.DECIMAL_SIGN_UNSPECIFIED, _("Find out from the file")),
    "point": (DecimalSign.DECIMAL_SIGN_POINT, _("1,234.50 (point)")),
    "comma": (DecimalSign.DECIMAL_SIGN_COMMA, _("1.234,50 (comma)")),
}
FIELDS = {
    "external_id": _("Your own number"),
    "customer_external_id": _("The customer's number"),
    "customer_name": _("Customer"),
    "customer_email": _("E-mail"),
    "invoice_date": _("Invoice date"),
    "due_date": _("Due date"),
    "amount": _("Amount"),
    "paid": _("Paid of it before"),
    "invoice_number": _("Number of the invoice"),
    "issued_on": _("Date of the credit note"),
    "open_amount": _("Still open"),
    "currency": _("Currency"),
    "description": _("Description"),
    "disputed": _("Disputed"),
    "settled_date": _("Day it was paid"),
    "taxes": _("Taxes, told apart"),
    "name": _("Name"),
    "legal_name": _("Name on documents"),
    "email": _("E-mail"),
    "street": _("Street"),
    "street_2": _("Street, second line"),
    "postal_code": _("Postal code"),
    "city": _("City"),
    "region": _("State or region"),
    "country": _("Country"),
    "tax_id": _("Tax id"),
    "locale": _("Language"),
    "time_zone": _("Time zone"),
    "payment_terms_days": _("Days to pay"),
    "credit_limit": _("Credit limit"),
    "purchase_order_number": _("Order number"),
    "segments": _("Labels"),
    "sku": _("Item number"),
    "unit_price": _("Price"),
    "tax_rate_percent": _("Tax rate"),
    "tax_code": _("Tax code"),
    "price_includes_tax": _("Price includes tax"),
    "unit_code": _("Unit"),
    "undo": _("Undone"),
}
_TABLES = (
    ImportFormat.IMPORT_FORMAT_CSV,
    ImportFormat.IMPORT_FORMAT_XLSX,
    ImportFormat.IMPORT_FORMAT_JSON,
)


def field_words(name: str) -> str:
    """A field in the reader's language."""
    return gettext(FIELDS[name]) if name in FIELDS else name


def kind_words(found: Import) -> str:
    """What the file holds."""
    return next((gettext(words) for kind, words in KINDS.values() if kind == found.kind), "")


def choices(words: Mapping[str, tuple[int, str]]) -> list[tuple[str, str]]:
    """Options of a select in the reader's language."""
    return [(name, gettext(text)) for name, (_number, text) in words.items()]


def chosen(words: Mapping[str, tuple[int, str]], number: int) -> str:
    """The option that a number of the contract stands for."""
    return next((name for name, (one, _text) in words.items() if one == number), "")


def has_columns(found: Import) -> bool:
    """Whether the file has columns that somebody could choose among; an e-invoice says itself what is what."""
    return found.format in _TABLES
