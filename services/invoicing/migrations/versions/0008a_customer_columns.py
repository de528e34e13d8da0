"""Billing accounts in full: terms, tax, holds, parents; their history and proposals. The index follows in 0008."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0008a"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    ALTER TABLE customers
        ADD COLUMN legal_name text NOT NULL DEFAULT '',
        ADD COLUMN city text NOT NULL DEFAULT '',
        ADD COLUMN region text NOT NULL DEFAULT '',
        ADD COLUMN postal_code text NOT NULL DEFAULT '',
        ADD COLUMN shipping jsonb,
        ADD COLUMN tax_ids jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN order_rule text NOT NULL DEFAULT 'none',
        ADD COLUMN order_pattern text NOT NULL DEFAULT '',
        ADD COLUMN purchase_order_number text NOT NULL DEFAULT '',
        ADD COLUMN due_at_month_end boolean NOT NULL DEFAULT false,
        ADD COLUMN early_discount_percent numeric(7, 4) NOT NULL DEFAULT 0,
        ADD COLUMN early_discount_days integer NOT NULL DEFAULT 0,
        ADD COLUMN credit_limit_minor_units bigint,
        ADD COLUMN on_hold boolean NOT NULL DEFAULT false,
        ADD COLUMN hold_reason text NOT NULL DEFAULT '',
        ADD COLUMN time_zone text NOT NULL DEFAULT '',
        ADD COLUMN tax_treatment text NOT NULL DEFAULT 'standard',
        ADD COLUMN exemption_certificate text NOT NULL DEFAULT '',
        ADD COLUMN exemption_valid_until date,
        ADD COLUMN account_manager_id text NOT NULL DEFAULT '',
        ADD COLUMN external_ids jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN segments text[] NOT NULL DEFAULT '{}',
        ADD COLUMN parent_customer_id text,
        ADD COLUMN ancestor_ids text[] NOT NULL DEFAULT '{}'
    """,
    """
    ALTER TABLE customers ADD CONSTRAINT fk_customers_parent FOREIGN KEY (organization_id, parent_customer_id)
        REFERENCES customers (organization_id, customer_id) NOT VALID
    """,
    """
    CREATE TABLE customer_references (
        organization_id text NOT NULL,
        system text NOT NULL,
        reference text NOT NULL,
        customer_id text NOT NULL,
        CONSTRAINT pk_customer_references PRIMARY KEY (organization_id, system, reference),
        CONSTRAINT fk_customer_references_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id)
    )
    """,
    "CREATE INDEX ix_customer_references_customer ON customer_references (organization_id, customer_id)",
    """
    CREATE TABLE customer_versions (
        organization_id text NOT NULL,
        customer_id text NOT NULL,
        version bigint NOT NULL,
        changed_at timestamptz NOT NULL,
        changed_by text NOT NULL,
        changed_by_name text NOT NULL,
        reason text NOT NULL,
        before jsonb NOT NULL,
        after jsonb NOT NULL,
        CONSTRAINT pk_customer_versions PRIMARY KEY (organization_id, customer_id, version)
    )
    """,
    """
    CREATE TABLE customer_proposals (
        organization_id text NOT NULL,
        proposal_id text NOT NULL,
        customer_id text NOT NULL,
        state text NOT NULL,
        proposed jsonb NOT NULL,
        before jsonb NOT NULL,
        after jsonb NOT NULL,
        note text NOT NULL,
        proposed_by text NOT NULL,
        proposed_by_name text NOT NULL,
        created_at timestamptz NOT NULL,
        decided_at timestamptz,
        decided_by_name text NOT NULL DEFAULT '',
        reason text NOT NULL DEFAULT '',
        CONSTRAINT pk_customer_proposals PRIMARY KEY (organization_id, proposal_id),
        CONSTRAINT fk_customer_proposals_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id),
        CONSTRAINT ck_customer_proposals_state
            CHECK (state IN ('open', 'accepted', 'rejected', 'withdrawn'))
    )
    """,
    "CREATE INDEX ix_customer_proposals_created ON customer_proposals (organization_id, created_at, proposal_id)",
    """
    CREATE UNIQUE INDEX uq_customer_proposals_open ON customer_proposals (organization_id, customer_id)
        WHERE state = 'open'
    """,
    """
    CREATE TABLE customer_policies (
        organization_id text NOT NULL,
        taken_at_once text[] NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT pk_customer_policies PRIMARY KEY (organization_id)
    )
    """,
)
_TABLES = ("customer_references", "customer_versions", "customer_proposals", "customer_policies")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    migrations.create_tenant_policies(op, *_TABLES)
    migrations.refuse_changes(op, "customer_versions")
    migrations.grant_app(op, "customer_references", "customer_proposals", "customer_policies")
    migrations.grant_app(op, "customer_versions", privileges="SELECT, INSERT")
