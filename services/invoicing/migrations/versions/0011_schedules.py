"""Recurring schedules and usage."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SCHEDULES = (
    """
    CREATE TABLE schedules (
        organization_id text NOT NULL,
        schedule_id text NOT NULL,
        customer_id text NOT NULL,
        name text NOT NULL,
        status text NOT NULL,
        currency text NOT NULL,
        unit text NOT NULL,
        every integer NOT NULL,
        anchor_day integer NOT NULL,
        anchor_weekday integer NOT NULL,
        anchor_month integer NOT NULL,
        starts_on date NOT NULL,
        trial_days integer NOT NULL,
        last_day date,
        max_periods integer,
        canceled_from date,
        cancel_reason text NOT NULL,
        timing text NOT NULL,
        review boolean NOT NULL,
        time_zone text NOT NULL,
        upcoming_notice_days integer NOT NULL,
        price_notice_days integer NOT NULL,
        customer_may_cancel boolean NOT NULL,
        purchase_order_number text NOT NULL,
        memo text NOT NULL,
        external_id text,
        next_number integer NOT NULL,
        noticed_number integer NOT NULL,
        billed jsonb NOT NULL,
        credits jsonb NOT NULL,
        next_due_at timestamptz,
        wake_at timestamptz,
        failure text NOT NULL,
        failures integer NOT NULL,
        version bigint NOT NULL,
        event_version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_schedules PRIMARY KEY (organization_id, schedule_id),
        CONSTRAINT fk_schedules_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id),
        CONSTRAINT uq_schedules_external_id UNIQUE (organization_id, external_id),
        CONSTRAINT ck_schedules_status CHECK (status IN ('active', 'paused', 'canceled', 'ended')),
        CONSTRAINT ck_schedules_next_due_at
            CHECK ((status IN ('active', 'paused')) = (next_due_at IS NOT NULL))
    )
    """,
    "CREATE INDEX ix_schedules_customer ON schedules (organization_id, customer_id, schedule_id DESC)",
    "CREATE INDEX ix_schedules_wake_at ON schedules (organization_id, wake_at) WHERE wake_at IS NOT NULL",
    """
    CREATE TABLE schedule_lines (
        organization_id text NOT NULL,
        schedule_id text NOT NULL,
        line_no integer NOT NULL,
        item_id text,
        description text NOT NULL,
        metered boolean NOT NULL,
        quantity numeric(13, 4) NOT NULL,
        unit_price_minor_units bigint NOT NULL,
        tax_rate_percent numeric(7, 4),
        tiers jsonb NOT NULL,
        CONSTRAINT pk_schedule_lines PRIMARY KEY (organization_id, schedule_id, line_no),
        CONSTRAINT fk_schedule_lines_schedules FOREIGN KEY (organization_id, schedule_id)
            REFERENCES schedules (organization_id, schedule_id),
        CONSTRAINT fk_schedule_lines_items FOREIGN KEY (organization_id, item_id)
            REFERENCES items (organization_id, item_id)
    )
    """,
    """
    CREATE TABLE schedule_changes (
        organization_id text NOT NULL,
        schedule_id text NOT NULL,
        change_no integer NOT NULL,
        kind text NOT NULL,
        line_no integer NOT NULL,
        effective_on date NOT NULL,
        quantity numeric(13, 4),
        unit_price_minor_units bigint,
        actor text NOT NULL,
        made_at timestamptz NOT NULL,
        CONSTRAINT pk_schedule_changes PRIMARY KEY (organization_id, schedule_id, change_no),
        CONSTRAINT fk_schedule_changes_schedules FOREIGN KEY (organization_id, schedule_id)
            REFERENCES schedules (organization_id, schedule_id),
        CONSTRAINT ck_schedule_changes_kind CHECK (kind IN ('quantity', 'price', 'pause', 'resume'))
    )
    """,
)
_MADE = (
    # The key is what keeps two workers from making two invoices of one period.
    """
    CREATE TABLE scheduled_invoices (
        organization_id text NOT NULL,
        schedule_id text NOT NULL,
        period_start date NOT NULL,
        period_end date NOT NULL,
        number integer NOT NULL,
        invoice_on date NOT NULL,
        outcome text NOT NULL,
        invoice_id text,
        made_at timestamptz NOT NULL,
        CONSTRAINT pk_scheduled_invoices PRIMARY KEY (organization_id, schedule_id, period_start),
        CONSTRAINT fk_scheduled_invoices_schedules FOREIGN KEY (organization_id, schedule_id)
            REFERENCES schedules (organization_id, schedule_id),
        CONSTRAINT fk_scheduled_invoices_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT ck_scheduled_invoices_outcome
            CHECK (outcome IN ('finalized', 'draft', 'nothing', 'covered')),
        CONSTRAINT ck_scheduled_invoices_invoice_id
            CHECK ((outcome IN ('finalized', 'draft')) = (invoice_id IS NOT NULL))
    )
    """,
    "CREATE INDEX ix_scheduled_invoices_invoice ON scheduled_invoices (organization_id, invoice_id)",
    """
    CREATE TABLE usage_records (
        organization_id text NOT NULL,
        schedule_id text NOT NULL,
        external_id text NOT NULL,
        line_no integer NOT NULL,
        quantity numeric(13, 4) NOT NULL,
        used_at timestamptz NOT NULL,
        used_on date NOT NULL,
        recorded_at timestamptz NOT NULL,
        billed_number integer,
        CONSTRAINT pk_usage_records PRIMARY KEY (organization_id, schedule_id, external_id),
        CONSTRAINT fk_usage_records_schedules FOREIGN KEY (organization_id, schedule_id)
            REFERENCES schedules (organization_id, schedule_id)
    )
    """,
    """
    CREATE INDEX ix_usage_records_used_at
        ON usage_records (organization_id, schedule_id, used_at DESC, external_id)
    """,
    """
    CREATE INDEX ix_usage_records_unbilled
        ON usage_records (organization_id, schedule_id, line_no, used_on) WHERE billed_number IS NULL
    """,
)
_TRIGGERS = (
    """
    CREATE TABLE invoice_triggers (
        organization_id text NOT NULL,
        trigger_id text NOT NULL,
        name text NOT NULL,
        event_name text NOT NULL,
        customer_id text,
        customer_field text NOT NULL,
        lines jsonb NOT NULL,
        review boolean NOT NULL,
        enabled boolean NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_invoice_triggers PRIMARY KEY (organization_id, trigger_id),
        CONSTRAINT fk_invoice_triggers_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id)
    )
    """,
    """
    CREATE INDEX ix_invoice_triggers_event_name
        ON invoice_triggers (organization_id, event_name, trigger_id)
    """,
    """
    CREATE TABLE trigger_events (
        organization_id text NOT NULL,
        external_id text NOT NULL,
        event_name text NOT NULL,
        fields jsonb NOT NULL,
        invoice_ids text[] NOT NULL,
        reported_at timestamptz NOT NULL,
        CONSTRAINT pk_trigger_events PRIMARY KEY (organization_id, external_id)
    )
    """,
)
_NEW_TABLES = (
    "schedules",
    "schedule_lines",
    "schedule_changes",
    "scheduled_invoices",
    "usage_records",
    "invoice_triggers",
    "trigger_events",
)


def upgrade() -> None:
    for statement in (*_SCHEDULES, *_MADE, *_TRIGGERS):
        op.execute(statement)
    migrations.create_tenant_policies(op, *_NEW_TABLES, sweep=("schedules",))
    migrations.grant_app(op, *_NEW_TABLES)
