"""Dunning policies, what was decided and sent, and what pauses it."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    CREATE TABLE dunning_policies (
        organization_id text NOT NULL,
        segment text NOT NULL,
        name text NOT NULL,
        levels jsonb NOT NULL,
        is_active boolean NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_dunning_policies PRIMARY KEY (organization_id, segment)
    )
    """,
    """
    CREATE TABLE dunning_cases (
        organization_id text NOT NULL,
        invoice_id text NOT NULL,
        next_on date,
        CONSTRAINT pk_dunning_cases PRIMARY KEY (organization_id, invoice_id),
        CONSTRAINT fk_dunning_cases_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id)
    )
    """,
    """
    CREATE TABLE dunning_notices (
        organization_id text NOT NULL,
        notice_id text NOT NULL,
        invoice_id text NOT NULL,
        level integer NOT NULL,
        customer_id text NOT NULL,
        title text NOT NULL,
        text text NOT NULL,
        locale text NOT NULL,
        currency text NOT NULL,
        amount_minor_units bigint NOT NULL,
        issued_on date NOT NULL,
        deadline_on date NOT NULL,
        fee_invoice_id text NOT NULL,
        letter boolean NOT NULL,
        mail boolean NOT NULL,
        issued_at timestamptz NOT NULL,
        CONSTRAINT pk_dunning_notices PRIMARY KEY (organization_id, notice_id),
        CONSTRAINT uq_dunning_notices_level UNIQUE (organization_id, invoice_id, level),
        CONSTRAINT fk_dunning_notices_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT fk_dunning_notices_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id)
    )
    """,
    """
    CREATE INDEX ix_dunning_notices_newest
        ON dunning_notices (organization_id, issued_at DESC, notice_id DESC)
    """,
    """
    CREATE TABLE dunning_decisions (
        organization_id text NOT NULL,
        invoice_id text NOT NULL,
        decision_no integer NOT NULL,
        level integer NOT NULL,
        action text NOT NULL,
        reason text NOT NULL,
        decided_on date NOT NULL,
        CONSTRAINT pk_dunning_decisions PRIMARY KEY (organization_id, invoice_id, decision_no),
        CONSTRAINT fk_dunning_decisions_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT ck_dunning_decisions_action CHECK (action IN ('sent', 'waits', 'over'))
    )
    """,
    """
    CREATE TABLE dunning_pauses (
        organization_id text NOT NULL,
        pause_id text NOT NULL,
        customer_id text NOT NULL,
        invoice_id text NOT NULL,
        until date NOT NULL,
        reason text NOT NULL,
        created_by_name text NOT NULL,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT pk_dunning_pauses PRIMARY KEY (organization_id, pause_id),
        CONSTRAINT fk_dunning_pauses_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id)
    )
    """,
    "CREATE INDEX ix_dunning_pauses_customer ON dunning_pauses (organization_id, customer_id)",
    """
    CREATE TABLE dunning_holds (
        organization_id text NOT NULL,
        source_id text NOT NULL,
        invoice_id text NOT NULL,
        kind text NOT NULL,
        until date NOT NULL,
        CONSTRAINT pk_dunning_holds PRIMARY KEY (organization_id, source_id, invoice_id),
        CONSTRAINT ck_dunning_holds_kind CHECK (kind IN ('claimed', 'autopay'))
    )
    """,
    "CREATE INDEX ix_dunning_holds_invoice ON dunning_holds (organization_id, invoice_id)",
)
_TABLES = (
    "dunning_policies",
    "dunning_cases",
    "dunning_notices",
    "dunning_decisions",
    "dunning_pauses",
    "dunning_holds",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    migrations.create_tenant_policies(op, *_TABLES, sweep=("dunning_policies",))
    migrations.grant_app(op, *_TABLES)
