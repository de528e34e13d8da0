"""Payments, attempts, receipts, provider events, and copies of what other services tell."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from chassis.tables import ledger_tables, transport_tables
from services.payments.tables.base import metadata, text_column, time_column, units_column

transport = transport_tables(metadata)
ledger_entries, ledger_lines = ledger_tables(metadata)

_LIVE = "IN ('submitting', 'unknown', 'requires_action', 'processing', 'review')"
_STATUSES = (
    "IN ('awaiting_approval', 'scheduled', 'submitting', 'unknown', 'requires_action', 'processing', 'review',"
    " 'canceled', 'failed', 'succeeded')"
)
_STATES = "IN ('submitting', 'unknown', 'requires_action', 'processing', 'review', 'canceled', 'failed', 'succeeded')"


payments = Table(
    "payments",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    text_column("customer_id"),
    text_column("status"),
    units_column("amount_minor_units"),
    text_column("currency"),
    text_column("method"),
    text_column("method_summary", default=""),
    text_column("return_url", default=""),
    text_column("redirect_url", default=""),
    text_column("failure_code", default=""),
    text_column("initiated_by"),
    text_column("note", default=""),
    units_column("credit_used_minor_units", default="0"),
    units_column("surcharge_minor_units", default="0"),
    units_column("prepayment_minor_units", default="0"),
    units_column("refunded_minor_units", default="0"),
    units_column("disputed_minor_units", default="0"),
    units_column("recredited_minor_units", default="0"),
    text_column("return_code", default=""),
    time_column("returned_at", nullable=True),
    Column("scheduled_for", Date),
    time_column("starts_at", nullable=True),
    Column("expected_on", Date),
    text_column("payment_method_id", default=""),
    text_column("saved_payment_method_id", default=""),
    Column("save_method", Boolean, nullable=False, server_default="false"),
    text_column("on_behalf_of", default=""),
    text_column("source", default=""),
    Column("external_reference", Text),
    Column("receipt_no", BigInteger),
    Column("received_on", Date),
    time_column("created_at"),
    time_column("finished_at", nullable=True),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("events", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("organization_id", "payment_id", name="pk_payments"),
    CheckConstraint(f"status {_STATUSES}", name="status"),
    CheckConstraint("amount_minor_units >= 0", name="amount"),
    CheckConstraint(
        "credit_used_minor_units >= 0 AND prepayment_minor_units >= 0 AND refunded_minor_units >= 0"
        " AND disputed_minor_units >= 0 AND refunded_minor_units <= amount_minor_units",
        name="sums",
    ),
    CheckConstraint(
        "recredited_minor_units BETWEEN 0 AND refunded_minor_units"
        " AND refunded_minor_units - recredited_minor_units + disputed_minor_units <= amount_minor_units",
        name="reversed",
    ),
    CheckConstraint(
        "(status = 'succeeded') = (receipt_no IS NOT NULL) AND (status = 'succeeded') = (received_on IS NOT NULL)",
        name="receipt",
    ),
    Index(
        "uq_payments_external_reference",
        "organization_id",
        "external_reference",
        unique=True,
        postgresql_where=text("external_reference IS NOT NULL"),
    ),
    Index("ix_payments_created_at", "organization_id", "created_at", "payment_id"),
    Index("ix_payments_customer", "organization_id", "customer_id", "created_at", "payment_id"),
    Index("ix_payments_status", "organization_id", "status", "created_at", "payment_id"),
    Index("ix_payments_starts_at", "starts_at", postgresql_where=text("status = 'scheduled'")),
    Index(
        "ix_payments_received_on",
        "organization_id",
        "received_on",
        "currency",
        postgresql_where=text("status = 'succeeded'"),
    ),
)
"""`external_reference` names an imported payment's origin for ever: it can never be recorded twice.

The amount is what is charged: parts less credit, with prepayment and surcharge (negative for a discount). Swept across
organizations by `ix_payments_starts_at`. `source` names who made it, where that is not a person.
"""

payment_parts = Table(
    "payment_parts",
    metadata,
    text_column("organization_id"),
    text_column("payment_id"),
    Column("position", SmallInteger, nullable=False),
    text_column("invoice_id"),
    units_column("amount_minor_units"),
    text_column("invoice_number", default=""),
    Column("expected_version", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("organization_id", "payment_id", "position", name="pk_payment_parts"),
    ForeignKeyConstraint(
        ["organization_id", "payment_id"],
        ["payments.organization_id", "payments.payment_id"],
        name="fk_payment_parts_payments",
    ),
    UniqueConstraint("organization_id", "payment_id", "invoice_id", name="uq_payment_parts_invoice"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
)
"""Amounts are in the payment's currency; what an invoice gets in all, credit included."""

