"""Tables of the invoicing service. Amounts are minor units of the row's `currency`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.tables import books_state_table, convention, ledger_tables, transport_tables

metadata = MetaData(naming_convention=convention)
transport = transport_tables(metadata)
ledger_entries, ledger_lines = ledger_tables(metadata)
books_state = books_state_table(metadata)

PAYABLE = "status IN ('open', 'partly_paid')"
HELD = "state = 'held'"


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _bigint(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _sum(name: str) -> Column[int]:
    """An amount that begins with nothing."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def _timestamp(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _to(table: str, column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", column], [f"{table}.organization_id", f"{table}.{column}"]
    )


def _to_credit() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "source_payment_id"],
        ["customer_credits.organization_id", "customer_credits.payment_id"],
    )


organizations = Table(
    "organizations",
    metadata,
    _text("organization_id"),
    _text("name"),
    _text("display_name"),
    _text("currency"),
    _text("time_zone"),
    _text("locale"),
    Column("address_lines", ARRAY(Text), nullable=False),
    _text("city"),
    _text("region"),
    _text("postal_code"),
    _text("country"),
    _text("tax_id"),
    _text("contact_email"),
    _text("contact_phone"),
    _text("brand_color"),
    Column("logo", LargeBinary, nullable=False),
    _text("logo_media_type"),
    _bigint("version"),
    PrimaryKeyConstraint("organization_id"),
)

customers = Table(
    "customers",
    metadata,
    _text("organization_id"),
    _text("customer_id"),
    _text("name"),
    _text("email"),
    Column("external_id", Text),
    _text("currency"),
    _text("locale"),
    Column("address_lines", ARRAY(Text), nullable=False),
    _text("country"),
    _text("tax_id"),
    Column("payment_terms_days", Integer, nullable=False),
    _bigint("version"),
    _timestamp("created_at"),
    PrimaryKeyConstraint("organization_id", "customer_id"),
    UniqueConstraint("organization_id", "external_id", name="uq_customers_external_id"),
    Index("ix_customers_name", "organization_id", text("lower(name)"), "customer_id"),
)

items = Table(
    "items",
    metadata,
    _text("organization_id"),
    _text("item_id"),
    _text("sku"),
    _text("name"),
    _bigint("unit_price_minor_units"),
    _text("currency"),
    Column("tax_rate_percent", Numeric(7, 4), nullable=False),
    _timestamp("created_at"),
    PrimaryKeyConstraint("organization_id", "item_id"),
    UniqueConstraint("organization_id", "sku", name="uq_items_sku"),
    Index("ix_items_name", "organization_id", text("lower(name)"), "item_id"),
)

