"""What is sold."""

from sqlalchemy import Column, Index, Numeric, PrimaryKeyConstraint, Table, UniqueConstraint, text

from services.invoicing.tables.base import count_column, metadata, text_column, time_column

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
    PrimaryKeyConstraint("organization_id", "item_id"),
    UniqueConstraint("organization_id", "sku", name="uq_items_sku"),
    Index("ix_items_name", "organization_id", text("lower(name)"), "item_id"),
)
