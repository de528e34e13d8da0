"""Disputes."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    CREATE TABLE disputes (
        organization_id text NOT NULL,
        dispute_id text NOT NULL,
        invoice_id text NOT NULL,
        customer_id text NOT NULL,
        currency text NOT NULL,
        amount_minor_units bigint NOT NULL,
        lines jsonb NOT NULL,
        reason text NOT NULL,
        text text NOT NULL,
        state text NOT NULL,
        opened_by text NOT NULL,
        opened_by_name text NOT NULL,
        imported boolean NOT NULL,
        opened_at timestamptz NOT NULL,
        answer_due_at timestamptz NOT NULL,
        resolve_due_at timestamptz NOT NULL,
        answered_at timestamptz,
        escalated_at timestamptz,
        wake_at timestamptz,
        owner_id text NOT NULL,
        owner_name text NOT NULL,
        closed_at timestamptz,
        resolution text NOT NULL,
        credited_minor_units bigint NOT NULL,
        credit_note_id text NOT NULL,
        event_version bigint NOT NULL,
        CONSTRAINT pk_disputes PRIMARY KEY (organization_id, dispute_id),
        CONSTRAINT fk_disputes_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT fk_disputes_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id),
        CONSTRAINT ck_disputes_state
            CHECK (state IN ('open', 'accepted', 'partly_accepted', 'rejected', 'withdrawn')),
        CONSTRAINT ck_disputes_amount CHECK (amount_minor_units > 0 AND credited_minor_units >= 0),
        CONSTRAINT ck_disputes_closed CHECK ((state = 'open') = (closed_at IS NULL))
    )
    """,
    "CREATE INDEX ix_disputes_invoice ON disputes (organization_id, invoice_id)",
    "CREATE INDEX ix_disputes_customer ON disputes (organization_id, customer_id)",
    "CREATE INDEX ix_disputes_wake_at ON disputes (organization_id, wake_at) WHERE wake_at IS NOT NULL",
    """
    CREATE TABLE dispute_entries (
        organization_id text NOT NULL,
        dispute_id text NOT NULL,
        entry_no integer NOT NULL,
        step text NOT NULL,
        side text NOT NULL,
        author_name text NOT NULL,
        text text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_dispute_entries PRIMARY KEY (organization_id, dispute_id, entry_no),
        CONSTRAINT fk_dispute_entries_disputes FOREIGN KEY (organization_id, dispute_id)
            REFERENCES disputes (organization_id, dispute_id)
    )
    """,
    """
    CREATE TABLE dispute_evidence (
        organization_id text NOT NULL,
        dispute_id text NOT NULL,
        evidence_id text NOT NULL,
        file_name text NOT NULL,
        media_type text NOT NULL,
        size_bytes bigint NOT NULL,
        content bytea NOT NULL,
        side text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_dispute_evidence PRIMARY KEY (organization_id, dispute_id, evidence_id),
        CONSTRAINT fk_dispute_evidence_disputes FOREIGN KEY (organization_id, dispute_id)
            REFERENCES disputes (organization_id, dispute_id)
    )
    """,
    """
    CREATE TABLE dispute_policies (
        organization_id text NOT NULL,
        answer_within_hours integer NOT NULL,
        resolve_within_days integer NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT pk_dispute_policies PRIMARY KEY (organization_id)
    )
    """,
)
# What an import marked as disputed becomes a dispute that an import opened.
_KNOWN = """
    INSERT INTO disputes (
        organization_id, dispute_id, invoice_id, customer_id, currency, amount_minor_units, lines, reason, text, state,
        opened_by, opened_by_name, imported, opened_at, answer_due_at, resolve_due_at, wake_at, owner_id, owner_name,
        resolution, credited_minor_units, credit_note_id, event_version
    )
    SELECT organization_id, 'dsp_' || substr(invoice_id, 5), invoice_id, customer_id, currency, disputed_minor_units,
        '[]', 'other', '', 'open', 'system', '', true, created_at, created_at, created_at + interval '14 days', NULL,
        '', '', '', 0, '', 0
    FROM invoices WHERE disputed_minor_units > 0
    ON CONFLICT DO NOTHING
"""
_TABLES = ("disputes", "dispute_entries", "dispute_evidence", "dispute_policies")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    migrations.create_tenant_policies(op, *_TABLES, sweep=("disputes",))
    migrations.grant_app(op, *_TABLES)
    # The owner is bound by the policies too, except for this statement, which writes for all organizations.
    for table in ("invoices", "disputes", "customers"):
        op.execute(f"-- squawk-ignore prefer-robust-stmts\nALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_KNOWN)
    for table in ("invoices", "disputes", "customers"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
