"""Credit by source, reversals, what was forgiven. What takes long follows in 0003."""

from alembic import op

from chassis import migrations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = (
    "ALTER TABLE invoices ADD COLUMN credited_minor_units bigint NOT NULL DEFAULT 0",
    "ALTER TABLE invoices ADD COLUMN number_key text",
    "ALTER TABLE payment_applications ADD COLUMN surcharge_minor_units bigint NOT NULL DEFAULT 0",
    "ALTER TABLE payment_applications ADD COLUMN credit_used_minor_units bigint NOT NULL DEFAULT 0",
    "ALTER TABLE payment_applications ADD COLUMN refunded_minor_units bigint NOT NULL DEFAULT 0",
    "ALTER TABLE payment_applications ADD COLUMN event_version bigint NOT NULL DEFAULT 1",
    "ALTER TABLE customer_credits ADD COLUMN held_minor_units bigint NOT NULL DEFAULT 0",
)
_RULES = (
    # The wider rule comes at once, in the same transaction.
    "-- squawk-ignore ban-drop-constraint\nALTER TABLE invoices DROP CONSTRAINT ck_invoices_guard",
    """
    ALTER TABLE invoices ADD CONSTRAINT ck_invoices_guard
        CHECK (paid_minor_units >= 0 AND reserved_minor_units >= 0 AND credited_minor_units >= 0
            AND (status = 'draft'
                OR paid_minor_units + credited_minor_units + reserved_minor_units <= total_minor_units))
        NOT VALID
    """,
    """
    ALTER TABLE customer_credits ADD CONSTRAINT ck_customer_credits_held
        CHECK (held_minor_units >= 0 AND held_minor_units <= remaining_minor_units)
        NOT VALID
    """,
)
_TABLES = (
    """
    CREATE TABLE credit_holds (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        source_payment_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_credit_holds PRIMARY KEY (organization_id, payment_id, source_payment_id),
        CONSTRAINT fk_credit_holds_customer_credits FOREIGN KEY (organization_id, source_payment_id)
            REFERENCES customer_credits (organization_id, payment_id),
        CONSTRAINT ck_credit_holds_amount CHECK (amount_minor_units > 0)
    )
    """,
    "CREATE INDEX ix_credit_holds_source ON credit_holds (organization_id, source_payment_id)",
    """
    CREATE TABLE credit_allocations (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        source_payment_id text NOT NULL,
        invoice_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        CONSTRAINT pk_credit_allocations
            PRIMARY KEY (organization_id, payment_id, source_payment_id, invoice_id),
        CONSTRAINT fk_credit_allocations_payment_applications FOREIGN KEY (organization_id, payment_id)
            REFERENCES payment_applications (organization_id, payment_id),
        CONSTRAINT fk_credit_allocations_customer_credits FOREIGN KEY (organization_id, source_payment_id)
            REFERENCES customer_credits (organization_id, payment_id),
        CONSTRAINT fk_credit_allocations_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT ck_credit_allocations_amount CHECK (amount_minor_units > 0)
    )
    """,
    "CREATE INDEX ix_credit_allocations_source ON credit_allocations (organization_id, source_payment_id)",
    "CREATE INDEX ix_credit_allocations_invoice ON credit_allocations (organization_id, invoice_id)",
    """
    CREATE TABLE payment_reversals (
        organization_id text NOT NULL,
        reversal_id text NOT NULL,
        payment_id text NOT NULL,
        kind text NOT NULL,
        amount_minor_units bigint NOT NULL,
        surcharge_minor_units bigint NOT NULL,
        shortfall_minor_units bigint NOT NULL,
        currency text NOT NULL,
        forgiven boolean NOT NULL,
        to_credit boolean NOT NULL,
        reason text NOT NULL,
        reversed_at timestamptz NOT NULL,
        reinstated_at timestamptz,
        CONSTRAINT pk_payment_reversals PRIMARY KEY (organization_id, reversal_id),
        CONSTRAINT fk_payment_reversals_payment_applications FOREIGN KEY (organization_id, payment_id)
            REFERENCES payment_applications (organization_id, payment_id)
    )
    """,
    "CREATE INDEX ix_payment_reversals_payment ON payment_reversals (organization_id, payment_id)",
    """
    CREATE TABLE reversal_parts (
        organization_id text NOT NULL,
        reversal_id text NOT NULL,
        part_no integer NOT NULL,
        payment_id text NOT NULL,
        source_payment_id text NOT NULL,
        invoice_id text,
        amount_minor_units bigint NOT NULL,
        CONSTRAINT pk_reversal_parts PRIMARY KEY (organization_id, reversal_id, part_no),
        CONSTRAINT fk_reversal_parts_payment_reversals FOREIGN KEY (organization_id, reversal_id)
            REFERENCES payment_reversals (organization_id, reversal_id),
        CONSTRAINT fk_reversal_parts_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT ck_reversal_parts_amount CHECK (amount_minor_units > 0)
    )
    """,
)
_NEW_TABLES = ("credit_holds", "credit_allocations", "payment_reversals", "reversal_parts")


def upgrade() -> None:
    for statement in (*_COLUMNS, *_RULES, *_TABLES):
        op.execute(statement)
    migrations.create_tenant_policies(op, *_NEW_TABLES)
    migrations.grant_app(op, *_NEW_TABLES)