invoices = Table(
    "invoices",
    metadata,
    _text("organization_id"),
    _text("invoice_id"),
    _text("customer_id"),
    _text("status"),
    Column("number", Text),
    _text("currency"),
    Column("invoice_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    _bigint("subtotal_minor_units"),
    _bigint("tax_minor_units"),
    _bigint("total_minor_units"),
    _bigint("paid_minor_units"),
    _bigint("reserved_minor_units"),
    _sum("credited_minor_units"),
    _text("customer_name"),
    Column("customer_address_lines", ARRAY(Text), nullable=False),
    _text("customer_country"),
    _text("customer_tax_id"),
    _text("purchase_order_number"),
    _text("memo"),
    Column("external_id", Text),
    Column("disputed", Boolean, nullable=False),
    _bigint("version"),
    _bigint("event_version"),
    _timestamp("created_at"),
    _timestamp("finalized_at", nullable=True),
    _timestamp("paid_at", nullable=True),
    Column("number_key", Text),
    PrimaryKeyConstraint("organization_id", "invoice_id"),
    _to("customers", "customer_id"),
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
    _text("organization_id"),
    _text("invoice_id"),
    Column("line_no", Integer, nullable=False),
    Column("item_id", Text),
    _text("description"),
    Column("quantity", Numeric(13, 4), nullable=False),
    _bigint("unit_price_minor_units"),
    Column("tax_rate_percent", Numeric(7, 4), nullable=False),
    _bigint("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "invoice_id", "line_no"),
    _to("invoices", "invoice_id"),
    _to("items", "item_id"),
)

number_series = Table(
    "number_series",
    metadata,
    _text("organization_id"),
    _bigint("last_number"),
    PrimaryKeyConstraint("organization_id"),
)

pay_links = Table(
    "pay_links",
    metadata,
    _text("organization_id"),
    _text("pay_link_id"),
    _text("invoice_id"),
    _timestamp("expires_at"),
    _timestamp("created_at"),
    _timestamp("revoked_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "pay_link_id"),
    _to("invoices", "invoice_id"),
    Index(
        "uq_pay_links_live",
        "organization_id",
        "invoice_id",
        unique=True,
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

reservations = Table(
    "reservations",
    metadata,
    _text("organization_id"),
    _text("payment_id"),
    _text("invoice_id"),
    _bigint("amount_minor_units"),
    _text("state"),
    _timestamp("expires_at"),
    _timestamp("created_at"),
    PrimaryKeyConstraint("organization_id", "payment_id", "invoice_id"),
    _to("invoices", "invoice_id"),
    CheckConstraint("state IN ('held', 'released', 'expired', 'settled')", name="state"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    Index("ix_reservations_expiring", "organization_id", "expires_at", postgresql_where=text(HELD)),
    Index("ix_reservations_invoice", "organization_id", "invoice_id", postgresql_where=text(HELD)),
)

payment_applications = Table(
    "payment_applications",
    metadata,
    _text("organization_id"),
    _text("payment_id"),
    _text("customer_id"),
    _text("receipt_number"),
    _bigint("received_minor_units"),
    _bigint("credited_minor_units"),
    _text("currency"),
    Column("received_on", Date, nullable=False),
    _timestamp("applied_at"),
    _sum("surcharge_minor_units"),
    _sum("credit_used_minor_units"),
    _sum("refunded_minor_units"),
    Column("event_version", BigInteger, nullable=False, server_default="1"),
    PrimaryKeyConstraint("organization_id", "payment_id"),
    _to("customers", "customer_id"),
)

allocations = Table(
    "allocations",
    metadata,
    _text("organization_id"),
    _text("payment_id"),
    _text("invoice_id"),
    _bigint("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "payment_id", "invoice_id"),
    _to("payment_applications", "payment_id"),
    _to("invoices", "invoice_id"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    Index("ix_allocations_invoice", "organization_id", "invoice_id"),
)

customer_credits = Table(
    "customer_credits",
    metadata,
    _text("organization_id"),
    _text("payment_id"),
    _text("customer_id"),
    _text("currency"),
    _bigint("amount_minor_units"),
    _bigint("remaining_minor_units"),
    _timestamp("created_at"),
    _sum("held_minor_units"),
    PrimaryKeyConstraint("organization_id", "payment_id"),
    _to("payment_applications", "payment_id"),
    _to("customers", "customer_id"),
    CheckConstraint(
        "remaining_minor_units >= 0 AND remaining_minor_units <= amount_minor_units", name="remaining"
    ),
    CheckConstraint("held_minor_units >= 0 AND held_minor_units <= remaining_minor_units", name="held"),
    Index("ix_customer_credits_customer", "organization_id", "customer_id", "currency"),
)

credit_holds = Table(
    "credit_holds",
    metadata,
    _text("organization_id"),
    _text("payment_id"),
    _text("source_payment_id"),
    _bigint("amount_minor_units"),
    _timestamp("created_at"),
    PrimaryKeyConstraint("organization_id", "payment_id", "source_payment_id"),
    _to_credit(),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    Index("ix_credit_holds_source", "organization_id", "source_payment_id"),
)

credit_allocations = Table(
    "credit_allocations",
    metadata,
    _text("organization_id"),
    _text("payment_id"),
    _text("source_payment_id"),
    _text("invoice_id"),
    _bigint("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "payment_id", "source_payment_id", "invoice_id"),
    _to("payment_applications", "payment_id"),
    _to_credit(),
    _to("invoices", "invoice_id"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    Index("ix_credit_allocations_source", "organization_id", "source_payment_id"),
    Index("ix_credit_allocations_invoice", "organization_id", "invoice_id"),
)

payment_reversals = Table(
    "payment_reversals",
    metadata,
    _text("organization_id"),
    _text("reversal_id"),
    _text("payment_id"),
    _text("kind"),
    _bigint("amount_minor_units"),
    _bigint("surcharge_minor_units"),
    _bigint("shortfall_minor_units"),
    _text("currency"),
    Column("forgiven", Boolean, nullable=False),
    Column("to_credit", Boolean, nullable=False),
    _text("reason"),
    _timestamp("reversed_at"),
    _timestamp("reinstated_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "reversal_id"),
    _to("payment_applications", "payment_id"),
    Index("ix_payment_reversals_payment", "organization_id", "payment_id"),
)

reversal_parts = Table(
    "reversal_parts",
    metadata,
    _text("organization_id"),
    _text("reversal_id"),
    Column("part_no", Integer, nullable=False),
    _text("payment_id"),
    _text("source_payment_id"),
    Column("invoice_id", Text),
    _bigint("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "reversal_id", "part_no"),
    _to("payment_reversals", "reversal_id"),
    _to("invoices", "invoice_id"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
)

imports = Table(
    "imports",
    metadata,
    _text("organization_id"),
    _text("import_id"),
    _text("file_name"),
    _text("state"),
    Column("notify", Boolean, nullable=False),
    Column("total_rows", Integer, nullable=False),
    Column("handled_rows", Integer, nullable=False),
    Column("created_rows", Integer, nullable=False),
    Column("unchanged_rows", Integer, nullable=False),
    Column("failed_rows", Integer, nullable=False),
    Column("errors", JSONB, nullable=False),
    _text("actor"),
    _timestamp("created_at"),
    _timestamp("finished_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "import_id"),
    CheckConstraint("state IN ('preview', 'running', 'done')", name="state"),
    Index("ix_imports_running", "organization_id", "created_at", postgresql_where=text("state = 'running'")),
)

import_rows = Table(
    "import_rows",
    metadata,
    _text("organization_id"),
    _text("import_id"),
    Column("line", Integer, nullable=False),
    _text("external_id"),
    _text("customer_external_id"),
    _text("customer_name"),
    _text("customer_email"),
    Column("invoice_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    _bigint("total_minor_units"),
    _text("currency"),
    _text("description"),
    Column("disputed", Boolean, nullable=False),
    Column("settled_date", Date),
    Column("handled", Boolean, nullable=False),
    PrimaryKeyConstraint("organization_id", "import_id", "line"),
    _to("imports", "import_id"),
)

TENANT_TABLES = (
    "organizations",
    "customers",
    "items",
    "invoices",
    "invoice_lines",
    "number_series",
    "pay_links",
    "reservations",
    "payment_applications",
    "allocations",
    "customer_credits",
    "credit_holds",
    "credit_allocations",
    "payment_reversals",
    "reversal_parts",
    "imports",
    "import_rows",
    "books_state",
)
"""Business tables of this service, all under row-level security."""

SWEEP_TABLES = ("reservations", "imports", "books_state")
"""Those that background work searches across organizations."""
