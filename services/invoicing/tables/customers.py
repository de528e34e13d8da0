"""What the service knows of organizations, and the billing accounts that owe."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.invoicing.tables.base import count_column, metadata, text_column, time_column

organizations = Table(
    "organizations",
    metadata,
    text_column("organization_id"),
    text_column("name"),
    text_column("display_name"),
    text_column("currency"),
    text_column("time_zone"),
    text_column("locale"),
    Column("address_lines", ARRAY(Text), nullable=False),
    text_column("city"),
    text_column("region"),
    text_column("postal_code"),
    text_column("country"),
    text_column("tax_id"),
    text_column("contact_email"),
    text_column("contact_phone"),
    text_column("brand_color"),
    Column("logo", LargeBinary, nullable=False),
    text_column("logo_media_type"),
    count_column("version"),
    PrimaryKeyConstraint("organization_id"),
)

customers = Table(
    "customers",
    metadata,
    text_column("organization_id"),
    text_column("customer_id"),
    text_column("name"),
    text_column("email"),
    Column("external_id", Text),
    text_column("currency"),
    text_column("locale"),
    Column("address_lines", ARRAY(Text), nullable=False),
    text_column("country"),
    text_column("tax_id"),
    Column("payment_terms_days", Integer, nullable=False),
    count_column("version"),
    time_column("created_at"),
    PrimaryKeyConstraint("organization_id", "customer_id"),
    UniqueConstraint("organization_id", "external_id", name="uq_customers_external_id"),
    Index("ix_customers_name", "organization_id", text("lower(name)"), "customer_id"),
)
