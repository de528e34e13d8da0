"""The tables of the sample service."""

from alembic import op

from chassis import migrations

revision: str = "0001"
down_revision: str | None = None


def upgrade() -> None:
    migrations.create_transport_tables(op)
    migrations.create_ledger(op)
    migrations.check_ledger_by_statement(op)
    op.execute(
        """
        CREATE TABLE notes (
            organization_id text NOT NULL,
            note_id text NOT NULL,
            times_seen integer NOT NULL DEFAULT 0,
            CONSTRAINT pk_notes PRIMARY KEY (organization_id, note_id)
        )
        """
    )
    migrations.create_tenant_policies(op, "notes", sweep=("notes",))
    migrations.grant_app(op, "notes")
    migrations.create_organization_clocks(op)
