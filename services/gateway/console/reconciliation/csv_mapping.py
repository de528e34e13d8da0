"""The form in which staff say how their bank writes CSV."""

from services.gateway.console.reconciliation.csv_sample import CsvSample
from services.gateway.web.forms import Form
from services.gateway.web.languages import gettext as _
from tallyport.payments.v1.bank_statements_pb2 import CsvMapping

COLUMNS = (
    "date_column",
    "amount_column",
    "credit_column",
    "debit_column",
    "currency_column",
    "name_column",
    "iban_column",
    "reference_column",
    "balance_column",
)
_LONGEST_SKIP = 100


def column_words() -> dict[str, str]:
    """What each column holds."""
    return {
        "date_column": _("Day it was booked"),
        "amount_column": _("Amount with its sign"),
        "credit_column": _("Money that came in, when it has a column of its own"),
        "debit_column": _("Money that left, when it has a column of its own"),
        "currency_column": _("Currency"),
        "name_column": _("Who sent it"),
        "iban_column": _("Their account"),
        "reference_column": _("The bank’s own unique reference"),
        "balance_column": _("Balance after it"),
    }


def date_formats() -> list[tuple[str, str]]:
    """How a day can be written, with the same day as an example."""
    return [
        ("%d.%m.%Y", "31.03.2026"),
        ("%d.%m.%y", "31.03.26"),
        ("%d/%m/%Y", "31/03/2026"),
        ("%m/%d/%Y", "03/31/2026"),
        ("%Y-%m-%d", "2026-03-31"),
        ("%d-%m-%Y", "31-03-2026"),
        ("%Y%m%d", "20260331"),
        ("%d %b %Y", "31 Mar 2026"),
    ]


def decimal_signs() -> list[tuple[str, str]]:
    """Point or comma."""
    return [(".", _("Point, as in 1250.00")), (",", _("Comma, as in 1250,00"))]


def delimiters() -> list[tuple[str, str]]:
    """What stands between columns."""
    return [(",", _("Comma")), (";", _("Semicolon")), ("tab", _("Tab")), ("|", "|")]


def encodings() -> list[tuple[str, str]]:
    """Ways of writing letters."""
    return [
        ("", _("Found by itself")),
        ("utf-8", "UTF-8"),
        ("cp1252", "Windows-1252"),
        ("latin-1", "ISO 8859-1"),
        ("utf-16", "UTF-16"),
    ]


def column_choices(sample: CsvSample) -> list[tuple[str, str]]:
    """The columns of the file at hand."""
    return [("", _("– none –")), *((name, name) for name in dict.fromkeys(sample.header) if name)]


def delimiter_of(form: Form) -> str:
    """As the file has it; a tab does not survive in a form."""
    chosen = form.text("delimiter")
    return "\t" if chosen == "tab" else chosen


def skip_of(form: Form) -> int | None:
    """Lines above the header; None for what is no number."""
    text = form.text("skip_lines")
    return int(text) if text.isascii() and text.isdigit() and int(text) <= _LONGEST_SKIP else None


def mapping_from(form: Form) -> CsvMapping:
    """As sent; the service checks it."""
    return CsvMapping(
        name=form.text("name")[:50],
        delimiter=delimiter_of(form)[:1],
        date_format=form.text("date_format")[:30],
        decimal_sign=form.text("decimal_sign"),
        encoding=form.text("encoding"),
        skip_lines=skip_of(form) or 0,
        text_columns=[name for name in form.all("text_columns") if name][:10],
        **{name: form.text(name)[:100] for name in COLUMNS},
    )


def mistakes(mapping: CsvMapping, skip_lines: str) -> dict[str, str]:
    """Field of the form to what is wrong with it, before the service is asked."""
    wrong: dict[str, str] = {}
    if not mapping.name:
        wrong["name"] = _("Please give it a name, for example the bank’s.")
    if not mapping.date_column:
        wrong["date_column"] = _("Please choose the column with the day.")
    if not mapping.amount_column and not (mapping.credit_column and mapping.debit_column):
        wrong["amount_column"] = _("Please choose the column with the amount, or one each for in and out.")
    if mapping.amount_column and (mapping.credit_column or mapping.debit_column):
        wrong["amount_column"] = _("Either one column with signs, or one each for in and out.")
    if skip_lines and not skip_lines.isdigit():
        wrong["skip_lines"] = _("Please write a number.")
    return wrong
