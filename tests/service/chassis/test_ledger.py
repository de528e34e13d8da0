"""The ledger balances whatever is tried against it."""

from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from chassis.database import Database, violated_constraint
from chassis.ledger import Entry, balance, credit, debit, post, unbalanced_entries
from chassis.money import Money
from tests.service.chassis.conftest import ACME
from tests.support.database import DatabaseUrls

AT = datetime(2026, 1, 5, tzinfo=UTC)
TEN = Money(1000, "USD")
LINE = text(
    "INSERT INTO ledger_lines (organization_id, entry_id, line_no, account, owner, currency, side,"
    " amount_minor_units) VALUES ('org_acme', :entry_id, :line_no, 'cash', '-', 'USD', :side, :amount)"
)
LINES = text(
    "INSERT INTO ledger_lines (organization_id, entry_id, line_no, account, owner, currency, side,"
    " amount_minor_units) VALUES ('org_acme', 'ent_1', 1, 'cash', '-', 'USD', 'D', :debited),"
    " ('org_acme', 'ent_1', 2, 'cash', '-', 'USD', 'C', :credited)"
)
ENTRY = text(
    "INSERT INTO ledger_entries (organization_id, entry_id, source, source_id, kind, occurred_at, posted_at)"
    " VALUES ('org_acme', 'ent_1', 'payment', 'pay_1', 'captured', :at, :at)"
)


def captured(payment_id: str = "pay_1") -> Entry:
    return Entry(
        source="payment",
        source_id=payment_id,
        kind="captured",
        lines=[debit("cash", "-", TEN), credit("receivables", "cus_1", TEN)],
        occurred_at=AT,
    )


async def test_an_entry_is_posted_once_for_its_source(db: Database) -> None:
    async with db.write(ACME) as tx:
        assert await post(tx, captured())
        assert not await post(tx, captured())
    async with db.read(ACME) as tx:
        assert await balance(tx, "cash", "-", "USD") == TEN
        assert await balance(tx, "receivables", "cus_1", "USD") == -TEN
        assert await unbalanced_entries(tx) == []


async def test_an_unbalanced_entry_is_refused(db: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        await _post_by_hand(db, debit_units=10, credit_units=9)
    assert violated_constraint(caught.value) == "ledger_entry_balances"


async def test_an_entry_without_lines_and_a_late_line_are_refused(db: Database) -> None:
    with pytest.raises(IntegrityError, match="fewer than two lines"):
        async with db.write(ACME) as tx:
            await tx.execute(ENTRY, {"at": AT})
    async with db.write(ACME) as tx:
        await post(tx, captured())
        entry_id = (await tx.execute(text("SELECT entry_id FROM ledger_entries"))).scalar_one()
    with pytest.raises(IntegrityError, match="does not balance"):
        async with db.write(ACME) as tx:
            await tx.execute(LINE, {"entry_id": entry_id, "line_no": 3, "side": "D", "amount": 1})


async def test_a_balanced_entry_by_hand_is_accepted(db: Database) -> None:
    """The negative control: the refusals above come from the balance alone."""
    await _post_by_hand(db, debit_units=10, credit_units=10)
    async with db.read(ACME) as tx:
        assert await balance(tx, "cash", "-", "USD") == Money.zero("USD")


async def _post_by_hand(db: Database, *, debit_units: int, credit_units: int) -> None:
    async with db.write(ACME) as tx:
        await tx.execute(ENTRY, {"at": AT})
        await tx.execute(LINES, {"debited": debit_units, "credited": credit_units})


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger_lines SET amount_minor_units = 1", "DELETE FROM ledger_entries"]
)
async def test_posted_rows_cannot_be_changed(db: Database, urls: DatabaseUrls, statement: str) -> None:
    async with db.write(ACME) as tx:
        await post(tx, captured())
    with pytest.raises(DBAPIError, match="permission denied"):
        async with db.write(ACME) as tx:
            await tx.execute(text(statement))
    async with await psycopg.AsyncConnection.connect(urls.superuser) as admin:
        with pytest.raises(psycopg.errors.RestrictViolation):
            await admin.execute(statement.encode())
        await admin.rollback()
        with pytest.raises(psycopg.errors.RestrictViolation):
            await admin.execute("TRUNCATE ledger_lines")
