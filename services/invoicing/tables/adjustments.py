"""Credit notes, the taxes that reductions correct, and fees for paying late."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.invoicing.tables.base import count_column, metadata, text_column, time_column, to

credit_notes = Table(
    "credit_notes",
    metadata,
    text_column("organization_id"),
    text_column("credit_note_id"),
    text_column("number"),
    text_column("invoice_id"),
    text_column("customer_id"),
    text_column("currency"),
    count_column("subtotal_minor_units"),
    count_column("tax_minor_units"),
    count_column("total_minor_units"),
    count_column("to_credit_minor_units"),
    text_column("reason_code"),
    text_column("reason"),
    Column("issued_on", Date, nullable=False),
    time_column("created_at"),
    PrimaryKeyConstraint("organization_id", "credit_note_id"),
    to("invoices", "invoice_id"),
    to("customers", "customer_id"),
    UniqueConstraint("organization_id", "number", name="uq_credit_notes_number"),
    CheckConstraint(
        "total_minor_units > 0 AND subtotal_minor_units + tax_minor_units = total_minor_units"
        " AND to_credit_minor_units BETWEEN 0 AND total_minor_units",
        name="sums",
    ),
    Index("ix_credit_notes_invoice", "organization_id", "invoice_id"),
    Index("ix_credit_notes_customer", "organization_id", "customer_id", text("credit_note_id DESC")),
)

credit_note_lines = Table(
    "credit_note_lines",
    metadata,
    text_column("organization_id"),
    text_column("credit_note_id"),
    Column("line_no", Integer, nullable=False),
    text_column("invoice_id"),
    Column("invoice_line_no", Integer),
    text_column("description"),
    Column("quantity", Numeric(13, 4), nullable=False),
    count_column("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "credit_note_id", "line_no"),
    to("credit_notes", "credit_note_id"),
    Index("ix_credit_note_lines_invoice", "organization_id", "invoice_id"),
)
"""Amounts include the tax."""

credit_note_parts = Table(
    "credit_note_parts",
    metadata,
    text_column("organization_id"),
    text_column("credit_note_id"),
    text_column("payment_id"),
    text_column("source_payment_id"),
    count_column("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "credit_note_id", "payment_id", "source_payment_id"),
    to("credit_notes", "credit_note_id"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
)
"""What had been paid on the invoice and went back to credit."""

adjustment_taxes = Table(
    "adjustment_taxes",
    metadata,
    text_column("organization_id"),
    text_column("adjustment_id"),
    Column("group_no", Integer, nullable=False),
    text_column("invoice_id"),
    count_column("taxable_minor_units"),
    count_column("tax_minor_units"),
    Column("taxes", JSONB, nullable=False),
    PrimaryKeyConstraint("organization_id", "adjustment_id", "group_no"),
    to("invoice_adjustments", "adjustment_id"),
    Index("ix_adjustment_taxes_invoice", "organization_id", "invoice_id"),
)
"""How an adjustment corrects revenue and taxes, by the groups in which its invoice works out tax."""

late_fee_policies = Table(
    "late_fee_policies",
    metadata,
    text_column("organization_id"),
    text_column("late_fee_policy_id"),
    text_column("name"),
    text_column("segment"),
    text_column("currency"),
    count_column("flat_minor_units"),
    Column("percent", Numeric(7, 4), nullable=False),
    text_column("percent_per"),
    Column("grace_days", Integer, nullable=False),
    Column("cap_minor_units", BigInteger),
    Column("cap_percent", Numeric(7, 4)),
    count_column("min_due_minor_units"),
    Column("repeat_every", Integer, nullable=False),
    text_column("repeat_unit"),
    Column("is_active", Boolean, nullable=False),
    time_column("updated_at"),
    Column("reference_rate", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("organization_id", "late_fee_policy_id"),
    UniqueConstraint("organization_id", "segment", "currency", name="uq_late_fee_policies_segment"),
    CheckConstraint("percent_per IN ('year', 'period')", name="percent_per"),
    CheckConstraint("repeat_unit IN ('once', 'days', 'months')", name="repeat_unit"),
    CheckConstraint(
        "flat_minor_units >= 0 AND percent >= 0 AND grace_days >= 0 AND min_due_minor_units >= 0"
        " AND (cap_minor_units IS NULL OR cap_minor_units >= 0) AND (cap_percent IS NULL OR cap_percent >= 0)",
        name="amounts",
    ),
)

late_fee_caps = Table(
    "late_fee_caps",
    metadata,
    text_column("organization_id"),
    text_column("country"),
    Column("annual_percent", Numeric(7, 4), nullable=False),
    Column("flat_minor_units", BigInteger),
    text_column("currency"),
    text_column("note"),
    time_column("updated_at"),
    PrimaryKeyConstraint("organization_id", "country"),
    CheckConstraint("annual_percent >= 0", name="annual_percent"),
)
"""What the law of a customer's country allows at most."""

legal_rates = Table(
    "legal_rates",
    metadata,
    text_column("organization_id"),
    text_column("name"),
    Column("valid_from", Date, nullable=False),
    Column("value", Numeric(12, 4), nullable=False),
    text_column("source"),
    time_column("updated_at"),
    PrimaryKeyConstraint("organization_id", "name", "valid_from"),
)

late_fees = Table(
    "late_fees",
    metadata,
    text_column("organization_id"),
    text_column("invoice_id"),
    Column("period_no", Integer, nullable=False),
    Column("decided_on", Date, nullable=False),
    text_column("outcome"),
    text_column("reason"),
    Column("fee_invoice_id", Text),
    count_column("amount_minor_units"),
    text_column("currency"),
    text_column("late_fee_policy_id"),
    Column("next_on", Date),
    time_column("decided_at"),
    PrimaryKeyConstraint("organization_id", "invoice_id", "period_no"),
    to("invoices", "invoice_id"),
    CheckConstraint("outcome IN ('charged', 'skipped')", name="outcome"),
    Index("ix_late_fees_next_on", "organization_id", "next_on", postgresql_where=text("next_on IS NOT NULL")),
)
"""What became of each period in which an invoice was late. A period that was skipped is looked at again."""
