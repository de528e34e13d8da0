"""What is sold, and how it is taxed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.invoicing.tables.base import count_column, metadata, text_column, time_column, to

items = Table(
    "items",
    metadata,
    text_column("organization_id"),
    text_column("item_id"),
    text_column("sku"),
    text_column("name"),
    count_column("unit_price_minor_units"),
    text_column("currency"),
    Column("tax_rate_percent", Numeric(7, 4), nullable=False),
    time_column("created_at"),
    text_column("description", default=""),
    Column("price_includes_tax", Boolean, nullable=False, server_default="false"),
    text_column("tax_code", default=""),
    text_column("unit_code", default="C62"),
    Column("archived", Boolean, nullable=False, server_default="false"),
    Column("version", BigInteger, nullable=False, server_default="1"),
    PrimaryKeyConstraint("organization_id", "item_id"),
    UniqueConstraint("organization_id", "sku", name="uq_items_sku"),
    Index("ix_items_name", "organization_id", text("lower(name)"), "item_id"),
)

item_prices = Table(
    "item_prices",
    metadata,
    text_column("organization_id"),
    text_column("item_id"),
    text_column("currency"),
    count_column("unit_price_minor_units"),
    PrimaryKeyConstraint("organization_id", "item_id", "currency"),
    to("items", "item_id"),
)
"""Prices in other currencies than the item's first."""

tax_rates = Table(
    "tax_rates",
    metadata,
    text_column("organization_id"),
    text_column("code"),
    Column("valid_from", Date, nullable=False),
    text_column("name"),
    Column("taxes", JSONB, nullable=False),
    time_column("created_at"),
    PrimaryKeyConstraint("organization_id", "code", "valid_from"),
)
"""The organization's own tax codes; what a code means changes from a day on."""
