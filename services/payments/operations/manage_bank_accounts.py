"""Bank accounts of an organization, and how their banks write CSV."""

import re
from dataclasses import astuple
from datetime import datetime

from chassis import audit, idempotency
from chassis.caller import current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.bank_account import BankAccount
from services.payments.domain.csv_mapping import CsvMapping
from services.payments.store import bank_accounts
from services.payments.translate.bank import to_proto_account
from tallyport.payments.v1 import bank_statements_pb2

_ENCODINGS = ("", "utf-8", "cp1252", "latin-1", "utf-16")


async def create_bank_account(desk: Desk, account: BankAccount) -> bank_statements_pb2.BankAccount:
    """Add an account once for the caller's key. BANK_ACCOUNT_EXISTS if its number is there already."""
    try:
        Money.zero(account.currency)
    except ValueError:
        raise invalid("currency", "unknown_currency", "There is no such currency.") from None

    async def write(tx: WriteTx) -> bank_statements_pb2.BankAccount:
        if not await bank_accounts.insert(tx, account):
            raise ServiceError(
                Kind.ALREADY_EXISTS, "BANK_ACCOUNT_EXISTS", "This account was added already in this currency."
            )
        audit.record(tx, "bank_account.created", account.bank_account_id)
        return to_proto_account(account)

    return await idempotency.once(desk.db, bank_statements_pb2.BankAccount, write)


async def list_bank_accounts(desk: Desk) -> list[BankAccount]:
    """The accounts with their newest balances."""
    async with desk.db.read(current_call().organization_id) as tx:
        return await bank_accounts.all_accounts(tx)


async def save_csv_mapping(desk: Desk, mapping: CsvMapping) -> CsvMapping:
    """Keep a mapping; it replaces the one of the same name."""
    if not mapping.amount_column and not (mapping.credit_column and mapping.debit_column):
        why = "Name the column of the amount, or one for incoming and one for outgoing amounts."
        raise invalid("mapping.amount_column", "required", why)
    if mapping.encoding not in _ENCODINGS:
        raise invalid("mapping.encoding", "unknown", "The encoding is utf-8, cp1252, latin-1 or utf-16.")
    if mapping.delimiter and (mapping.delimiter in '"\n\r' or mapping.delimiter.isalnum()):
        raise invalid("mapping.delimiter", "unknown", "Cells are divided by a sign such as ; or a tab.")
    if any("\x00" in text for value in astuple(mapping) for text in _texts(value)):
        raise invalid("mapping", "not_text", "A text holds the character NUL, which cannot be kept.")
    _check_date_format(mapping.date_format)
    call = current_call()

    async def write(tx: WriteTx) -> None:
        await bank_accounts.save_mapping(tx, mapping, call.actor)
        audit.record(tx, "csv_mapping.saved", mapping.name)

    await desk.db.run_write(call.organization_id, write)
    return mapping


async def list_csv_mappings(desk: Desk) -> list[CsvMapping]:
    """The mappings by name."""
    async with desk.db.read(current_call().organization_id) as tx:
        return await bank_accounts.all_mappings(tx)


def _texts(value: object) -> tuple[str, ...]:
    """The texts of a field."""
    if isinstance(value, tuple):
        return tuple(str(one) for one in value)
    return (value,) if isinstance(value, str) else ()


def _check_date_format(date_format: str) -> None:
    """A format that tells day, month and year apart, such as %d.%m.%Y."""
    sample = datetime(2031, 12, 25)  # noqa: DTZ001  a day has no zone
    try:
        same = datetime.strptime(sample.strftime(date_format), date_format)  # noqa: DTZ007
    except (ValueError, re.error):
        same = None
    if same is None or same.date() != sample.date():
        why = "The format of dates must hold day, month and year, like %d.%m.%Y."
        raise invalid("mapping.date_format", "not_a_date_format", why)
