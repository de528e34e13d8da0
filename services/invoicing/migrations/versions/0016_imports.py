"""Imports of everything, and their undoing."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    ALTER TABLE imports
        ADD COLUMN kind text NOT NULL DEFAULT 'invoices',
        ADD COLUMN format text NOT NULL DEFAULT 'csv',
        ADD COLUMN understanding jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN undone_records integer NOT NULL DEFAULT 0,
        ADD COLUMN kept_records integer NOT NULL DEFAULT 0,
        ADD COLUMN undo_reason text NOT NULL DEFAULT ''
    """,
    "-- squawk-ignore ban-drop-constraint\nALTER TABLE imports DROP CONSTRAINT ck_imports_state",
    """
    ALTER TABLE imports ADD CONSTRAINT ck_imports_state
        CHECK (state IN ('preview', 'running', 'done', 'undoing', 'undone')) NOT VALID
    """,
    # The table is small: a row for each file that somebody has ever imported.
    "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE imports VALIDATE CONSTRAINT ck_imports_state",
    "ALTER TABLE import_rows ADD COLUMN document jsonb",
    # Of customers and items a row is a document. Releases before know no such imports.
    "-- squawk-ignore ban-drop-not-null\nALTER TABLE import_rows ALTER COLUMN invoice_date DROP NOT NULL",
    "-- squawk-ignore ban-drop-not-null\nALTER TABLE import_rows ALTER COLUMN due_date DROP NOT NULL",
    "-- squawk-ignore ban-drop-not-null\nALTER TABLE import_rows ALTER COLUMN total_minor_units DROP NOT NULL",
    """
    CREATE TABLE import_files (
        organization_id text NOT NULL,
        import_id text NOT NULL,
        content bytea NOT NULL,
        CONSTRAINT pk_import_files PRIMARY KEY (organization_id, import_id),
        CONSTRAINT fk_import_files_imports FOREIGN KEY (organization_id, import_id)
            REFERENCES imports (organization_id, import_id)
    )
    """,
    """
    CREATE TABLE import_makings (
        organization_id text NOT NULL,
        import_id text NOT NULL,
        object_id text NOT NULL,
        noun text NOT NULL,
        line integer NOT NULL,
        version bigint NOT NULL,
        outcome text NOT NULL,
        CONSTRAINT pk_import_makings PRIMARY KEY (organization_id, import_id, object_id),
        CONSTRAINT fk_import_makings_imports FOREIGN KEY (organization_id, import_id)
            REFERENCES imports (organization_id, import_id),
        CONSTRAINT ck_import_makings_noun CHECK (noun IN ('invoice', 'customer', 'item')),
        CONSTRAINT ck_import_makings_outcome CHECK (outcome IN ('made', 'undone', 'kept'))
    )
    """,
    """
    CREATE TABLE import_mappings (
        organization_id text NOT NULL,
        kind text NOT NULL,
        fingerprint text NOT NULL,
        understanding jsonb NOT NULL,
        used_at timestamptz NOT NULL,
        CONSTRAINT pk_import_mappings PRIMARY KEY (organization_id, kind, fingerprint)
    )
    """,
)
_TABLES = ("import_files", "import_makings", "import_mappings")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    migrations.create_tenant_policies(op, *_TABLES)
    migrations.grant_app(op, *_TABLES)
