"""Rules that paying companies set for their own people, and what guards against card testing."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from services.payments.tables.base import metadata, text_column, time_column, units_column

payer_rules = Table(
    "payer_rules",
    metadata,
    text_column("organization_id"),
    text_column("customer_id"),
    Column("approval_above_minor_units", BigInteger),
    Column("approval_above_currency", Text),
    Column("approvals_needed", SmallInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", "customer_id", name="pk_payer_rules"),
    CheckConstraint(
        "(approval_above_minor_units IS NULL) = (approval_above_currency IS NULL)", name="approval_above"
    ),
    CheckConstraint("approvals_needed BETWEEN 0 AND 2", name="approvals_needed"),
)

person_limits = Table(
    "person_limits",
    metadata,
    text_column("organization_id"),
    text_column("customer_id"),
    text_column("person_id"),
    Column("per_payment_minor_units", BigInteger),
    Column("per_payment_currency", Text),
    Column("per_month_minor_units", BigInteger),
    Column("per_month_currency", Text),
    PrimaryKeyConstraint("organization_id", "customer_id", "person_id", name="pk_person_limits"),
)

person_payments = Table(
    "person_payments",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("customer_id"),
    text_column("person_id"),
    units_column("amount_minor_units"),
    text_column("currency"),
    text_column("month"),
    PrimaryKeyConstraint("organization_id", "payment_id", name="pk_person_payments"),
    Index("ix_person_payments_month", "organization_id", "customer_id", "person_id", "month"),
)
"""What people of companies with rules have started, by month of the organization (2026-11)."""

approval_requests = Table(
    "approval_requests",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("customer_id"),
    text_column("requested_by"),
    text_column("requested_by_id"),
    Column("approvals_needed", SmallInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    time_column("created_at"),
    PrimaryKeyConstraint("organization_id", "payment_id", name="pk_approval_requests"),
    Index(
        "ix_approval_requests_open",
        "organization_id",
        "customer_id",
        "created_at",
        postgresql_where=text("is_open"),
    ),
)

payment_approvals = Table(
    "payment_approvals",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("person_id"),
    text_column("person_name"),
    time_column("approved_at"),
    PrimaryKeyConstraint("organization_id", "payment_id", "person_id", name="pk_payment_approvals"),
)
"""The key is the rule: nobody counts twice."""

guard_failures = Table(
    "guard_failures",
    metadata,
    text_column("organization_id"),
    text_column("subject"),
    text_column("payment_id"),
    time_column("failed_at"),
    PrimaryKeyConstraint("organization_id", "subject", "payment_id", name="pk_guard_failures"),
    Index("ix_guard_failures_subject", "organization_id", "subject", "failed_at"),
    Index("ix_guard_failures_failed_at", "failed_at"),
)
"""Charges that a bank or provider refused, by what they had in common; further tries of one payment's page have /2, /3
behind its id. Kept for two days."""

guarded_payments = Table(
    "guarded_payments",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    Column("subjects", ARRAY(Text), nullable=False),
    Column("is_known", Boolean, nullable=False),
    time_column("created_at"),
    PrimaryKeyConstraint("organization_id", "payment_id", name="pk_guarded_payments"),
    Index("ix_guarded_payments_created_at", "created_at"),
    Index(
        "ix_guarded_payments_unknown",
        "organization_id",
        "created_at",
        postgresql_where=text("NOT is_known"),
    ),
)
"""What a try has in common with others: pay link or customer, address (hashed). Kept for two days."""