payment_attempts = Table(
    "payment_attempts",
    metadata,
    text_column("organization_id"),
    text_column("attempt_id"),
    text_column("payment_id"),
    text_column("provider"),
    text_column("state"),
    units_column("amount_minor_units"),
    text_column("currency"),
    Column("provider_reference", Text),
    Column("is_hosted", Boolean, nullable=False),
    Column("card_token", Text),
    text_column("review_reason", default=""),
    time_column("created_at"),
    time_column("next_check_at", nullable=True),
    Column("checks", Integer, nullable=False, server_default="0"),
    text_column("kind", default="card"),
    text_column("wallet", default=""),
    text_column("method_token", default=""),
    text_column("customer_token", default=""),
    Column("save_method", Boolean, nullable=False, server_default="false"),
    Column("off_session", Boolean, nullable=False, server_default="false"),
    PrimaryKeyConstraint("organization_id", "attempt_id", name="pk_payment_attempts"),
    ForeignKeyConstraint(
        ["organization_id", "payment_id"],
        ["payments.organization_id", "payments.payment_id"],
        name="fk_payment_attempts_payments",
    ),
    CheckConstraint(f"state {_STATES}", name="state"),
    CheckConstraint(f"card_token IS NULL OR state {_LIVE}", name="card_token"),
    Index(
        "uq_payment_attempts_live",
        "organization_id",
        "payment_id",
        unique=True,
        postgresql_where=text(f"state {_LIVE}"),
    ),
    Index(
        "uq_payment_attempts_succeeded",
        "organization_id",
        "payment_id",
        unique=True,
        postgresql_where=text("state = 'succeeded'"),
    ),
    Index("ix_payment_attempts_stripe", "provider_reference", postgresql_where=text("provider = 'stripe'")),
    Index("ix_payment_attempts_due", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
)
"""Swept across organizations by `ix_payment_attempts_due`. Two live or two succeeded attempts cannot be."""

receipts = Table(
    "receipts",
    metadata,
    text_column("organization_id"),
    Column("receipt_no", BigInteger, nullable=False),
    text_column("payment_id"),
    time_column("issued_at"),
    PrimaryKeyConstraint("organization_id", "receipt_no", name="pk_receipts"),
    UniqueConstraint("organization_id", "payment_id", name="uq_receipts_payment"),
    ForeignKeyConstraint(
        ["organization_id", "payment_id"],
        ["payments.organization_id", "payments.payment_id"],
        name="fk_receipts_payments",
    ),
)
"""Append-only: a payment gets one receipt, and no number is ever left out."""

number_series = Table(
    "number_series",
    metadata,
    text_column("organization_id"),
    text_column("series"),
    Column("last_number", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", "series", name="pk_number_series"),
)

provider_events = Table(
    "provider_events",
    metadata,
    text_column("organization_id"),
    text_column("provider"),
    text_column("event_id"),
    text_column("type"),
    Column("attempt_id", Text),
    Column("body", LargeBinary, nullable=False),
    time_column("received_at"),
    time_column("processed_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "provider", "event_id", name="pk_provider_events"),
)
"""Kept for ever, so that an event replayed after years is still known. Nobody's are kept under `unknown`."""

organizations = Table(
    "organizations",
    metadata,
    text_column("organization_id"),
    text_column("name"),
    text_column("time_zone"),
    text_column("locale"),
    text_column("currency"),
    Column("address_lines", ARRAY(Text), nullable=False),
    text_column("tax_id"),
    text_column("contact_email"),
    text_column("primary_color"),
    Column("live_mode", Boolean, nullable=False),
    Column("logo", LargeBinary, nullable=False, server_default=""),
    text_column("logo_media_type", default=""),
    PrimaryKeyConstraint("organization_id", name="pk_organizations"),
)
"""A copy of what identity tells, for receipts and for the day on which money was received."""

customers = Table(
    "customers",
    metadata,
    text_column("organization_id"),
    text_column("customer_id"),
    text_column("name"),
    text_column("locale"),
    Column("segments", ARRAY(Text), nullable=False, server_default="{}"),
    Column("ancestor_ids", ARRAY(Text), nullable=False, server_default="{}"),
    PrimaryKeyConstraint("organization_id", "customer_id", name="pk_customers"),
)
"""A copy of what invoicing tells: whose name stands on the receipt, its labels, and who stands above."""
