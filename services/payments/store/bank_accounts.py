"""Bank accounts and CSV mappings."""

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.payments.domain.bank_account import BankAccount
from services.payments.domain.csv_mapping import CsvMapping


async def insert(tx: WriteTx, account: BankAccount) -> bool:
    """Write a new account; False if its number is there already in that currency."""
    params = {name: value for name, value in asdict(account).items() if not name.startswith("balance")}
    params |= {"organization_id": tx.organization_id, "now": tx.now()}
    return (await tx.execute(_INSERT, params)).first() is not None


async def all_accounts(tx: ReadTx) -> list[BankAccount]:
    """The accounts in the order in which they were added, each with its newest known balance."""
    rows = await tx.execute(_ALL, {"organization_id": tx.organization_id})
    return [_account(row) for row in rows]


async def lock(tx: WriteTx, bank_account_id: str) -> None:
    """Let only one import at a time add lines to an account."""
    params = {"organization_id": tx.organization_id, "bank_account_id": bank_account_id}
    await tx.execute(_LOCK, params)


async def save_mapping(tx: WriteTx, mapping: CsvMapping, saved_by: str) -> None:
    """Insert or replace the mapping of that name."""
    params = {
        "organization_id": tx.organization_id,
        "name": mapping.name,
        "mapping": json.dumps(asdict(mapping)),
        "now": tx.now(),
        "saved_by": saved_by,
    }
    await tx.execute(_SAVE_MAPPING, params)


async def find_mapping(tx: ReadTx, name: str) -> CsvMapping | None:
    """The mapping of that name."""
    params = {"organization_id": tx.organization_id, "name": name}
    row = (await tx.execute(_FIND_MAPPING, params)).first()
    return None if row is None else _mapping(row)


async def all_mappings(tx: ReadTx) -> list[CsvMapping]:
    """The mappings by name."""
    rows = await tx.execute(_ALL_MAPPINGS, {"organization_id": tx.organization_id})
    return [_mapping(row) for row in rows]


def _account(row: Row[Any]) -> BankAccount:
    known = row.closing_minor_units is not None
    return BankAccount(
        bank_account_id=row.bank_account_id,
        name=row.name,
        account_holder=row.account_holder,
        account_number=row.account_number,
        currency=row.currency,
        bic=row.bic,
        bank_name=row.bank_name,
        shown_to_payers=row.shown_to_payers,
        balance=Money(row.closing_minor_units, row.currency) if known else None,
        balance_on=row.to_day if known else None,
    )


def _mapping(row: Row[Any]) -> CsvMapping:
    kept = dict(row.mapping)
    return CsvMapping(**kept | {"text_columns": tuple(kept["text_columns"])})


_INSERT = text("""
    INSERT INTO bank_accounts (
        organization_id, bank_account_id, name, account_holder, account_number, bic, bank_name, currency,
        shown_to_payers, created_at
    ) VALUES (
        :organization_id, :bank_account_id, :name, :account_holder, :account_number, :bic, :bank_name, :currency,
        :shown_to_payers, :now
    ) ON CONFLICT ON CONSTRAINT uq_bank_accounts_number DO NOTHING
    RETURNING bank_account_id
""")
_ALL = text("""
    SELECT a.*, s.closing_minor_units, s.to_day
    FROM bank_accounts a LEFT JOIN LATERAL (
        SELECT closing_minor_units, to_day FROM bank_statements s
        WHERE s.organization_id = a.organization_id AND s.bank_account_id = a.bank_account_id
            AND s.closing_minor_units IS NOT NULL AND s.to_day IS NOT NULL
        ORDER BY s.to_day DESC, s.imported_at DESC, s.bank_statement_id DESC LIMIT 1
    ) s ON true
    WHERE a.organization_id = :organization_id
    ORDER BY a.created_at, a.bank_account_id
""")
_LOCK = text(
    "SELECT 1 FROM bank_accounts"
    " WHERE organization_id = :organization_id AND bank_account_id = :bank_account_id FOR UPDATE"
)
_SAVE_MAPPING = text("""
    INSERT INTO csv_mappings (organization_id, name, mapping, saved_at, saved_by)
    VALUES (:organization_id, :name, CAST(:mapping AS jsonb), :now, :saved_by)
    ON CONFLICT (organization_id, name) DO UPDATE
        SET mapping = excluded.mapping, saved_at = excluded.saved_at, saved_by = excluded.saved_by
""")
_FIND_MAPPING = text(
    "SELECT mapping FROM csv_mappings WHERE organization_id = :organization_id AND name = :name"
)
_ALL_MAPPINGS = text(
    "SELECT mapping FROM csv_mappings WHERE organization_id = :organization_id ORDER BY name"
)
