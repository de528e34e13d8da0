"""Disputes, what was said and shown in them, and how soon they are to be dealt with."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.invoicing.tables.base import count_column, metadata, text_column, time_column, to

disputes = Table(
    "disputes",
    metadata,
    text_column("organization_id"),
    text_column("dispute_id"),
    text_column("invoice_id"),
    text_column("customer_id"),
    text_column("currency"),
    count_column("amount_minor_units"),
    Column("lines", JSONB, nullable=False),
    text_column("reason"),
    text_column("text"),
    text_column("state"),
    text_column("opened_by"),
    text_column("opened_by_name"),
    Column("imported", Boolean, nullable=False),
    time_column("opened_at"),
    time_column("answer_due_at"),
    time_column("resolve_due_at"),
    time_column("answered_at", nullable=True),
    time_column("escalated_at", nullable=True),
    time_column("wake_at", nullable=True),
    text_column("owner_id"),
    text_column("owner_name"),
    time_column("closed_at", nullable=True),
    text_column("resolution"),
    count_column("credited_minor_units"),
    text_column("credit_note_id"),
    count_column("event_version"),
    PrimaryKeyConstraint("organization_id", "dispute_id"),
    to("invoices", "invoice_id"),
    to("customers", "customer_id"),
    CheckConstraint(
        "state IN ('open', 'accepted', 'partly_accepted', 'rejected', 'withdrawn', 'settled')", name="state"
    ),
    CheckConstraint("amount_minor_units > 0 AND credited_minor_units >= 0", name="amount"),
    CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed"),
    Index("ix_disputes_invoice", "organization_id", "invoice_id"),
    Index("ix_disputes_customer", "organization_id", "customer_id"),
    Index("ix_disputes_wake_at", "organization_id", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
)
"""invoices.disputed_minor_units is what the open ones of an invoice come to."""

dispute_entries = Table(
    "dispute_entries",
    metadata,
    text_column("organization_id"),
    text_column("dispute_id"),
    Column("entry_no", Integer, nullable=False),
    text_column("step"),
    text_column("side"),
    text_column("author_name"),
    text_column("text"),
    time_column("created_at"),
    PrimaryKeyConstraint("organization_id", "dispute_id", "entry_no"),
    to("disputes", "dispute_id"),
)

dispute_evidence = Table(
    "dispute_evidence",
    metadata,
    text_column("organization_id"),
    text_column("dispute_id"),
    text_column("evidence_id"),
    text_column("file_name"),
    text_column("media_type"),
    count_column("size_bytes"),
    Column("content", LargeBinary, nullable=False),
    text_column("side"),
    time_column("created_at"),
    PrimaryKeyConstraint("organization_id", "dispute_id", "evidence_id"),
    to("disputes", "dispute_id"),
)

dispute_policies = Table(
    "dispute_policies",
    metadata,
    text_column("organization_id"),
    Column("answer_within_hours", Integer, nullable=False),
    Column("resolve_within_days", Integer, nullable=False),
    time_column("changed_at"),
    PrimaryKeyConstraint("organization_id"),
)
