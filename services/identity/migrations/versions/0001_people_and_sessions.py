"""Organizations, people, sessions, API keys and login throttles."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis import migrations

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = (
    "organizations",
    "people",
    "sessions",
    "refresh_tokens",
    "api_keys",
    "login_throttles",
    "network_buckets",
)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    migrations.create_transport_tables(op)
    _organizations()
    _people()
    _sessions()
    _api_keys()
    _throttles()
    migrations.create_tenant_policies(op, *TABLES, sweep=("organizations", "sessions", "login_throttles"))
    migrations.grant_app(op, *TABLES)


def _organizations() -> None:
    op.create_table(
        "organizations",
        _text("organization_id"),
        _text("slug"),
        _text("name"),
        _text("currency"),
        _text("time_zone"),
        _text("locale"),
        sa.Column("address", JSONB(), nullable=False),
        _text("tax_id"),
        _text("contact_email"),
        _text("contact_phone"),
        _text("brand_name"),
        _text("brand_color"),
        sa.Column("brand_logo", sa.LargeBinary(), nullable=False),
        _text("brand_logo_media_type"),
        sa.Column("live_mode", sa.Boolean(), nullable=False),
        _time("created_at"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_organizations"),
        sa.UniqueConstraint("slug", name="uq_organizations_slug"),
    )


def _people() -> None:
    op.create_table(
        "people",
        _text("organization_id"),
        _text("person_id"),
        _text("name"),
        _text("email"),
        _text("normal_email"),
        _text("role"),
        _text("customer_id"),
        _text("locale"),
        sa.Column("active", sa.Boolean(), nullable=False),
        _text("password_hash"),
        _time("created_at"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "person_id", name="pk_people"),
        sa.UniqueConstraint("organization_id", "normal_email", name="uq_people_email"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_people_organizations"
        ),
        sa.CheckConstraint(
            "role IN ('owner', 'accountant', 'auditor', 'payer', 'viewer')", name="ck_people_role"
        ),
        sa.CheckConstraint(
            "(customer_id = '') = (role IN ('owner', 'accountant', 'auditor'))", name="ck_people_customer"
        ),
    )
    op.create_index("ix_people_customer_id", "people", ["organization_id", "customer_id"])


def _sessions() -> None:
    op.create_table(
        "sessions",
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
        sa.PrimaryKeyConstraint("organization_id", "session_id", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.person_id"],
            name="fk_sessions_people",
        ),
    )
    op.create_index("ix_sessions_person_id", "sessions", ["organization_id", "person_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["organization_id", "expires_at"])
    op.create_table(
        "refresh_tokens",
        _text("organization_id"),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _text("session_id"),
        _time("replaced_at", nullable=True),
        sa.Column("successor_hash", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_successor", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "token_hash", name="pk_refresh_tokens"),
        sa.ForeignKeyConstraint(
            ["organization_id", "session_id"],
            ["sessions.organization_id", "sessions.session_id"],
            name="fk_refresh_tokens_sessions",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["organization_id", "session_id"])


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        _text("organization_id"),
        _text("api_key_id"),
        _text("name"),
        _text("hint"),
        _text("role"),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("organization_id", "api_key_id", name="pk_api_keys"),
        sa.UniqueConstraint("organization_id", "secret_hash", name="uq_api_keys_secret"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_api_keys_organizations"
        ),
        sa.CheckConstraint("role IN ('owner', 'accountant', 'auditor')", name="ck_api_keys_role"),
    )


def _throttles() -> None:
    op.create_table(
        "login_throttles",
        _text("organization_id"),
        sa.Column("account_hash", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _time("last_failure_at", nullable=True),
        _time("blocked_until", nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "account_hash", name="pk_login_throttles"),
    )
    op.create_table(
        "network_buckets",
        _text("organization_id"),
        _text("network"),
        sa.Column("tries_left", sa.Float(), nullable=False),
        _time("counted_at", nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "network", name="pk_network_buckets"),
    )
