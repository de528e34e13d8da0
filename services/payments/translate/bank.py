"""Bank accounts, statements and mappings between messages and domain."""

from collections.abc import Mapping

from chassis.ids import new_id
from services.payments.domain.bank_account import BankAccount, checked_bic, checked_number
from services.payments.domain.bank_statement import BankFileFormat
from services.payments.domain.csv_mapping import CsvMapping
from services.payments.store.bank_statements import KeptStatement
from services.payments.translate.payments import to_proto_money_or_none, to_proto_time
from tallyport.payments.v1 import bank_statements_pb2

_FORMATS: Mapping[BankFileFormat, "bank_statements_pb2.BankFileFormat.ValueType"] = {
    BankFileFormat.CAMT: bank_statements_pb2.BANK_FILE_FORMAT_CAMT,
    BankFileFormat.MT940: bank_statements_pb2.BANK_FILE_FORMAT_MT940,
    BankFileFormat.BAI2: bank_statements_pb2.BANK_FILE_FORMAT_BAI2,
    BankFileFormat.OFX: bank_statements_pb2.BANK_FILE_FORMAT_OFX,
    BankFileFormat.CSV: bank_statements_pb2.BANK_FILE_FORMAT_CSV,
}
_FORMAT_OF = {int(number): known for known, number in _FORMATS.items()}


def to_proto_format(known: BankFileFormat) -> "bank_statements_pb2.BankFileFormat.ValueType":
    """A format as the contract has it."""
    return _FORMATS[known]


def from_proto_format(number: int) -> BankFileFormat | None:
    """A format; None for "not set"."""
    return _FORMAT_OF.get(number)


def from_proto_account(request: bank_statements_pb2.CreateBankAccountRequest) -> BankAccount:
    """A new account; a ServiceError for a wrong IBAN."""
    return BankAccount(
        bank_account_id=new_id("ba"),
        name=request.name.strip(),
        account_holder=" ".join(request.account_holder.split()),
        account_number=checked_number(request.iban),
        currency=request.currency,
        bic=checked_bic(request.bic),
        bank_name=request.bank_name.strip(),
        shown_to_payers=request.shown_to_payers,
    )


def to_proto_account(account: BankAccount) -> bank_statements_pb2.BankAccount:
    """An account as its callers see it."""
    return bank_statements_pb2.BankAccount(
        bank_account_id=account.bank_account_id,
        name=account.name,
        account_holder=account.account_holder,
        iban=account.account_number,
        bic=account.bic,
        bank_name=account.bank_name,
        currency=account.currency,
        shown_to_payers=account.shown_to_payers,
        balance=to_proto_money_or_none(account.balance),
        balance_on=account.balance_on.isoformat() if account.balance_on else "",
    )


def to_proto_statement(statement: KeptStatement) -> bank_statements_pb2.BankStatement:
    """A statement as its callers see it."""
    return bank_statements_pb2.BankStatement(
        bank_statement_id=statement.bank_statement_id,
        bank_account_id=statement.bank_account_id,
        account_identification=statement.account_identification,
        statement_reference=statement.statement_reference,
        from_day=statement.from_day.isoformat() if statement.from_day else "",
        to_day=statement.to_day.isoformat() if statement.to_day else "",
        opening_balance=to_proto_money_or_none(statement.opening),
        closing_balance=to_proto_money_or_none(statement.closing),
        lines=statement.lines,
        unmatched_lines=statement.unmatched_lines,
        imported_at=to_proto_time(statement.imported_at),
        gap_before=to_proto_money_or_none(statement.gap_before),
    )


def from_proto_mapping(name: str, message: bank_statements_pb2.CsvMapping) -> CsvMapping:
    """A mapping under the name of the address."""
    return CsvMapping(
        name=name,
        date_format=message.date_format,
        decimal_sign=message.decimal_sign,
        date_column=message.date_column,
        delimiter=message.delimiter,
        encoding=message.encoding.lower(),
        skip_lines=message.skip_lines,
        amount_column=message.amount_column,
        credit_column=message.credit_column,
        debit_column=message.debit_column,
        currency_column=message.currency_column,
        name_column=message.name_column,
        text_columns=tuple(message.text_columns),
        reference_column=message.reference_column,
        balance_column=message.balance_column,
        iban_column=message.iban_column,
    )


def to_proto_mapping(mapping: CsvMapping) -> bank_statements_pb2.CsvMapping:
    """A mapping as its callers see it."""
    return bank_statements_pb2.CsvMapping(
        name=mapping.name,
        date_format=mapping.date_format,
        decimal_sign=mapping.decimal_sign,
        date_column=mapping.date_column,
        delimiter=mapping.delimiter,
        encoding=mapping.encoding,
        skip_lines=mapping.skip_lines,
        amount_column=mapping.amount_column,
        credit_column=mapping.credit_column,
        debit_column=mapping.debit_column,
        currency_column=mapping.currency_column,
        name_column=mapping.name_column,
        text_columns=mapping.text_columns,
        reference_column=mapping.reference_column,
        balance_column=mapping.balance_column,
        iban_column=mapping.iban_column,
    )
