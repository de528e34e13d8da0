"""What receivers say of e-invoices."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    CREATE TABLE einvoices (
        organization_id text NOT NULL,
        einvoice_id text NOT NULL,
        document_id text NOT NULL,
        number text NOT NULL,
        invoice_id text NOT NULL,
        customer_id text NOT NULL,
        code text NOT NULL,
        occurred_at timestamptz NOT NULL,
        last_external_id text NOT NULL,
        is_waiting boolean NOT NULL,
        upheld_at timestamptz,
        upheld_by_name text NOT NULL,
        uphold_reason text NOT NULL,
        event_version bigint NOT NULL,
        CONSTRAINT pk_einvoices PRIMARY KEY (organization_id, einvoice_id),
        CONSTRAINT uq_einvoices_document UNIQUE (organization_id, document_id),
        CONSTRAINT fk_einvoices_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT fk_einvoices_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id),
        CONSTRAINT ck_einvoices_code CHECK (code IN ('AB', 'IP', 'UQ', 'CA', 'RE', 'AP', 'PD')),
        CONSTRAINT ck_einvoices_waiting CHECK (NOT is_waiting OR (code IN ('RE', 'UQ') AND upheld_at IS NULL))
    )
    """,
    "CREATE INDEX ix_einvoices_latest ON einvoices (organization_id, occurred_at DESC, einvoice_id DESC)",
    "CREATE INDEX ix_einvoices_waiting ON einvoices (organization_id) WHERE is_waiting",
    """
    CREATE TABLE einvoice_statuses (
        organization_id text NOT NULL,
        external_id text NOT NULL,
        document_id text NOT NULL,
        code text NOT NULL,
        occurred_at timestamptz NOT NULL,
        reported_at timestamptz NOT NULL,
        reasons jsonb NOT NULL,
        actions jsonb NOT NULL,
        network text NOT NULL,
        recipient text NOT NULL,
        reported_by_name text NOT NULL,
        CONSTRAINT pk_einvoice_statuses PRIMARY KEY (organization_id, external_id),
        CONSTRAINT ck_einvoice_statuses_code CHECK (code IN ('AB', 'IP', 'UQ', 'CA', 'RE', 'AP', 'PD'))
    )
    """,
    """
    CREATE INDEX ix_einvoice_statuses_document
        ON einvoice_statuses (organization_id, document_id, occurred_at)
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    migrations.create_tenant_policies(op, "einvoices", "einvoice_statuses")
    migrations.grant_app(op, "einvoices", privileges="SELECT, INSERT, UPDATE")
    migrations.grant_app(op, "einvoice_statuses", privileges="SELECT, INSERT")
