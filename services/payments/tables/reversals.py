"""Refunds, returned debits and chargebacks, and what they have taken from payments."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.payments.tables.base import metadata, text_column, time_column, units_column


def _of_payment(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "payment_id"],
        ["payments.organization_id", "payments.payment_id"],
        name=f"fk_{table}_payments",
    )


refunds = Table(
    "refunds",
    metadata,
    text_column("organization_id"),
    text_column("refund_id"),
    text_column("payment_id"),
    text_column("customer_id"),
    units_column("amount_minor_units"),
    units_column("surcharge_minor_units", default="0"),
    text_column("currency"),
    text_column("destination"),
    Column("forgives", Boolean, nullable=False),
    text_column("status"),
    text_column("reason", default=""),
    text_column("requested_by"),
    text_column("failure_code", default=""),
    Column("provider_reference", Text),
    time_column("created_at"),
    time_column("finished_at", nullable=True),
    time_column("next_check_at", nullable=True),
    Column("checks", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("organization_id", "refund_id", name="pk_refunds"),
    _of_payment("refunds"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
    CheckConstraint("destination IN ('method', 'credit', 'manual')", name="destination"),
    CheckConstraint(
        "status IN ('submitting', 'unknown', 'processing', 'succeeded', 'failed')", name="status"
    ),
    Index("ix_refunds_payment", "organization_id", "payment_id"),
    Index("ix_refunds_created_at", "organization_id", "created_at", "refund_id"),
    Index("ix_refunds_customer", "organization_id", "customer_id", "created_at", "refund_id"),
    Index("ix_refunds_due", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
)
"""Swept across organizations by `ix_refunds_due`. The amount has the surcharge in it."""

refund_parts = Table(
    "refund_parts",
    metadata,
    text_column("organization_id"),
    text_column("refund_id"),
    Column("position", SmallInteger, nullable=False),
    text_column("invoice_id"),
    text_column("invoice_number", default=""),
    units_column("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "refund_id", "position", name="pk_refund_parts"),
    ForeignKeyConstraint(
        ["organization_id", "refund_id"],
        ["refunds.organization_id", "refunds.refund_id"],
        name="fk_refund_parts_refunds",
    ),
    UniqueConstraint("organization_id", "refund_id", "invoice_id", name="uq_refund_parts_invoice"),
    CheckConstraint("amount_minor_units > 0", name="amount"),
)

refund_lines = Table(
    "refund_lines",
    metadata,
    text_column("organization_id"),
    text_column("refund_id"),
    Column("position", SmallInteger, nullable=False),
    text_column("invoice_id"),
    Column("line_no", Integer, nullable=False),
    text_column("description", default=""),
    Column("quantity", Numeric(13, 4)),
    units_column("amount_minor_units"),
    PrimaryKeyConstraint("organization_id", "refund_id", "position", name="pk_refund_lines"),
    ForeignKeyConstraint(
        ["organization_id", "refund_id"],
        ["refunds.organization_id", "refunds.refund_id"],
        name="fk_refund_lines_refunds",
    ),
    UniqueConstraint("organization_id", "refund_id", "invoice_id", "line_no", name="uq_refund_lines_line"),
    CheckConstraint("amount_minor_units > 0 AND (quantity IS NULL OR quantity > 0)", name="amount"),
    Index("ix_refund_lines_line", "organization_id", "invoice_id", "line_no"),
)
"""Lines of invoices that staff named; the parts are their sums."""

returns = Table(
    "returns",
    metadata,
    text_column("organization_id"),
    text_column("return_id"),
    text_column("payment_id"),
    text_column("code"),
    time_column("returned_at"),
    time_column("noted_at"),
    PrimaryKeyConstraint("organization_id", "return_id", name="pk_returns"),
    _of_payment("returns"),
    UniqueConstraint("organization_id", "payment_id", name="uq_returns_payment"),
)
"""A debit comes back once."""

chargebacks = Table(
    "chargebacks",
    metadata,
    text_column("organization_id"),
    text_column("chargeback_id"),
    text_column("payment_id"),
    text_column("customer_id"),
    text_column("provider"),
    text_column("provider_reference"),
    text_column("state"),
    units_column("amount_minor_units"),
    units_column("fee_minor_units", default="0"),
    text_column("currency"),
    text_column("fee_currency"),
    text_column("reason"),
    text_column("evidence", default=""),
    time_column("opened_at"),
    time_column("evidence_due_at", nullable=True),
    time_column("closed_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "chargeback_id", name="pk_chargebacks"),
    _of_payment("chargebacks"),
    UniqueConstraint("organization_id", "provider", "provider_reference", name="uq_chargebacks_reference"),
    CheckConstraint("state IN ('open', 'under_review', 'won', 'lost')", name="state"),
    CheckConstraint("amount_minor_units > 0 AND fee_minor_units >= 0", name="amount"),
    Index("ix_chargebacks_payment", "organization_id", "payment_id"),
    Index("ix_chargebacks_opened_at", "organization_id", "opened_at", "chargeback_id"),
)

reversals = Table(
    "reversals",
    metadata,
    text_column("organization_id"),
    text_column("reversal_id"),
    text_column("payment_id"),
    text_column("kind"),
    text_column("cause_id"),
    units_column("claim_minor_units"),
    units_column("amount_minor_units"),
    units_column("surcharge_minor_units"),
    text_column("currency"),
    time_column("taken_at"),
    time_column("given_back_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "reversal_id", name="pk_reversals"),
    _of_payment("reversals"),
    CheckConstraint("kind IN ('refund', 'return', 'chargeback', 'unmatched')", name="kind"),
    CheckConstraint("amount_minor_units BETWEEN 0 AND claim_minor_units", name="amount"),
    Index("ix_reversals_payment", "organization_id", "payment_id"),
    Index(
        "uq_reversals_cause",
        "organization_id",
        "cause_id",
        unique=True,
        postgresql_where=text("given_back_at IS NULL"),
    ),
)
"""What a cause has taken from a payment; given back, it may take anew under another id."""

receipt_reversals = Table(
    "receipt_reversals",
    metadata,
    text_column("organization_id"),
    Column("receipt_no", BigInteger, nullable=False),
    text_column("payment_id"),
    text_column("return_id"),
    time_column("issued_at"),
    PrimaryKeyConstraint("organization_id", "receipt_no", name="pk_receipt_reversals"),
    ForeignKeyConstraint(
        ["organization_id", "receipt_no"],
        ["receipts.organization_id", "receipts.receipt_no"],
        name="fk_receipt_reversals_receipts",
    ),
)
"""Append-only counter-documents: number R-000012-S takes R-000012 back."""

payment_watches = Table(
    "payment_watches",
    metadata,
    text_column("organization_id"),
    text_column("attempt_id"),
    text_column("payment_id"),
    time_column("next_check_at"),
    time_column("ends_at"),
    PrimaryKeyConstraint("organization_id", "attempt_id", name="pk_payment_watches"),
    _of_payment("payment_watches"),
    Index("ix_payment_watches_due", "next_check_at"),
)
"""Succeeded attempts that may still change: debits come back, chargebacks are decided. Swept across organizations."""
