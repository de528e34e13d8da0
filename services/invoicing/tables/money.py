"""Money put to invoices: what is held, applied, left over and taken back."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from services.invoicing.tables.base import count_column, metadata, sum_column, text_column, time_column, to

HELD = "state = 'held'"


def to_credit() -> ForeignKeyConstraint:
    """A reference to the payment that left the credit."""
    return ForeignKeyConstraint(
        ["organization_id", "source_payment_id"],
        ["customer_credits.organization_id", "customer_credits.payment_id"],
    )


reservations = Table(
    "reservations",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("invoice_id"),
    count_column("amount_minor_units"),
    text_column("state"),
    time_column("expires_at"),
    time_column("created_at"),
    sum_column("discount_minor_units"),
    PrimaryKeyConstraint("organization_id", "payment_id", "invoice_id"),
    to("invoices", "invoice_id"),
    CheckConstraint("state IN ('held', 'released', 'expired', 'settled')", name="state"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    Index("ix_reservations_expiring", "organization_id", "expires_at", postgresql_where=text(HELD)),
    Index("ix_reservations_invoice", "organization_id", "invoice_id", postgresql_where=text(HELD)),
)

payment_applications = Table(
    "payment_applications",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("customer_id"),
    text_column("receipt_number"),
    count_column("received_minor_units"),
    count_column("credited_minor_units"),
    text_column("currency"),
    Column("received_on", Date, nullable=False),
    time_column("applied_at"),
    sum_column("surcharge_minor_units"),
    sum_column("credit_used_minor_units"),
    sum_column("refunded_minor_units"),
    Column("event_version", BigInteger, nullable=False, server_default="1"),
    PrimaryKeyConstraint("organization_id", "payment_id"),
    to("customers", "customer_id"),
)

allocations = Table(
    "allocations",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("invoice_id"),
    count_column("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "payment_id", "invoice_id"),
    to("payment_applications", "payment_id"),
    to("invoices", "invoice_id"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    Index("ix_allocations_invoice", "organization_id", "invoice_id"),
)

customer_credits = Table(
    "customer_credits",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("customer_id"),
    text_column("currency"),
    count_column("amount_minor_units"),
    count_column("remaining_minor_units"),
    time_column("created_at"),
    sum_column("held_minor_units"),
    PrimaryKeyConstraint("organization_id", "payment_id"),
    to("payment_applications", "payment_id"),
    to("customers", "customer_id"),
    CheckConstraint(
        "remaining_minor_units >= 0 AND remaining_minor_units <= amount_minor_units", name="remaining"
    ),
    CheckConstraint("held_minor_units >= 0 AND held_minor_units <= remaining_minor_units", name="held"),
    Index("ix_customer_credits_customer", "organization_id", "customer_id", "currency"),
)

credit_holds = Table(
    "credit_holds",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("source_payment_id"),
    count_column("amount_minor_units"),
    time_column("created_at"),
    PrimaryKeyConstraint("organization_id", "payment_id", "source_payment_id"),
    to_credit(),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    Index("ix_credit_holds_source", "organization_id", "source_payment_id"),
)

credit_allocations = Table(
    "credit_allocations",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("source_payment_id"),
    text_column("invoice_id"),
    count_column("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "payment_id", "source_payment_id", "invoice_id"),
    to("payment_applications", "payment_id"),
    to_credit(),
    to("invoices", "invoice_id"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    Index("ix_credit_allocations_source", "organization_id", "source_payment_id"),
    Index("ix_credit_allocations_invoice", "organization_id", "invoice_id"),
)

payment_reversals = Table(
    "payment_reversals",
    metadata,
    text_column("organization_id"),
    text_column("reversal_id"),
    text_column("payment_id"),
    text_column("kind"),
    count_column("amount_minor_units"),
    count_column("surcharge_minor_units"),
    count_column("shortfall_minor_units"),
    text_column("currency"),
    Column("forgiven", Boolean, nullable=False),
    Column("to_credit", Boolean, nullable=False),
    text_column("reason"),
    time_column("reversed_at"),
    time_column("reinstated_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "reversal_id"),
    to("payment_applications", "payment_id"),
    Index("ix_payment_reversals_payment", "organization_id", "payment_id"),
)

reversal_parts = Table(
    "reversal_parts",
    metadata,
    text_column("organization_id"),
    text_column("reversal_id"),
    Column("part_no", Integer, nullable=False),
    text_column("payment_id"),
    text_column("source_payment_id"),
    Column("invoice_id", Text),
    count_column("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "reversal_id", "part_no"),
    to("payment_reversals", "reversal_id"),
    to("invoices", "invoice_id"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
)
