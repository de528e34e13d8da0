"""Payments, attempts, receipts, provider events and the cash ledger."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_LIVE = "IN ('submitting', 'unknown', 'requires_action', 'processing', 'review')"
_STATES = "IN ('submitting', 'unknown', 'requires_action', 'processing', 'review', 'canceled', 'failed', 'succeeded')"

_PAYMENTS = (
    f"""
    CREATE TABLE payments (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        customer_id text NOT NULL,
        status text NOT NULL,
        amount_minor_units bigint NOT NULL,
        currency text NOT NULL,
        method text NOT NULL,
        method_summary text NOT NULL DEFAULT '',
        return_url text NOT NULL DEFAULT '',
        redirect_url text NOT NULL DEFAULT '',
        failure_code text NOT NULL DEFAULT '',
        initiated_by text NOT NULL,
        note text NOT NULL DEFAULT '',
        external_reference text,
        receipt_no bigint,
        received_on date,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        version integer NOT NULL DEFAULT 1,
        events integer NOT NULL DEFAULT 0,
        CONSTRAINT pk_payments PRIMARY KEY (organization_id, payment_id),
        CONSTRAINT ck_payments_status CHECK (status {_STATES}),
        CONSTRAINT ck_payments_amount CHECK (amount_minor_units > 0),
        CONSTRAINT ck_payments_receipt CHECK (
            (status = 'succeeded') = (receipt_no IS NOT NULL) AND (status = 'succeeded') = (received_on IS NOT NULL)
        )
    ) WITH (fillfactor = 80)
    """,
    (
        "CREATE UNIQUE INDEX uq_payments_external_reference ON payments (organization_id, external_reference)"
        " WHERE external_reference IS NOT NULL"
    ),
    "CREATE INDEX ix_payments_created_at ON payments (organization_id, created_at, payment_id)",
    "CREATE INDEX ix_payments_customer ON payments (organization_id, customer_id, created_at, payment_id)",
    "CREATE INDEX ix_payments_status ON payments (organization_id, status, created_at, payment_id)",
    (
        "CREATE INDEX ix_payments_received_on ON payments (organization_id, received_on, currency)"
        " WHERE status = 'succeeded'"
    ),
    """
    CREATE TABLE payment_parts (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        position smallint NOT NULL,
        invoice_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        invoice_number text NOT NULL DEFAULT '',
        CONSTRAINT pk_payment_parts PRIMARY KEY (organization_id, payment_id, position),
        CONSTRAINT fk_payment_parts_payments FOREIGN KEY (organization_id, payment_id)
            REFERENCES payments (organization_id, payment_id),
        CONSTRAINT uq_payment_parts_invoice UNIQUE (organization_id, payment_id, invoice_id),
        CONSTRAINT ck_payment_parts_amount CHECK (amount_minor_units > 0)
    )
    """,
    f"""
    CREATE TABLE payment_attempts (
        organization_id text NOT NULL,
        attempt_id text NOT NULL,
        payment_id text NOT NULL,
        provider text NOT NULL,
        state text NOT NULL,
        amount_minor_units bigint NOT NULL,
        currency text NOT NULL,
        provider_reference text,
        is_hosted boolean NOT NULL,
        card_token text,
        review_reason text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL,
        next_check_at timestamptz,
        checks integer NOT NULL DEFAULT 0,
        CONSTRAINT pk_payment_attempts PRIMARY KEY (organization_id, attempt_id),
        CONSTRAINT fk_payment_attempts_payments FOREIGN KEY (organization_id, payment_id)
            REFERENCES payments (organization_id, payment_id),
        CONSTRAINT ck_payment_attempts_state CHECK (state {_STATES}),
        CONSTRAINT ck_payment_attempts_card_token CHECK (card_token IS NULL OR state {_LIVE})
    ) WITH (fillfactor = 80)
    """,
    (
        "CREATE UNIQUE INDEX uq_payment_attempts_live ON payment_attempts (organization_id, payment_id)"
        f" WHERE state {_LIVE}"
    ),
    (
        "CREATE UNIQUE INDEX uq_payment_attempts_succeeded ON payment_attempts (organization_id, payment_id)"
        " WHERE state = 'succeeded'"
    ),
    "CREATE INDEX ix_payment_attempts_due ON payment_attempts (next_check_at) WHERE next_check_at IS NOT NULL",
)

_RECEIPTS = (
    """
    CREATE TABLE receipts (
        organization_id text NOT NULL,
        receipt_no bigint NOT NULL,
        payment_id text NOT NULL,
        issued_at timestamptz NOT NULL,
        CONSTRAINT pk_receipts PRIMARY KEY (organization_id, receipt_no),
        CONSTRAINT uq_receipts_payment UNIQUE (organization_id, payment_id),
        CONSTRAINT fk_receipts_payments FOREIGN KEY (organization_id, payment_id)
            REFERENCES payments (organization_id, payment_id)
    )
    """,
    """
    CREATE TABLE number_series (
        organization_id text NOT NULL,
        series text NOT NULL,
        last_number bigint NOT NULL,
        CONSTRAINT pk_number_series PRIMARY KEY (organization_id, series)
    ) WITH (fillfactor = 50)
    """,
)

_HEARD = (
    """
    CREATE TABLE provider_events (
        organization_id text NOT NULL,
        provider text NOT NULL,
        event_id text NOT NULL,
        type text NOT NULL,
        attempt_id text,
        body bytea NOT NULL,
        received_at timestamptz NOT NULL,
        processed_at timestamptz,
        CONSTRAINT pk_provider_events PRIMARY KEY (organization_id, provider, event_id)
    )
    """,
    """
    CREATE TABLE organizations (
        organization_id text NOT NULL,
        name text NOT NULL,
        time_zone text NOT NULL,
        locale text NOT NULL,
        currency text NOT NULL,
        address_lines text[] NOT NULL,
        tax_id text NOT NULL,
        contact_email text NOT NULL,
        primary_color text NOT NULL,
        live_mode boolean NOT NULL,
        CONSTRAINT pk_organizations PRIMARY KEY (organization_id)
    )
    """,
    """
    CREATE TABLE customers (
        organization_id text NOT NULL,
        customer_id text NOT NULL,
        name text NOT NULL,
        locale text NOT NULL,
        CONSTRAINT pk_customers PRIMARY KEY (organization_id, customer_id)
    )
    """,
)


def upgrade() -> None:
    migrations.create_transport_tables(op)
    migrations.create_ledger(op)
    for statement in (*_PAYMENTS, *_RECEIPTS, *_HEARD):
        op.execute(statement)
    changing = (
        "payments",
        "payment_parts",
        "payment_attempts",
        "number_series",
        "organizations",
        "customers",
    )
    kept = ("provider_events",)
    migrations.create_tenant_policies(op, *changing, *kept, "receipts", sweep=("payment_attempts",))
    migrations.refuse_changes(op, "receipts")
    migrations.grant_app(op, *changing, *kept, privileges="SELECT, INSERT, UPDATE")
    migrations.grant_app(op, "receipts", privileges="SELECT, INSERT")
