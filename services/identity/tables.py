"""Tables of the identity service."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from chassis.tables import convention, transport_tables

metadata = MetaData(naming_convention=convention)
transport = transport_tables(metadata)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


organizations = Table(
    "organizations",
    metadata,
    _text("organization_id"),
    _text("slug"),
    _text("name"),
    _text("currency"),
    _text("time_zone"),
    _text("locale"),
    Column("address", JSONB, nullable=False),
    _text("tax_id"),
    _text("contact_email"),
    _text("contact_phone"),
    _text("brand_name"),
    _text("brand_color"),
    Column("brand_logo", LargeBinary, nullable=False),
    _text("brand_logo_media_type"),
    Column("live_mode", Boolean, nullable=False),
    _time("created_at"),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", name="pk_organizations"),
    UniqueConstraint("slug", name="uq_organizations_slug"),
    Index("uq_organizations_live_mode", "organization_id", "live_mode", unique=True),
)
"""Slugs are public and found before anybody has signed in: hence the sweep policy and the one global unique."""

people = Table(
    "people",
    metadata,
    _text("organization_id"),
    _text("person_id"),
    _text("name"),
    _text("email"),
    _text("normal_email"),
    _text("role"),
    _text("customer_id"),
    _text("locale"),
    Column("active", Boolean, nullable=False),
    _text("password_hash"),
    _time("created_at"),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", "person_id", name="pk_people"),
    UniqueConstraint("organization_id", "normal_email", name="uq_people_email"),
    ForeignKeyConstraint(
        ["organization_id"], ["organizations.organization_id"], name="fk_people_organizations"
    ),
    CheckConstraint(
        "role IN ('owner', 'accountant', 'auditor', 'payer', 'viewer', 'approver', 'company_admin')",
        name="role",
    ),
    CheckConstraint("(customer_id = '') = (role IN ('owner', 'accountant', 'auditor'))", name="customer"),
    Index("ix_people_customer_id", "organization_id", "customer_id"),
)

sessions = Table(
    "sessions",
    metadata,
    _text("organization_id"),
    _text("session_id"),
    _text("person_id"),
    _text("audience"),
    _text("device"),
    _text("network_address"),
    _time("created_at"),
    _time("last_seen_at"),
    _time("idle_expires_at"),
    _time("expires_at"),
    _time("ended_at", nullable=True),
    _text("end_reason"),
    PrimaryKeyConstraint("organization_id", "session_id", name="pk_sessions"),
    ForeignKeyConstraint(
        ["organization_id", "person_id"],
        ["people.organization_id", "people.person_id"],
        name="fk_sessions_people",
    ),
    Index("ix_sessions_person_id", "organization_id", "person_id"),
    Index("ix_sessions_expires_at", "organization_id", "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    _text("organization_id"),
    Column("token_hash", LargeBinary, nullable=False),
    _text("session_id"),
    _time("replaced_at", nullable=True),
    Column("successor_hash", LargeBinary),
    Column("sealed_successor", LargeBinary),
    PrimaryKeyConstraint("organization_id", "token_hash", name="pk_refresh_tokens"),
    ForeignKeyConstraint(
        ["organization_id", "session_id"],
        ["sessions.organization_id", "sessions.session_id"],
        name="fk_refresh_tokens_sessions",
        ondelete="CASCADE",
    ),
    Index("ix_refresh_tokens_session_id", "organization_id", "session_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    _text("organization_id"),
    _text("api_key_id"),
    _text("name"),
    _text("hint"),
    _text("role"),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("active", Boolean, nullable=False),
    _time("created_at"),
    PrimaryKeyConstraint("organization_id", "api_key_id", name="pk_api_keys"),
    UniqueConstraint("organization_id", "secret_hash", name="uq_api_keys_secret"),
    ForeignKeyConstraint(
        ["organization_id"], ["organizations.organization_id"], name="fk_api_keys_organizations"
    ),
    CheckConstraint("role IN ('owner', 'accountant', 'auditor')", name="role"),
)

login_throttles = Table(
    "login_throttles",
    metadata,
    _text("organization_id"),
    Column("account_hash", LargeBinary, nullable=False),
    Column("failures", Integer, nullable=False),
    _time("last_failure_at", nullable=True),
    _time("blocked_until", nullable=True),
    PrimaryKeyConstraint("organization_id", "account_hash", name="pk_login_throttles"),
)
"""By SHA-256 of the address as typed, so that addresses of strangers are not kept."""

network_buckets = Table(
    "network_buckets",
    metadata,
    _text("organization_id"),
    _text("network"),
    Column("tries_left", Float, nullable=False),
    _time("counted_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "network", name="pk_network_buckets"),
)

test_clocks = Table(
    "test_clocks",
    metadata,
    _text("organization_id"),
    _text("test_clock_id"),
    _text("name"),
    _time("frozen_at"),
    _time("target_at"),
    _text("status"),
    Column("steps", Integer, nullable=False),
    _text("failure"),
    Column("live_mode", Boolean, nullable=False),
    _time("created_at"),
    PrimaryKeyConstraint("organization_id", name="pk_test_clocks"),
    ForeignKeyConstraint(
        ["organization_id", "live_mode"],
        ["organizations.organization_id", "organizations.live_mode"],
        name="fk_test_clocks_organizations",
    ),
    CheckConstraint("NOT live_mode", name="live_mode"),
    CheckConstraint("status IN ('ready', 'advancing', 'failed', 'deleting')", name="status"),
)
"""One an organization. By its two references to the organization there is none in live mode, now or later."""
