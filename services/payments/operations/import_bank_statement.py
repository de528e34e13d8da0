"""Reads a file of a bank, checks it, and keeps what is new of it: all of it or nothing."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from chassis import audit, idempotency
from chassis.caller import current_call
from chassis.database import ReadTx, WriteTx
from chassis.errors import Kind, ServiceError, invalid, not_found
from services.payments.desk import Desk
from services.payments.domain.bank_account import BankAccount, find_account, is_iban
from services.payments.domain.bank_statement import (
    BankFileFormat,
    Entry,
    Identity,
    Known,
    ParsedStatement,
    known_by,
    probably_known,
)
from services.payments.formats.detection import read_bank_file
from services.payments.formats.source import ReadOptions, unreadable
from services.payments.operations.match_lines import match_new_lines
from services.payments.store import bank_accounts, bank_statements, cases
from services.payments.store.bank_statements import KeptStatement, Source
from services.payments.translate.bank import to_proto_format, to_proto_statement
from tallyport.payments.v1 import bank_statements_pb2

MOST_WARNINGS = 50
_MOST_DAYS_AHEAD = 10
"""Banks date bookings ahead over weekends and holidays."""
_readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="bank-file")
"""Two files at a time are read, so that memory stays bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportWish:
    """What was sent. Without a format it is found; the account is for files that name none."""

    file_name: str
    content: bytes
    format: BankFileFormat | None = None
    csv_mapping: str = ""
    bank_account_id: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _File:
    format: BankFileFormat
    statements: Sequence[Known]


@dataclass(slots=True)
class _Result:
    statements: list[KeptStatement] = field(default_factory=list)
    new_lines: int = 0
    known_lines: int = 0
    warnings: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def message(self, file_format: BankFileFormat) -> bank_statements_pb2.BankStatementImport:
        more = len(self.warnings) - MOST_WARNINGS
        shown = self.warnings[:MOST_WARNINGS] + ([f"And {more} more."] if more > 0 else [])
        return bank_statements_pb2.BankStatementImport(
            format=to_proto_format(file_format),
            statements=[to_proto_statement(statement) for statement in self.statements],
            new_lines=self.new_lines,
            known_lines=self.known_lines,
            warnings=shown,
        )


async def import_bank_statement(desk: Desk, wish: ImportWish) -> bank_statements_pb2.BankStatementImport:
    """Import once for the caller's key; importing a file again adds nothing anyway.

    BANK_FILE_UNREADABLE or BANK_FILE_UNBALANCED for a wrong file, BANK_ACCOUNT_UNKNOWN for somebody else's.
    """
    organization_id = current_call().organization_id
    async with desk.db.read(organization_id) as tx:
        options, chosen = await _options(tx, wish)
        today = (await cases.organization(tx)).day_of(tx.now())
    file = await asyncio.get_running_loop().run_in_executor(_readers, _read, wish, options)
    _must_have_happened(file, today)
    if wish.dry_run:
        async with desk.db.read(organization_id) as tx:
            return (await _look(tx, file, chosen)).message(file.format)
    waiting: list[str] = []

    async def write(tx: WriteTx) -> bank_statements_pb2.BankStatementImport:
        result = await _keep(tx, file, chosen, wish)
        waiting[:] = result.waiting
        return result.message(file.format)

    imported = await idempotency.once(desk.db, bank_statements_pb2.BankStatementImport, write)
    if waiting:  # a repetition finds nothing new, and what is left the job looks at
        imported.matched_lines = await match_new_lines(desk, organization_id, waiting)
    return imported


def _read(wish: ImportWish, options: ReadOptions) -> _File:
    """All that takes time, for a thread of its own."""
    file = read_bank_file(wish.content, options, wish.format)
    return _File(file.format, known_by(file.statements))


def _must_have_happened(file: _File, today: date) -> None:
    for known in file.statements:
        for line in known.statement.lines:
            if line.booked_on > today + timedelta(days=_MOST_DAYS_AHEAD):
                why = f"{line.booked_on} lies in the future. Nothing was booked."
                raise unreadable(line.line_number, "future_date", why)


