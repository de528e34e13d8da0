"""What became of e-invoices: where each stands, and all that was reported."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.invoicing.tables.base import count_column, metadata, text_column, time_column, to

_CODES = "code IN ('AB', 'IP', 'UQ', 'CA', 'RE', 'AP', 'PD')"

einvoices = Table(
    "einvoices",
    metadata,
    text_column("organization_id"),
    text_column("einvoice_id"),
    text_column("document_id"),
    text_column("number"),
    text_column("invoice_id"),
    text_column("customer_id"),
    text_column("code"),
    time_column("occurred_at"),
    text_column("last_external_id"),
    Column("is_waiting", Boolean, nullable=False),
    time_column("upheld_at", nullable=True),
    text_column("upheld_by_name"),
    text_column("uphold_reason"),
    count_column("event_version"),
    PrimaryKeyConstraint("organization_id", "einvoice_id"),
    UniqueConstraint("organization_id", "document_id", name="uq_einvoices_document"),
    to("invoices", "invoice_id"),
    to("customers", "customer_id"),
    CheckConstraint(_CODES, name="code"),
    CheckConstraint("NOT is_waiting OR (code IN ('RE', 'UQ') AND upheld_at IS NULL)", name="waiting"),
    Index("ix_einvoices_latest", "organization_id", text("occurred_at DESC"), text("einvoice_id DESC")),
    Index("ix_einvoices_waiting", "organization_id", postgresql_where=text("is_waiting")),
)
"""Of each invoice or credit note that was reported on; `last_external_id` is the report that counts."""

einvoice_statuses = Table(
    "einvoice_statuses",
    metadata,
    text_column("organization_id"),
    text_column("external_id"),
    text_column("document_id"),
    text_column("code"),
    time_column("occurred_at"),
    time_column("reported_at"),
    Column("reasons", JSONB, nullable=False),
    Column("actions", JSONB, nullable=False),
    text_column("network"),
    text_column("recipient"),
    text_column("reported_by_name"),
    PrimaryKeyConstraint("organization_id", "external_id"),
    CheckConstraint(_CODES, name="code"),
    Index("ix_einvoice_statuses_document", "organization_id", "document_id", "occurred_at"),
)
"""Each report once; rows are never changed."""
