"""Instalment plans, hardship requests and promises."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PLANS = (
    """
    CREATE TABLE instalment_plans (
        organization_id text NOT NULL,
        plan_id text NOT NULL,
        customer_id text NOT NULL,
        currency text NOT NULL,
        state text NOT NULL,
        hardship boolean NOT NULL,
        reasons text[] NOT NULL,
        message text NOT NULL,
        wished_minor_units bigint,
        discount_minor_units bigint NOT NULL,
        note text NOT NULL,
        choice jsonb NOT NULL,
        rules jsonb NOT NULL,
        instalments jsonb NOT NULL,
        agreement jsonb,
        offered_until date,
        announced integer NOT NULL,
        checked_on date,
        wake_at timestamptz,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        created_by_name text NOT NULL,
        decided_at timestamptz,
        decided_by_name text NOT NULL,
        ended_at timestamptz,
        version bigint NOT NULL,
        event_version bigint NOT NULL,
        CONSTRAINT pk_instalment_plans PRIMARY KEY (organization_id, plan_id),
        CONSTRAINT fk_instalment_plans_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id),
        CONSTRAINT ck_instalment_plans_state CHECK (state IN
            ('requested', 'offered', 'rejected', 'active', 'completed', 'broken', 'canceled')),
        CONSTRAINT ck_instalment_plans_discount CHECK (discount_minor_units >= 0),
        CONSTRAINT ck_instalment_plans_agreement
            CHECK (state NOT IN ('active', 'completed', 'broken') OR agreement IS NOT NULL)
    )
    """,
    "CREATE INDEX ix_instalment_plans_newest ON instalment_plans (organization_id, created_at DESC, plan_id DESC)",
    "CREATE INDEX ix_instalment_plans_customer ON instalment_plans (organization_id, customer_id, state)",
    """
    CREATE INDEX ix_instalment_plans_wake_at ON instalment_plans (organization_id, wake_at)
        WHERE wake_at IS NOT NULL
    """,
    """
    CREATE TABLE plan_invoices (
        organization_id text NOT NULL,
        plan_id text NOT NULL,
        invoice_id text NOT NULL,
        live boolean NOT NULL,
        start_minor_units bigint NOT NULL,
        discount_minor_units bigint NOT NULL,
        CONSTRAINT pk_plan_invoices PRIMARY KEY (organization_id, plan_id, invoice_id),
        CONSTRAINT fk_plan_invoices_instalment_plans FOREIGN KEY (organization_id, plan_id)
            REFERENCES instalment_plans (organization_id, plan_id),
        CONSTRAINT fk_plan_invoices_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT ck_plan_invoices_amounts CHECK (start_minor_units >= 0 AND discount_minor_units >= 0)
    )
    """,
    "CREATE UNIQUE INDEX uq_plan_invoices_live ON plan_invoices (organization_id, invoice_id) WHERE live",
)
_PROMISES = (
    """
    CREATE TABLE payment_promises (
        organization_id text NOT NULL,
        promise_id text NOT NULL,
        customer_id text NOT NULL,
        currency text NOT NULL,
        amount_minor_units bigint NOT NULL,
        received_minor_units bigint NOT NULL,
        promised_on date NOT NULL,
        grace_days integer NOT NULL,
        state text NOT NULL,
        note text NOT NULL,
        by_staff boolean NOT NULL,
        wake_at timestamptz,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        created_by_name text NOT NULL,
        ended_at timestamptz,
        event_version bigint NOT NULL,
        CONSTRAINT pk_payment_promises PRIMARY KEY (organization_id, promise_id),
        CONSTRAINT fk_payment_promises_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id),
        CONSTRAINT ck_payment_promises_state CHECK (state IN ('open', 'kept', 'broken', 'withdrawn')),
        CONSTRAINT ck_payment_promises_amount CHECK (amount_minor_units > 0)
    )
    """,
    "CREATE INDEX ix_payment_promises_newest ON payment_promises (organization_id, created_at DESC, promise_id DESC)",
    "CREATE INDEX ix_payment_promises_customer ON payment_promises (organization_id, customer_id, state)",
    """
    CREATE INDEX ix_payment_promises_wake_at ON payment_promises (organization_id, wake_at)
        WHERE wake_at IS NOT NULL
    """,
)
_RULES = (
    """
    CREATE TABLE plan_policies (
        organization_id text NOT NULL,
        segment text NOT NULL,
        currency text NOT NULL,
        rules jsonb NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT pk_plan_policies PRIMARY KEY (organization_id, segment, currency)
    )
    """,
    """
    CREATE TABLE failed_payments (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        customer_id text NOT NULL,
        failed_at timestamptz NOT NULL,
        CONSTRAINT pk_failed_payments PRIMARY KEY (organization_id, payment_id)
    )
    """,
    "CREATE INDEX ix_failed_payments_customer ON failed_payments (organization_id, customer_id, failed_at)",
    """
    CREATE TABLE plan_suggestions (
        organization_id text NOT NULL,
        customer_id text NOT NULL,
        first_shown_on date NOT NULL,
        declined boolean NOT NULL,
        CONSTRAINT pk_plan_suggestions PRIMARY KEY (organization_id, customer_id),
        CONSTRAINT fk_plan_suggestions_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id)
    )
    """,
)
_TABLES = (
    "instalment_plans",
    "plan_invoices",
    "payment_promises",
    "plan_policies",
    "failed_payments",
    "plan_suggestions",
)


def upgrade() -> None:
    for statement in (*_PLANS, *_PROMISES, *_RULES):
        op.execute(statement)
    migrations.create_tenant_policies(op, *_TABLES, sweep=("instalment_plans", "payment_promises"))
    migrations.grant_app(op, *_TABLES)
