"""Rates that change by law, late fees by them, and what reminders ask for besides the invoice."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    CREATE TABLE legal_rates (
        organization_id text NOT NULL,
        name text NOT NULL,
        valid_from date NOT NULL,
        value numeric(12, 4) NOT NULL,
        source text NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_legal_rates PRIMARY KEY (organization_id, name, valid_from)
    )
    """,
    "ALTER TABLE late_fee_policies ADD COLUMN reference_rate text NOT NULL DEFAULT ''",
    """
    ALTER TABLE dunning_notices
        ADD COLUMN interest_minor_units bigint,
        ADD COLUMN fees_minor_units bigint
    """,
)
_TABLES = ("legal_rates",)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    migrations.create_tenant_policies(op, *_TABLES)
    migrations.grant_app(op, *_TABLES)
