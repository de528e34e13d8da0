"""Invoices, their lines, their numbers and links to pay them."""

from sqlalchemy import (
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
from sqlalchemy.dialects.postgresql import ARRAY

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
    PrimaryKeyConstraint("organization_id", "invoice_id"),
    to("customers", "customer_id"),
    UniqueConstraint("organization_id", "number", name="uq_invoices_number"),
    UniqueConstraint("organization_id", "external_id", name="uq_invoices_external_id"),
    CheckConstraint("status IN ('draft', 'open', 'partly_paid', 'paid', 'void')", name="status"),
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
    PrimaryKeyConstraint("organization_id", "invoice_id", "line_no"),
    to("invoices", "invoice_id"),
    to("items", "item_id"),
)

number_series = Table(
    "number_series",
    metadata,
    text_column("organization_id"),
    count_column("last_number"),
    PrimaryKeyConstraint("organization_id"),
)

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