async def _options(tx: ReadTx, wish: ImportWish) -> tuple[ReadOptions, BankAccount | None]:
    chosen = None
    if wish.bank_account_id:
        accounts = await bank_accounts.all_accounts(tx)
        chosen = next((one for one in accounts if one.bank_account_id == wish.bank_account_id), None)
        if chosen is None:
            raise not_found("bank_account")
    mapping = None
    if wish.csv_mapping:
        mapping = await bank_accounts.find_mapping(tx, wish.csv_mapping)
        if mapping is None:
            raise not_found("csv_mapping")
    return ReadOptions(currency=chosen.currency if chosen else "", mapping=mapping), chosen


async def _look(tx: ReadTx, file: _File, chosen: BankAccount | None) -> _Result:
    """What an import would do."""
    result = _Result()
    for account, statements in await _by_account(tx, file, chosen, result.warnings, must_be_known=False):
        seen: set[bytes] = set()
        for known in statements:
            new = (
                list(known.entries)
                if account is None
                else await _new_entries(tx, account, known, seen, result.warnings)
            )
            _count(result, known, new)
            result.statements.append(_as_kept(known.statement, account, new))
    return result


async def _keep(tx: WriteTx, file: _File, chosen: BankAccount | None, wish: ImportWish) -> _Result:
    result = _Result()
    source = Source(wish.file_name, file.format, current_call().actor)
    for account, statements in await _by_account(tx, file, chosen, result.warnings, must_be_known=True):
        if account is None:
            result.statements += [_as_kept(known.statement, None, ()) for known in statements]
            continue
        await bank_accounts.lock(tx, account.bank_account_id)
        seen: set[bytes] = set()
        for known in statements:
            new = await _new_entries(tx, account, known, seen, result.warnings)
            _count(result, known, new)
            statement_id, waiting = await _insert(tx, account.bank_account_id, known, new, source)
            result.waiting += waiting
            result.statements.append(await bank_statements.load(tx, statement_id))
    result.warnings += [_gap(one) for one in result.statements if one.gap_before is not None]
    return result


def _gap(statement: KeptStatement) -> str:
    name = statement.statement_reference or statement.account_identification
    return (
        f"{name}: {statement.gap_before} lie between the statement before and its opening balance"
        f" {statement.opening}. A statement is missing."
    )


async def _insert(
    tx: WriteTx, bank_account_id: str, known: Known, new: Sequence[Entry], source: Source
) -> tuple[str, list[str]]:
    """The statement's id, and its new lines that wait to be matched."""
    there = await bank_statements.find_by_digest(tx, bank_account_id, known.digest)
    if there is not None:
        return there, []
    statement_id = await bank_statements.insert(tx, bank_account_id, known, source)
    audit.record(tx, "bank_statement.imported", statement_id)
    return statement_id, await bank_statements.insert_entries(tx, bank_account_id, statement_id, new)


async def _new_entries(
    tx: ReadTx, account: BankAccount, known: Known, seen: set[bytes], warnings: list[str]
) -> list[Entry]:
    """Those that are not there: none of a statement that came before, even within the same file."""
    is_first = not seen
    account_id = account.bank_account_id
    if known.digest in seen or await bank_statements.find_by_digest(tx, account_id, known.digest) is not None:
        seen.add(known.digest)
        return []
    seen.add(known.digest)
    keys = [entry.identity.content_key for entry in known.entries]
    before = await bank_statements.counted_before(tx, account_id, known, keys) if is_first else {}
    there = await bank_statements.known_entries(tx, account_id, keys)
    moved = [
        replace(entry, identity=Identity(key, entry.identity.occurrence + before.get(key, 0)))
        for entry, key in zip(known.entries, keys, strict=True)
    ]
    new = [entry for entry in moved if entry.identity not in there]
    told_otherwise = await _told_otherwise(tx, account_id, new, there)
    for entry in told_otherwise:
        line = entry.lines[0]
        warnings.append(
            f"Line {line.line_number}: {line.amount} of {line.booked_on} came before, one of the two without the"
            " bank's reference. It was not added again; look at it if there were two."
        )
    return [entry for entry in new if entry not in told_otherwise]


