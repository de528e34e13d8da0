"""Refunds, returned debits and chargebacks. What takes long follows in 0003."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0003a"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PAYMENT = "FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, payment_id)"

_REFUNDS = (
    f"""
    CREATE TABLE refunds (
        organization_id text NOT NULL,
        refund_id text NOT NULL,
        payment_id text NOT NULL,
        customer_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        surcharge_minor_units bigint NOT NULL DEFAULT 0,
        currency text NOT NULL,
        destination text NOT NULL,
        forgives boolean NOT NULL,
        status text NOT NULL,
        reason text NOT NULL DEFAULT '',
        requested_by text NOT NULL,
        failure_code text NOT NULL DEFAULT '',
        provider_reference text,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        next_check_at timestamptz,
        checks integer NOT NULL DEFAULT 0,
        CONSTRAINT pk_refunds PRIMARY KEY (organization_id, refund_id),
        CONSTRAINT fk_refunds_payments {_PAYMENT},
        CONSTRAINT ck_refunds_amount CHECK (amount_minor_units > 0),
        CONSTRAINT ck_refunds_destination CHECK (destination IN ('method', 'credit', 'manual')),
        CONSTRAINT ck_refunds_status CHECK (
            status IN ('submitting', 'unknown', 'processing', 'succeeded', 'failed')
        )
    )
    """,
    "CREATE INDEX ix_refunds_payment ON refunds (organization_id, payment_id)",
    "CREATE INDEX ix_refunds_created_at ON refunds (organization_id, created_at, refund_id)",
    "CREATE INDEX ix_refunds_customer ON refunds (organization_id, customer_id, created_at, refund_id)",
    "CREATE INDEX ix_refunds_due ON refunds (next_check_at) WHERE next_check_at IS NOT NULL",
    """
    CREATE TABLE refund_parts (
        organization_id text NOT NULL,
        refund_id text NOT NULL,
        position smallint NOT NULL,
        invoice_id text NOT NULL,
        invoice_number text NOT NULL DEFAULT '',
        amount_minor_units bigint NOT NULL,
        CONSTRAINT pk_refund_parts PRIMARY KEY (organization_id, refund_id, position),
        CONSTRAINT fk_refund_parts_refunds FOREIGN KEY (organization_id, refund_id)
            REFERENCES refunds (organization_id, refund_id),
        CONSTRAINT uq_refund_parts_invoice UNIQUE (organization_id, refund_id, invoice_id),
        CONSTRAINT ck_refund_parts_amount CHECK (amount_minor_units > 0)
    )
    """,
)

_BY_BANKS = (
    f"""
    CREATE TABLE returns (
        organization_id text NOT NULL,
        return_id text NOT NULL,
        payment_id text NOT NULL,
        code text NOT NULL,
        returned_at timestamptz NOT NULL,
        noted_at timestamptz NOT NULL,
        CONSTRAINT pk_returns PRIMARY KEY (organization_id, return_id),
        CONSTRAINT fk_returns_payments {_PAYMENT},
        CONSTRAINT uq_returns_payment UNIQUE (organization_id, payment_id)
    )
    """,
    f"""
    CREATE TABLE chargebacks (
        organization_id text NOT NULL,
        chargeback_id text NOT NULL,
        payment_id text NOT NULL,
        customer_id text NOT NULL,
        provider text NOT NULL,
        provider_reference text NOT NULL,
        state text NOT NULL,
        amount_minor_units bigint NOT NULL,
        fee_minor_units bigint NOT NULL DEFAULT 0,
        currency text NOT NULL,
        fee_currency text NOT NULL,
        reason text NOT NULL,
        evidence text NOT NULL DEFAULT '',
        opened_at timestamptz NOT NULL,
        evidence_due_at timestamptz,
        closed_at timestamptz,
        CONSTRAINT pk_chargebacks PRIMARY KEY (organization_id, chargeback_id),
        CONSTRAINT fk_chargebacks_payments {_PAYMENT},
        CONSTRAINT uq_chargebacks_reference UNIQUE (organization_id, provider, provider_reference),
        CONSTRAINT ck_chargebacks_state CHECK (state IN ('open', 'under_review', 'won', 'lost')),
        CONSTRAINT ck_chargebacks_amount CHECK (amount_minor_units > 0 AND fee_minor_units >= 0)
    )
    """,
    "CREATE INDEX ix_chargebacks_payment ON chargebacks (organization_id, payment_id)",
    "CREATE INDEX ix_chargebacks_opened_at ON chargebacks (organization_id, opened_at, chargeback_id)",
)

_TAKEN = (
    f"""
    CREATE TABLE reversals (
        organization_id text NOT NULL,
        reversal_id text NOT NULL,
        payment_id text NOT NULL,
        kind text NOT NULL,
        cause_id text NOT NULL,
        claim_minor_units bigint NOT NULL,
        amount_minor_units bigint NOT NULL,
        surcharge_minor_units bigint NOT NULL,
        currency text NOT NULL,
        taken_at timestamptz NOT NULL,
        given_back_at timestamptz,
        CONSTRAINT pk_reversals PRIMARY KEY (organization_id, reversal_id),
        CONSTRAINT fk_reversals_payments {_PAYMENT},
        CONSTRAINT ck_reversals_kind CHECK (kind IN ('refund', 'return', 'chargeback', 'unmatched')),
        CONSTRAINT ck_reversals_amount CHECK (amount_minor_units BETWEEN 0 AND claim_minor_units)
    )
    """,
    "CREATE INDEX ix_reversals_payment ON reversals (organization_id, payment_id)",
    "CREATE UNIQUE INDEX uq_reversals_cause ON reversals (organization_id, cause_id) WHERE given_back_at IS NULL",
    """
    CREATE TABLE receipt_reversals (
        organization_id text NOT NULL,
        receipt_no bigint NOT NULL,
        payment_id text NOT NULL,
        return_id text NOT NULL,
        issued_at timestamptz NOT NULL,
        CONSTRAINT pk_receipt_reversals PRIMARY KEY (organization_id, receipt_no),
        CONSTRAINT fk_receipt_reversals_receipts FOREIGN KEY (organization_id, receipt_no)
            REFERENCES receipts (organization_id, receipt_no)
    )
    """,
    f"""
    CREATE TABLE payment_watches (
        organization_id text NOT NULL,
        attempt_id text NOT NULL,
        payment_id text NOT NULL,
        next_check_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        CONSTRAINT pk_payment_watches PRIMARY KEY (organization_id, attempt_id),
        CONSTRAINT fk_payment_watches_payments {_PAYMENT}
    )
    """,
    "CREATE INDEX ix_payment_watches_due ON payment_watches (next_check_at)",
)

_PAYMENTS = (
    "ALTER TABLE payments ADD COLUMN recredited_minor_units bigint NOT NULL DEFAULT 0",
    # The last wall: what has left and what the bank has taken is never more than what was captured.
    (
        "ALTER TABLE payments ADD CONSTRAINT ck_payments_reversed CHECK ("
        "recredited_minor_units BETWEEN 0 AND refunded_minor_units"
        " AND refunded_minor_units - recredited_minor_units + disputed_minor_units <= amount_minor_units) NOT VALID"
    ),
)


def upgrade() -> None:
    for statement in (*_REFUNDS, *_BY_BANKS, *_TAKEN, *_PAYMENTS):
        op.execute(statement)
    swept = ("refunds", "payment_watches")
    changing = ("refund_parts", "returns", "chargebacks", "reversals", *swept)
    migrations.create_tenant_policies(op, *changing, "receipt_reversals", sweep=swept)
    migrations.refuse_changes(op, "returns", "refund_parts", "receipt_reversals")
    migrations.grant_app(op, "refunds", "chargebacks", "reversals", privileges="SELECT, INSERT, UPDATE")
    migrations.grant_app(op, "returns", "refund_parts", "receipt_reversals", privileges="SELECT, INSERT")
    migrations.grant_app(op, "payment_watches")
