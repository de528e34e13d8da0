"""Test clocks as staff make and advance them; none in live mode."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


_TEST_CLOCKS = """
    CREATE TABLE test_clocks (
        organization_id text NOT NULL,
        test_clock_id text NOT NULL,
        name text NOT NULL,
        frozen_at timestamptz NOT NULL,
        target_at timestamptz NOT NULL,
        status text NOT NULL,
        steps integer NOT NULL,
        failure text NOT NULL,
        live_mode boolean NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_test_clocks PRIMARY KEY (organization_id),
        CONSTRAINT fk_test_clocks_organizations FOREIGN KEY (organization_id, live_mode)
            REFERENCES organizations (organization_id, live_mode),
        CONSTRAINT ck_test_clocks_live_mode CHECK (NOT live_mode),
        CONSTRAINT ck_test_clocks_status CHECK (status IN ('ready', 'advancing', 'failed', 'deleting'))
    )
"""


def upgrade() -> None:
    op.execute(_TEST_CLOCKS)
    migrations.create_tenant_policies(op, "test_clocks")
    # Not `sweep=`: who moves clocks looks for just those that a job's sweep leaves out.
    op.execute(
        "CREATE POLICY sweep ON test_clocks FOR SELECT USING (current_setting('app.sweep', true) <> 'off')"
    )
    migrations.grant_app(op, "test_clocks")
