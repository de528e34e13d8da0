"""Matches of bank lines, rules for them, and providers' payouts."""

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
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.payments.tables.base import metadata, text_column, time_column, units_column

match_rules = Table(
    "match_rules",
    metadata,
    text_column("organization_id"),
    text_column("match_rule_id"),
    text_column("name"),
    text_column("text_contains", default=""),
    text_column("counterparty_account", default=""),
    text_column("customer_id", default=""),
    Column("ignores", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    time_column("created_at"),
    text_column("created_by"),
    PrimaryKeyConstraint("organization_id", "match_rule_id", name="pk_match_rules"),
    CheckConstraint("text_contains <> '' OR counterparty_account <> ''", name="condition"),
    CheckConstraint("ignores = (customer_id = '')", name="effect"),
)

bank_matches = Table(
    "bank_matches",
    metadata,
    text_column("organization_id"),
    text_column("match_id"),
    text_column("bank_line_id"),
    text_column("payment_id", default=""),
    text_column("payout_id", default=""),
    text_column("customer_id", default=""),
    text_column("matched_by"),
    text_column("match_rule_id", default=""),
    Column("confidence_per_mille", Integer, nullable=False),
    Column("reasons", JSONB, nullable=False),
    time_column("matched_at"),
    time_column("undone_at", nullable=True),
    text_column("undone_by", default=""),
    text_column("undo_reason", default=""),
    PrimaryKeyConstraint("organization_id", "match_id", name="pk_bank_matches"),
    ForeignKeyConstraint(
        ["organization_id", "bank_line_id"],
        ["bank_lines.organization_id", "bank_lines.bank_line_id"],
        name="fk_bank_matches_bank_lines",
    ),
    CheckConstraint("(payment_id = '') <> (payout_id = '')", name="subject"),
    Index(
        "uq_bank_matches_line",
        "organization_id",
        "bank_line_id",
        unique=True,
        postgresql_where=text("undone_at IS NULL"),
    ),
    Index("ix_bank_matches_matched_at", "organization_id", "matched_at"),
)
"""Every match ever made, undone ones too; a line has one at a time. The live ones are the history of accounts."""

payouts = Table(
    "payouts",
    metadata,
    text_column("organization_id"),
    text_column("payout_id"),
    text_column("provider"),
    text_column("provider_reference"),
    text_column("currency"),
    units_column("gross_minor_units"),
    units_column("fees_minor_units"),
    units_column("refunded_minor_units"),
    units_column("net_minor_units"),
    Column("arrives_on", Date, nullable=False),
    time_column("covers_until", nullable=True),
    text_column("bank_line_id", default=""),
    time_column("collected_at"),
    PrimaryKeyConstraint("organization_id", "payout_id", name="pk_payouts"),
    UniqueConstraint("organization_id", "provider", "provider_reference", name="uq_payouts_reference"),
    Index("ix_payouts_arrives_on", "organization_id", "arrives_on", "payout_id"),
    Index(
        "uq_payouts_bank_line",
        "organization_id",
        "bank_line_id",
        unique=True,
        postgresql_where=text("bank_line_id <> ''"),
    ),
)
"""`covers_until` is when the latest of its payments succeeded: older ones that no payout has are missing."""

payout_lines = Table(
    "payout_lines",
    metadata,
    text_column("organization_id"),
    text_column("payout_id"),
    Column("position", Integer, nullable=False),
    text_column("kind"),
    text_column("provider_reference"),
    text_column("attempt_id", default=""),
    text_column("payment_id", default=""),
    units_column("amount_minor_units"),
    units_column("fee_minor_units"),
    text_column("currency"),
    text_column("difference", default=""),
    Column("unexplained_minor_units", BigInteger, nullable=False, server_default="0"),
    Column("corrections", Integer, nullable=False, server_default="0"),
    time_column("compared_at"),
    PrimaryKeyConstraint("organization_id", "payout_id", "position", name="pk_payout_lines"),
    ForeignKeyConstraint(
        ["organization_id", "payout_id"],
        ["payouts.organization_id", "payouts.payout_id"],
        name="fk_payout_lines_payouts",
    ),
    Index("ix_payout_lines_payment", "organization_id", "payment_id"),
    Index(
        "ix_payout_lines_difference",
        "organization_id",
        "compared_at",
        postgresql_where=text("difference <> ''"),
    ),
)
"""`unexplained_minor_units` stands in the books as unmatched receipt until somebody or something explains it;
`corrections` counts how often that changed."""
