"""What an organization allows, and for which of its customers."""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.payments.tables.base import metadata, text_column, time_column

payment_policies = Table(
    "payment_policies",
    metadata,
    text_column("organization_id"),
    Column("policy", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    time_column("changed_at"),
    PrimaryKeyConstraint("organization_id", name="pk_payment_policies"),
)
"""One row for each organization that has ever changed the default; its words are those of domain/policy.py."""

customer_segments = Table(
    "customer_segments",
    metadata,
    text_column("organization_id"),
    text_column("customer_id"),
    text_column("segment"),
    PrimaryKeyConstraint("organization_id", "customer_id", name="pk_customer_segments"),
)
