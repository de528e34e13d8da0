"""Invoices, their lines, their numbers and links to pay them."""

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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.invoicing.tables.base import count_column, metadata, sum_column, text_column, time_column, to

PAYABLE = "status IN ('open', 'partly_paid')"

invoices = Table(
    "invoices",
    metadata,
    text_column("organization_id"),
    text_column("invoice_id"),
    text_column("customer_id"),
    text_column("status"),
    Column("number", Text),
    text_column("currency"),
    Column("invoice_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    count_column("subtotal_minor_units"),
    count_column("tax_minor_units"),
    count_column("total_minor_units"),
    count_column("paid_minor_units"),
    count_column("reserved_minor_units"),
    sum_column("credited_minor_units"),
    text_column("customer_name"),
    Column("customer_address_lines", ARRAY(Text), nullable=False),
    text_column("customer_country"),
    text_column("customer_tax_id"),
    text_column("purchase_order_number"),
    text_column("memo"),
    Column("external_id", Text),
    Column("disputed", Boolean, nullable=False),
    count_column("version"),
    count_column("event_version"),
    time_column("created_at"),
    time_column("finalized_at", nullable=True),
    time_column("paid_at", nullable=True),
    Column("number_key", Text),
    text_column("kind", default="invoice"),
    text_column("relates_to", default=""),
    text_column("series", default=""),
    Column("prices_include_tax", Boolean, nullable=False, server_default="false"),
    Column("discount_percent", Numeric(7, 4), nullable=False, server_default="0"),
    Column("discount_minor_units", BigInteger),
    Column("early_discount_percent", Numeric(7, 4), nullable=False, server_default="0"),
    Column("early_discount_until", Date),
    sum_column("disputed_minor_units"),
    Column("period_start", Date),
    Column("period_end", Date),
    text_column("schedule_id", default=""),
    sum_column("written_off_minor_units"),
    Column("metadata", JSONB, nullable=False, server_default="{}"),
    Column("buyer", JSONB, nullable=False, server_default="{}"),
    PrimaryKeyConstraint("organization_id", "invoice_id"),
    to("customers", "customer_id"),
    UniqueConstraint("organization_id", "number", name="uq_invoices_number"),
    UniqueConstraint("organization_id", "external_id", name="uq_invoices_external_id"),
    CheckConstraint(
        "status IN ('draft', 'open', 'partly_paid', 'paid', 'void', 'uncollectible')", name="status"
    ),
    CheckConstraint("disputed_minor_units >= 0", name="disputed"),
    CheckConstraint("(status = 'draft') = (number IS NULL)", name="number"),
    CheckConstraint(
        "paid_minor_units >= 0 AND reserved_minor_units >= 0 AND credited_minor_units >= 0 AND (status = 'draft'"
        " OR paid_minor_units + credited_minor_units + reserved_minor_units <= total_minor_units)",
        name="guard",
    ),
    CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", name="paid_at"),
    Index("ix_invoices_number_key", "organization_id", "number_key"),
    Index("ix_invoices_newest", "organization_id", text("invoice_date DESC"), text("invoice_id DESC")),
    Index(
        "ix_invoices_customer",
        "organization_id",
        "customer_id",
        text("invoice_date DESC"),
        text("invoice_id DESC"),
    ),
    Index("ix_invoices_payable", "organization_id", "due_date", "invoice_id", postgresql_where=text(PAYABLE)),
    Index(
        "ix_invoices_customer_payable",
        "organization_id",
        "customer_id",
        "due_date",
        "invoice_id",
        postgresql_where=text(PAYABLE),
    ),
)

invoice_lines = Table(
    "invoice_lines",
    metadata,
    text_column("organization_id"),
    text_column("invoice_id"),
    Column("line_no", Integer, nullable=False),
    Column("item_id", Text),
    text_column("description"),
    Column("quantity", Numeric(13, 4), nullable=False),
    count_column("unit_price_minor_units"),
    Column("tax_rate_percent", Numeric(7, 4), nullable=False),
    count_column("amount_minor_units"),
    text_column("sku", default=""),
    text_column("unit_code", default="C62"),
    Column("discount_percent", Numeric(7, 4), nullable=False, server_default="0"),
    Column("discount_minor_units", BigInteger),
    Column("taxes", JSONB, nullable=False, server_default="[]"),
    Column("period_start", Date),
    Column("period_end", Date),
    PrimaryKeyConstraint("organization_id", "invoice_id", "line_no"),
    to("invoices", "invoice_id"),
    to("items", "item_id"),
)

number_series = Table(
    "number_series",
    metadata,
    text_column("organization_id"),
    count_column("last_number"),
    text_column("series", default=""),
    text_column("prefix", default="INV-"),
    Column("digits", Integer, nullable=False, server_default="6"),
    PrimaryKeyConstraint("organization_id", "series"),
)
"""Counters of documents' numbers. The series '' is that of invoices, 'credit-note' that of credit notes."""

invoice_adjustments = Table(
    "invoice_adjustments",
    metadata,
    text_column("organization_id"),
    text_column("adjustment_id"),
    text_column("invoice_id"),
    text_column("kind"),
    text_column("source_id"),
    count_column("amount_minor_units"),
    text_column("currency"),
    text_column("reason", default=""),
    Column("effective_on", Date, nullable=False),
    time_column("created_at"),
    PrimaryKeyConstraint("organization_id", "adjustment_id"),
    to("invoices", "invoice_id"),
    UniqueConstraint(
        "organization_id", "kind", "source_id", "invoice_id", name="uq_invoice_adjustments_source"
    ),
    CheckConstraint(
        "kind IN ('forgiven_refund', 'credit_note', 'early_discount', 'write_off', 'hardship_discount', 'recovery')",
        name="kind",
    ),
    CheckConstraint("amount_minor_units <> 0", name="amount"),
    Index("ix_invoice_adjustments_invoice", "organization_id", "invoice_id"),
)
"""What is not asked for any more though nobody paid it; an invoice's `credited` is their sum. Append-only: what is
taken back is a row with the opposite sign and a source of its own."""

pay_links = Table(
    "pay_links",
    metadata,
    text_column("organization_id"),
    text_column("pay_link_id"),
    text_column("invoice_id"),
    time_column("expires_at"),
    time_column("created_at"),
    time_column("revoked_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "pay_link_id"),
    to("invoices", "invoice_id"),
    Index(
        "uq_pay_links_live",
        "organization_id",
        "invoice_id",
        unique=True,
        postgresql_where=text("revoked_at IS NULL"),
    ),
)
