"""Dunning: policies, where invoices stand, what was decided and sent, and what pauses it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.invoicing.tables.base import count_column, metadata, text_column, time_column, to

dunning_policies = Table(
    "dunning_policies",
    metadata,
    text_column("organization_id"),
    text_column("segment"),
    text_column("name"),
    Column("levels", JSONB, nullable=False),
    Column("is_active", Boolean, nullable=False),
    time_column("updated_at"),
    PrimaryKeyConstraint("organization_id", "segment"),
)

dunning_cases = Table(
    "dunning_cases",
    metadata,
    text_column("organization_id"),
    text_column("invoice_id"),
    Column("next_on", Date),
    PrimaryKeyConstraint("organization_id", "invoice_id"),
    to("invoices", "invoice_id"),
)
"""When to look at an invoice again; never, without a day, until its policy changes."""

dunning_notices = Table(
    "dunning_notices",
    metadata,
    text_column("organization_id"),
    text_column("notice_id"),
    text_column("invoice_id"),
    Column("level", Integer, nullable=False),
    text_column("customer_id"),
    text_column("title"),
    text_column("text"),
    text_column("locale"),
    text_column("currency"),
    count_column("amount_minor_units"),
    Column("issued_on", Date, nullable=False),
    Column("deadline_on", Date, nullable=False),
    text_column("fee_invoice_id"),
    Column("letter", Boolean, nullable=False),
    Column("mail", Boolean, nullable=False),
    time_column("issued_at"),
    Column("interest_minor_units", BigInteger),
    Column("fees_minor_units", BigInteger),
    PrimaryKeyConstraint("organization_id", "notice_id"),
    UniqueConstraint("organization_id", "invoice_id", "level", name="uq_dunning_notices_level"),
    to("invoices", "invoice_id"),
    to("customers", "customer_id"),
    Index("ix_dunning_notices_newest", "organization_id", text("issued_at DESC"), text("notice_id DESC")),
)
"""Each level of an invoice once."""

dunning_decisions = Table(
    "dunning_decisions",
    metadata,
    text_column("organization_id"),
    text_column("invoice_id"),
    Column("decision_no", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    text_column("action"),
    text_column("reason"),
    Column("decided_on", Date, nullable=False),
    PrimaryKeyConstraint("organization_id", "invoice_id", "decision_no"),
    to("invoices", "invoice_id"),
    CheckConstraint("action IN ('sent', 'waits', 'over')", name="action"),
)
"""A row for each day on which something else was decided than on the day before."""

dunning_pauses = Table(
    "dunning_pauses",
    metadata,
    text_column("organization_id"),
    text_column("pause_id"),
    text_column("customer_id"),
    text_column("invoice_id"),
    Column("until", Date, nullable=False),
    text_column("reason"),
    text_column("created_by_name"),
    time_column("created_at"),
    time_column("ended_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "pause_id"),
    to("customers", "customer_id"),
    Index("ix_dunning_pauses_customer", "organization_id", "customer_id"),
)

dunning_holds = Table(
    "dunning_holds",
    metadata,
    text_column("organization_id"),
    text_column("source_id"),
    text_column("invoice_id"),
    text_column("kind"),
    Column("until", Date, nullable=False),
    PrimaryKeyConstraint("organization_id", "source_id", "invoice_id"),
    CheckConstraint("kind IN ('claimed', 'autopay')", name="kind"),
    Index("ix_dunning_holds_invoice", "organization_id", "invoice_id"),
)
"""What payments told of money to come: by claim of a transfer or run of autopay."""
