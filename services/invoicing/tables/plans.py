"""Instalment plans, promises to pay, the policies for both, and signs that paying is hard."""

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
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.invoicing.tables.base import count_column, metadata, text_column, time_column, to

AWAKE = "wake_at IS NOT NULL"

instalment_plans = Table(
    "instalment_plans",
    metadata,
    text_column("organization_id"),
    text_column("plan_id"),
    text_column("customer_id"),
    text_column("currency"),
    text_column("state"),
    Column("hardship", Boolean, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    text_column("message"),
    Column("wished_minor_units", BigInteger),
    count_column("discount_minor_units"),
    text_column("note"),
    Column("choice", JSONB, nullable=False),
    Column("rules", JSONB, nullable=False),
    Column("instalments", JSONB, nullable=False),
    Column("agreement", JSONB(none_as_null=True)),
    Column("offered_until", Date),
    Column("announced", Integer, nullable=False),
    Column("checked_on", Date),
    time_column("wake_at", nullable=True),
    time_column("created_at"),
    text_column("created_by"),
    text_column("created_by_name"),
    time_column("decided_at", nullable=True),
    text_column("decided_by_name"),
    time_column("ended_at", nullable=True),
    count_column("version"),
    count_column("event_version"),
    PrimaryKeyConstraint("organization_id", "plan_id"),
    to("customers", "customer_id"),
    CheckConstraint(
        "state IN ('requested', 'offered', 'rejected', 'active', 'completed', 'broken', 'canceled')",
        name="state",
    ),
    CheckConstraint("discount_minor_units >= 0", name="discount"),
    CheckConstraint(
        "state NOT IN ('active', 'completed', 'broken') OR agreement IS NOT NULL", name="agreement"
    ),
    Index("ix_instalment_plans_newest", "organization_id", text("created_at DESC"), text("plan_id DESC")),
    Index("ix_instalment_plans_customer", "organization_id", "customer_id", "state"),
    Index("ix_instalment_plans_wake_at", "organization_id", "wake_at", postgresql_where=text(AWAKE)),
)
"""What was paid is not here: it is what the invoices came to at the start less what is due on them now."""

plan_invoices = Table(
    "plan_invoices",
    metadata,
    text_column("organization_id"),
    text_column("plan_id"),
    text_column("invoice_id"),
    Column("live", Boolean, nullable=False),
    count_column("start_minor_units"),
    count_column("discount_minor_units"),
    PrimaryKeyConstraint("organization_id", "plan_id", "invoice_id"),
    to("instalment_plans", "plan_id"),
    to("invoices", "invoice_id"),
    CheckConstraint("start_minor_units >= 0 AND discount_minor_units >= 0", name="amounts"),
    Index(
        "uq_plan_invoices_live", "organization_id", "invoice_id", unique=True, postgresql_where=text("live")
    ),
)
"""Live while its plan is asked for, offered or agreed: an invoice is in one such plan at most."""

payment_promises = Table(
    "payment_promises",
    metadata,
    text_column("organization_id"),
    text_column("promise_id"),
    text_column("customer_id"),
    text_column("currency"),
    count_column("amount_minor_units"),
    count_column("received_minor_units"),
    Column("promised_on", Date, nullable=False),
    Column("grace_days", Integer, nullable=False),
    text_column("state"),
    text_column("note"),
    Column("by_staff", Boolean, nullable=False),
    time_column("wake_at", nullable=True),
    time_column("created_at"),
    text_column("created_by"),
    text_column("created_by_name"),
    time_column("ended_at", nullable=True),
    count_column("event_version"),
    PrimaryKeyConstraint("organization_id", "promise_id"),
    to("customers", "customer_id"),
    CheckConstraint("state IN ('open', 'kept', 'broken', 'withdrawn', 'released')", name="state"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    Index("ix_payment_promises_newest", "organization_id", text("created_at DESC"), text("promise_id DESC")),
    Index("ix_payment_promises_customer", "organization_id", "customer_id", "state"),
    Index("ix_payment_promises_wake_at", "organization_id", "wake_at", postgresql_where=text(AWAKE)),
)
"""`received_minor_units` is written when a promise ends; while it is open it is summed up anew."""

plan_policies = Table(
    "plan_policies",
    metadata,
    text_column("organization_id"),
    text_column("segment"),
    text_column("currency"),
    Column("rules", JSONB, nullable=False),
    time_column("changed_at"),
    PrimaryKeyConstraint("organization_id", "segment", "currency"),
)

failed_payments = Table(
    "failed_payments",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("customer_id"),
    time_column("failed_at"),
    PrimaryKeyConstraint("organization_id", "payment_id"),
    Index("ix_failed_payments_customer", "organization_id", "customer_id", "failed_at"),
)
"""A sign of hardship; rows older than the time that counts are deleted when a new one comes."""

plan_suggestions = Table(
    "plan_suggestions",
    metadata,
    text_column("organization_id"),
    text_column("customer_id"),
    Column("first_shown_on", Date, nullable=False),
    Column("declined", Boolean, nullable=False),
    PrimaryKeyConstraint("organization_id", "customer_id"),
    to("customers", "customer_id"),
)
