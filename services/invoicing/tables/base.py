"""What all tables of the invoicing service share. Amounts are minor units of the row's `currency`."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKeyConstraint, MetaData, Text

from chassis.tables import books_tables, convention, ledger_tables, transport_tables

metadata = MetaData(naming_convention=convention)
transport = transport_tables(metadata)
ledger_entries, ledger_lines = ledger_tables(metadata)
books_state, period_locks = books_tables(metadata)


def text_column(name: str, *, default: str | None = None) -> Column[str]:
    """A text that is always there."""
    return Column(name, Text, nullable=False, server_default=default)


def count_column(name: str) -> Column[int]:
    """A large number or an amount that is always given."""
    return Column(name, BigInteger, nullable=False)


def sum_column(name: str) -> Column[int]:
    """An amount that begins with nothing."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def time_column(name: str, *, nullable: bool = False) -> Column[object]:
    """A moment with its zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def to(table: str, column: str) -> ForeignKeyConstraint:
    """A reference within the organization to a table whose key has the same name."""
    return ForeignKeyConstraint(
        ["organization_id", column], [f"{table}.organization_id", f"{table}.{column}"]
    )
