"""Credit notes, write-offs, late fees and early-payment discounts."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COLUMNS = (
    "ALTER TABLE invoices ADD COLUMN written_off_minor_units bigint NOT NULL DEFAULT 0",
    "ALTER TABLE reservations ADD COLUMN discount_minor_units bigint NOT NULL DEFAULT 0",
)
_CREDIT_NOTES = (
    """
    CREATE TABLE credit_notes (
        organization_id text NOT NULL,
        credit_note_id text NOT NULL,
        number text NOT NULL,
        invoice_id text NOT NULL,
        customer_id text NOT NULL,
        currency text NOT NULL,
        subtotal_minor_units bigint NOT NULL,
        tax_minor_units bigint NOT NULL,
        total_minor_units bigint NOT NULL,
        to_credit_minor_units bigint NOT NULL,
        reason_code text NOT NULL,
        reason text NOT NULL,
        issued_on date NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_credit_notes PRIMARY KEY (organization_id, credit_note_id),
        CONSTRAINT fk_credit_notes_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT fk_credit_notes_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id),
        CONSTRAINT uq_credit_notes_number UNIQUE (organization_id, number),
        CONSTRAINT ck_credit_notes_sums CHECK (
            total_minor_units > 0 AND subtotal_minor_units + tax_minor_units = total_minor_units
            AND to_credit_minor_units BETWEEN 0 AND total_minor_units
        )
    )
    """,
    "CREATE INDEX ix_credit_notes_invoice ON credit_notes (organization_id, invoice_id)",
    "CREATE INDEX ix_credit_notes_customer ON credit_notes (organization_id, customer_id, credit_note_id DESC)",
    """
    CREATE TABLE credit_note_lines (
        organization_id text NOT NULL,
        credit_note_id text NOT NULL,
        line_no integer NOT NULL,
        invoice_id text NOT NULL,
        invoice_line_no integer,
        description text NOT NULL,
        quantity numeric(13, 4) NOT NULL,
        amount_minor_units bigint NOT NULL,
        CONSTRAINT pk_credit_note_lines PRIMARY KEY (organization_id, credit_note_id, line_no),
        CONSTRAINT fk_credit_note_lines_credit_notes FOREIGN KEY (organization_id, credit_note_id)
            REFERENCES credit_notes (organization_id, credit_note_id)
    )
    """,
    "CREATE INDEX ix_credit_note_lines_invoice ON credit_note_lines (organization_id, invoice_id)",
    """
    CREATE TABLE credit_note_parts (
        organization_id text NOT NULL,
        credit_note_id text NOT NULL,
        payment_id text NOT NULL,
        source_payment_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        CONSTRAINT pk_credit_note_parts
            PRIMARY KEY (organization_id, credit_note_id, payment_id, source_payment_id),
        CONSTRAINT fk_credit_note_parts_credit_notes FOREIGN KEY (organization_id, credit_note_id)
            REFERENCES credit_notes (organization_id, credit_note_id),
        CONSTRAINT ck_credit_note_parts_amount CHECK (amount_minor_units > 0)
    )
    """,
    """
    CREATE TABLE adjustment_taxes (
        organization_id text NOT NULL,
        adjustment_id text NOT NULL,
        group_no integer NOT NULL,
        invoice_id text NOT NULL,
        taxable_minor_units bigint NOT NULL,
        tax_minor_units bigint NOT NULL,
        taxes jsonb NOT NULL,
        CONSTRAINT pk_adjustment_taxes PRIMARY KEY (organization_id, adjustment_id, group_no),
        CONSTRAINT fk_adjustment_taxes_invoice_adjustments FOREIGN KEY (organization_id, adjustment_id)
            REFERENCES invoice_adjustments (organization_id, adjustment_id)
    )
    """,
    "CREATE INDEX ix_adjustment_taxes_invoice ON adjustment_taxes (organization_id, invoice_id)",
)
_LATE_FEES = (
    """
    CREATE TABLE late_fee_policies (
        organization_id text NOT NULL,
        late_fee_policy_id text NOT NULL,
        name text NOT NULL,
        segment text NOT NULL,
        currency text NOT NULL,
        flat_minor_units bigint NOT NULL,
        percent numeric(7, 4) NOT NULL,
        percent_per text NOT NULL,
        grace_days integer NOT NULL,
        cap_minor_units bigint,
        cap_percent numeric(7, 4),
        min_due_minor_units bigint NOT NULL,
        repeat_every integer NOT NULL,
        repeat_unit text NOT NULL,
        is_active boolean NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_late_fee_policies PRIMARY KEY (organization_id, late_fee_policy_id),
        CONSTRAINT uq_late_fee_policies_segment UNIQUE (organization_id, segment, currency),
        CONSTRAINT ck_late_fee_policies_percent_per CHECK (percent_per IN ('year', 'period')),
        CONSTRAINT ck_late_fee_policies_repeat_unit CHECK (repeat_unit IN ('once', 'days', 'months')),
        CONSTRAINT ck_late_fee_policies_amounts CHECK (
            flat_minor_units >= 0 AND percent >= 0 AND grace_days >= 0 AND min_due_minor_units >= 0
            AND (cap_minor_units IS NULL OR cap_minor_units >= 0) AND (cap_percent IS NULL OR cap_percent >= 0)
        )
    )
    """,
    """
    CREATE TABLE late_fee_caps (
        organization_id text NOT NULL,
        country text NOT NULL,
        annual_percent numeric(7, 4) NOT NULL,
        flat_minor_units bigint,
        currency text NOT NULL,
        note text NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_late_fee_caps PRIMARY KEY (organization_id, country),
        CONSTRAINT ck_late_fee_caps_annual_percent CHECK (annual_percent >= 0)
    )
    """,
    # The key is what keeps two workers from charging one period twice.
    """
    CREATE TABLE late_fees (
        organization_id text NOT NULL,
        invoice_id text NOT NULL,
        period_no integer NOT NULL,
        decided_on date NOT NULL,
        outcome text NOT NULL,
        reason text NOT NULL,
        fee_invoice_id text,
        amount_minor_units bigint NOT NULL,
        currency text NOT NULL,
        late_fee_policy_id text NOT NULL,
        next_on date,
        decided_at timestamptz NOT NULL,
        CONSTRAINT pk_late_fees PRIMARY KEY (organization_id, invoice_id, period_no),
        CONSTRAINT fk_late_fees_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT ck_late_fees_outcome CHECK (outcome IN ('charged', 'skipped'))
    )
    """,
    "CREATE INDEX ix_late_fees_next_on ON late_fees (organization_id, next_on) WHERE next_on IS NOT NULL",
)
_TENANT = (
    "credit_notes", "credit_note_lines", "credit_note_parts", "adjustment_taxes", "late_fee_policies",
    "late_fee_caps", "late_fees",
)  # fmt: skip
_APPEND_ONLY = ("credit_notes", "credit_note_lines", "credit_note_parts", "adjustment_taxes")


def upgrade() -> None:
    for statement in (*_COLUMNS, *_CREDIT_NOTES, *_LATE_FEES):
        op.execute(statement)
    migrations.create_tenant_policies(op, *_TENANT, sweep=("late_fee_policies",))
    migrations.grant_app(op, *_APPEND_ONLY, privileges="SELECT, INSERT")
    migrations.grant_app(op, "late_fee_policies", "late_fee_caps", "late_fees")
