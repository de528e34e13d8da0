"""How a bank writes its CSV files."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvMapping:
    """Names of columns, and how dates and amounts are written. Empty texts: found, or not there."""

    name: str
    date_format: str
    decimal_sign: str
    date_column: str
    delimiter: str = ""
    encoding: str = ""
    skip_lines: int = 0
    amount_column: str = ""
    credit_column: str = ""
    debit_column: str = ""
    currency_column: str = ""
    name_column: str = ""
    text_columns: tuple[str, ...] = ()
    reference_column: str = ""
    balance_column: str = ""
    iban_column: str = ""
