"""Saved methods, autopay, payer rules, guards."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    CREATE TABLE payment_methods (
        organization_id text NOT NULL,
        payment_method_id text NOT NULL,
        customer_id text NOT NULL,
        provider text NOT NULL,
        kind text NOT NULL,
        method_token text NOT NULL,
        customer_token text NOT NULL,
        brand text NOT NULL,
        last_digits text NOT NULL,
        expiry_month smallint NOT NULL,
        expiry_year smallint NOT NULL,
        fingerprint text NOT NULL,
        mandate_reference text NOT NULL,
        mandate_text text NOT NULL,
        mandate_accepted_at timestamptz,
        mandate_accepted_by text NOT NULL,
        state text NOT NULL,
        is_default boolean NOT NULL,
        usable_from timestamptz NOT NULL,
        last_used_at timestamptz,
        created_at timestamptz NOT NULL,
        noticed_expiry text NOT NULL DEFAULT '',
        checked_at timestamptz,
        events integer NOT NULL DEFAULT 0,
        CONSTRAINT pk_payment_methods PRIMARY KEY (organization_id, payment_method_id),
        CONSTRAINT ck_payment_methods_kind CHECK (kind IN ('card', 'bank_debit', 'wallet', 'redirect')),
        CONSTRAINT ck_payment_methods_state CHECK (state IN ('active', 'revoked', 'removed')),
        CONSTRAINT ck_payment_methods_expiry CHECK (expiry_month BETWEEN 0 AND 12),
        CONSTRAINT ck_payment_methods_is_default CHECK (NOT is_default OR state = 'active')
    )
    """,
    (
        "CREATE INDEX ix_payment_methods_customer ON payment_methods"
        " (organization_id, customer_id, created_at)"
    ),
    (
        "CREATE INDEX ix_payment_methods_expiry ON payment_methods (expiry_year, expiry_month)"
        " WHERE state = 'active' AND expiry_year > 0"
    ),
    (
        "CREATE UNIQUE INDEX uq_payment_methods_default ON payment_methods (organization_id, customer_id)"
        " WHERE is_default"
    ),
    (
        "CREATE UNIQUE INDEX uq_payment_methods_fingerprint ON payment_methods"
        " (organization_id, customer_id, provider, fingerprint)"
        " WHERE state = 'active' AND fingerprint <> ''"
    ),
    (
        "CREATE UNIQUE INDEX uq_payment_methods_token ON payment_methods (organization_id, provider, method_token)"
        " WHERE state <> 'removed'"
    ),
    """
    CREATE TABLE payment_method_setups (
        organization_id text NOT NULL,
        setup_id text NOT NULL,
        customer_id text NOT NULL,
        provider text NOT NULL,
        kind text NOT NULL,
        customer_token text NOT NULL,
        status text NOT NULL,
        return_url text NOT NULL,
        redirect_url text NOT NULL,
        failure_code text NOT NULL,
        payment_method_id text NOT NULL,
        make_default boolean NOT NULL,
        started_by text NOT NULL,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        CONSTRAINT pk_payment_method_setups PRIMARY KEY (organization_id, setup_id),
        CONSTRAINT ck_payment_method_setups_status CHECK (status IN ('requires_action', 'succeeded', 'failed'))
    )
    """,
    (
        "CREATE INDEX ix_payment_method_setups_customer ON payment_method_setups"
        " (organization_id, customer_id, created_at)"
    ),
    (
        "CREATE INDEX ix_payment_method_setups_open ON payment_method_setups (created_at)"
        " WHERE status = 'requires_action'"
    ),
    """
    CREATE TABLE autopay_settings (
        organization_id text NOT NULL,
        customer_id text NOT NULL,
        version bigint NOT NULL,
        is_current boolean NOT NULL,
        enabled boolean NOT NULL,
        payment_method_id text NOT NULL,
        scope text NOT NULL,
        prefixes text[] NOT NULL,
        days_before_due smallint NOT NULL,
        day_of_month smallint NOT NULL,
        cap_minor_units bigint,
        cap_currency text,
        notice_days smallint NOT NULL,
        paused_until date,
        terms text NOT NULL,
        agreed_at timestamptz NOT NULL,
        agreed_by text NOT NULL,
        agreed_by_id text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_autopay_settings PRIMARY KEY (organization_id, customer_id, version),
        CONSTRAINT ck_autopay_settings_scope CHECK (scope IN ('all', 'chosen')),
        CONSTRAINT ck_autopay_settings_cap CHECK ((cap_minor_units IS NULL) = (cap_currency IS NULL))
    )
    """,
    (
        "CREATE INDEX ix_autopay_settings_enabled ON autopay_settings (organization_id, customer_id)"
        " WHERE is_current AND enabled"
    ),
    (
        "CREATE UNIQUE INDEX uq_autopay_settings_current ON autopay_settings (organization_id, customer_id)"
        " WHERE is_current"
    ),
    """
    CREATE TABLE autopay_runs (
        organization_id text NOT NULL,
        run_id text NOT NULL,
        customer_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        currency text NOT NULL,
        pay_on date NOT NULL,
        status text NOT NULL,
        confirmed_by text[] NOT NULL DEFAULT '{}',
        payment_id text NOT NULL DEFAULT '',
        failure_code text NOT NULL DEFAULT '',
        tries smallint NOT NULL DEFAULT 0,
        first_tried_at timestamptz,
        next_try_on date,
        noticed_at timestamptz,
        act_at timestamptz,
        created_at timestamptz NOT NULL,
        version integer NOT NULL DEFAULT 1,
        events integer NOT NULL DEFAULT 0,
        CONSTRAINT pk_autopay_runs PRIMARY KEY (organization_id, run_id),
        CONSTRAINT ck_autopay_runs_status CHECK (
            status IN ('planned', 'needs_confirmation', 'skipped', 'started', 'retrying', 'failed', 'canceled')
        ),
        CONSTRAINT ck_autopay_runs_amount CHECK (amount_minor_units > 0)
    )
    """,
    "CREATE INDEX ix_autopay_runs_customer ON autopay_runs (organization_id, customer_id, pay_on, run_id)",
    "CREATE INDEX ix_autopay_runs_due ON autopay_runs (act_at) WHERE act_at IS NOT NULL",
    """
    CREATE TABLE autopay_run_invoices (
        organization_id text NOT NULL,
        run_id text NOT NULL,
        position smallint NOT NULL,
        invoice_id text NOT NULL,
        number text NOT NULL,
        amount_minor_units bigint NOT NULL,
        is_open boolean NOT NULL,
        CONSTRAINT pk_autopay_run_invoices PRIMARY KEY (organization_id, run_id, position),
        CONSTRAINT fk_autopay_run_invoices_autopay_runs FOREIGN KEY (organization_id, run_id)
            REFERENCES autopay_runs (organization_id, run_id)
    )
    """,
    (
        "CREATE UNIQUE INDEX uq_autopay_run_invoices_open ON autopay_run_invoices (organization_id, invoice_id)"
        " WHERE is_open"
    ),
    """
    CREATE TABLE payer_rules (
        organization_id text NOT NULL,
        customer_id text NOT NULL,
        approval_above_minor_units bigint,
        approval_above_currency text,
        approvals_needed smallint NOT NULL,
        version bigint NOT NULL,
        CONSTRAINT pk_payer_rules PRIMARY KEY (organization_id, customer_id),
        CONSTRAINT ck_payer_rules_approval_above CHECK (
            (approval_above_minor_units IS NULL) = (approval_above_currency IS NULL)
        ),
        CONSTRAINT ck_payer_rules_approvals_needed CHECK (approvals_needed BETWEEN 0 AND 2)
    )
    """,
    """
    CREATE TABLE person_limits (
        organization_id text NOT NULL,
        customer_id text NOT NULL,
        person_id text NOT NULL,
        per_payment_minor_units bigint,
        per_payment_currency text,
        per_month_minor_units bigint,
        per_month_currency text,
        CONSTRAINT pk_person_limits PRIMARY KEY (organization_id, customer_id, person_id)
    )
    """,
    """
    CREATE TABLE person_payments (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        customer_id text NOT NULL,
        person_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        currency text NOT NULL,
        month text NOT NULL,
        CONSTRAINT pk_person_payments PRIMARY KEY (organization_id, payment_id)
    )
    """,
    (
        "CREATE INDEX ix_person_payments_month ON person_payments"
        " (organization_id, customer_id, person_id, month)"
    ),
    """
    CREATE TABLE approval_requests (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        customer_id text NOT NULL,
        requested_by text NOT NULL,
        requested_by_id text NOT NULL,
        approvals_needed smallint NOT NULL,
        is_open boolean NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_approval_requests PRIMARY KEY (organization_id, payment_id)
    )
    """,
    (
        "CREATE INDEX ix_approval_requests_open ON approval_requests (organization_id, customer_id, created_at)"
        " WHERE is_open"
    ),
    """
    CREATE TABLE payment_approvals (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        person_id text NOT NULL,
        person_name text NOT NULL,
        approved_at timestamptz NOT NULL,
        CONSTRAINT pk_payment_approvals PRIMARY KEY (organization_id, payment_id, person_id)
    )
    """,
    """
    CREATE TABLE guard_failures (
        organization_id text NOT NULL,
        subject text NOT NULL,
        payment_id text NOT NULL,
        failed_at timestamptz NOT NULL,
        CONSTRAINT pk_guard_failures PRIMARY KEY (organization_id, subject, payment_id)
    )
    """,
    "CREATE INDEX ix_guard_failures_failed_at ON guard_failures (failed_at)",
    "CREATE INDEX ix_guard_failures_subject ON guard_failures (organization_id, subject, failed_at)",
    """
    CREATE TABLE guarded_payments (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        subjects text[] NOT NULL,
        is_known boolean NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_guarded_payments PRIMARY KEY (organization_id, payment_id)
    )
    """,
    "CREATE INDEX ix_guarded_payments_created_at ON guarded_payments (created_at)",
    (
        "CREATE INDEX ix_guarded_payments_unknown ON guarded_payments (organization_id, created_at)"
        " WHERE NOT is_known"
    ),
)
_TABLES = (
    "payment_methods",
    "payment_method_setups",
    "autopay_settings",
    "autopay_runs",
    "autopay_run_invoices",
    "payer_rules",
    "person_limits",
    "person_payments",
    "approval_requests",
    "payment_approvals",
    "guard_failures",
    "guarded_payments",
)
_SWEPT = (
    "payment_methods",
    "payment_method_setups",
    "autopay_settings",
    "autopay_runs",
    "guard_failures",
    "guarded_payments",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    migrations.create_tenant_policies(op, *_TABLES, sweep=_SWEPT)
    migrations.grant_app(op, *_TABLES)
