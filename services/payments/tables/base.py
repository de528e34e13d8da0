"""What all tables of the payments service share."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Text

from chassis.tables import convention

metadata = MetaData(naming_convention=convention)


def text_column(name: str, *, default: str | None = None) -> Column[str]:
    """A text that is always there."""
    return Column(name, Text, nullable=False, server_default=default)


def time_column(name: str, *, nullable: bool = False) -> Column[object]:
    """A moment with its zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def units_column(name: str, *, default: str | None = None) -> Column[int]:
    """An amount in minor units; its currency stands in the row."""
    return Column(name, BigInteger, nullable=False, server_default=default)