async def _told_otherwise(
    tx: ReadTx, account_id: str, new: Sequence[Entry], there: set[Identity]
) -> list[Entry]:
    """New entries that are probably there in another form, as of a notification before its statement."""
    if not new:
        return []
    alike = await bank_statements.kept_alike(tx, account_id, new)
    return probably_known(new, [one for one in alike if one.identity not in there])


def _count(result: _Result, known: Known, new: Sequence[Entry]) -> None:
    statement = known.statement
    fresh = sum(len(entry.lines) for entry in new)
    result.new_lines += fresh
    result.known_lines += len(statement.lines) - fresh
    result.warnings += statement.warnings
    if not statement.has_balances and statement.lines:
        name = statement.reference or statement.account_identification or "The file"
        result.warnings.append(
            f"{name}: opening or closing balance is missing, so its lines could not be checked."
        )


async def _by_account(
    tx: ReadTx, file: _File, chosen: BankAccount | None, warnings: list[str], *, must_be_known: bool
) -> list[tuple[BankAccount | None, list[Known]]]:
    """The statements of each account in the file's order; those of strangers under None."""
    accounts = await bank_accounts.all_accounts(tx)
    groups: dict[str, tuple[BankAccount | None, list[Known]]] = {}
    for known in file.statements:
        account = _account_of(known.statement, accounts, chosen, warnings)
        key = account.bank_account_id if account else ""
        groups.setdefault(key, (account, []))[1].append(known)
    strangers = [known.statement for known in groups.get("", (None, []))[1]]
    for named, currency in dict.fromkeys((one.account_identification, one.currency) for one in strangers):
        warnings.append(
            f"Account {named or 'without a number'} in {currency} is none of yours: nothing is kept."
        )
    if must_be_known and strangers and len(strangers) == len(file.statements):
        raise _unknown(strangers[0])
    return list(groups.values())


def _account_of(
    statement: ParsedStatement,
    accounts: Sequence[BankAccount],
    chosen: BankAccount | None,
    warnings: list[str],
) -> BankAccount | None:
    named = statement.account_identification
    found = find_account(accounts, named, statement.currency) if named else None
    if chosen is None:
        return found
    if found is not None and found.bank_account_id != chosen.bank_account_id:
        why = f"The file is of account {named}, which is another one of yours."
        raise invalid("bank_account_id", "another_account", why)
    if chosen.currency != statement.currency:
        why = f"The file is in {statement.currency}, the account in {chosen.currency}."
        raise invalid("bank_account_id", "another_currency", why)
    if found is None and named:
        if is_iban(named) and chosen.has_iban:
            return None
        warnings.append(f"The file names account {named}; it was put to {chosen.name} as you chose.")
    return chosen


def _unknown(statement: ParsedStatement) -> ServiceError:
    named = statement.account_identification
    message = (
        f"Account {named} in {statement.currency} is none of yours. Add it first."
        if named
        else "The file names no account. Choose the account it belongs to."
    )
    return ServiceError(Kind.FAILED_PRECONDITION, "BANK_ACCOUNT_UNKNOWN", message)


def _as_kept(statement: ParsedStatement, account: BankAccount | None, new: Sequence[Entry]) -> KeptStatement:
    from_day, to_day = statement.days()
    return KeptStatement(
        bank_statement_id="",
        bank_account_id=account.bank_account_id if account else "",
        account_identification=statement.account_identification,
        statement_reference=statement.reference,
        from_day=from_day,
        to_day=to_day,
        opening=statement.opening,
        closing=statement.closing,
        lines=len(statement.lines),
        unmatched_lines=sum(line.amount.minor_units > 0 for entry in new for line in entry.lines),
        imported_at=None,
    )
