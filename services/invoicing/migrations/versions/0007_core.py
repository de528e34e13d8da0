"""What invoices, lines and adjustments of receivables know."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COLUMNS = (
    """
    ALTER TABLE invoices
        ADD COLUMN kind text NOT NULL DEFAULT 'invoice',
        ADD COLUMN relates_to text NOT NULL DEFAULT '',
        ADD COLUMN series text NOT NULL DEFAULT '',
        ADD COLUMN prices_include_tax boolean NOT NULL DEFAULT false,
        ADD COLUMN discount_percent numeric(7, 4) NOT NULL DEFAULT 0,
        ADD COLUMN discount_minor_units bigint,
        ADD COLUMN early_discount_percent numeric(7, 4) NOT NULL DEFAULT 0,
        ADD COLUMN early_discount_until date,
        ADD COLUMN disputed_minor_units bigint NOT NULL DEFAULT 0,
        ADD COLUMN period_start date,
        ADD COLUMN period_end date,
        ADD COLUMN schedule_id text NOT NULL DEFAULT '',
        ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN buyer jsonb NOT NULL DEFAULT '{}'
    """,
    """
    ALTER TABLE invoice_lines
        ADD COLUMN sku text NOT NULL DEFAULT '',
        ADD COLUMN unit_code text NOT NULL DEFAULT 'C62',
        ADD COLUMN discount_percent numeric(7, 4) NOT NULL DEFAULT 0,
        ADD COLUMN discount_minor_units bigint,
        ADD COLUMN taxes jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN period_start date,
        ADD COLUMN period_end date
    """,
    """
    ALTER TABLE number_series
        ADD COLUMN series text NOT NULL DEFAULT '',
        ADD COLUMN prefix text NOT NULL DEFAULT 'INV-',
        ADD COLUMN digits integer NOT NULL DEFAULT 6
    """,
    # One row an organization: the key is made anew in no time.
    "-- squawk-ignore ban-drop-constraint\nALTER TABLE number_series DROP CONSTRAINT pk_number_series",
    """
    -- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint, adding-serial-primary-key-field
    ALTER TABLE number_series ADD CONSTRAINT pk_number_series PRIMARY KEY (organization_id, series)
    """,
)
_RULES = (
    # The wider rule comes at once, in the same transaction.
    "-- squawk-ignore ban-drop-constraint\nALTER TABLE invoices DROP CONSTRAINT ck_invoices_status",
    """
    ALTER TABLE invoices ADD CONSTRAINT ck_invoices_status
        CHECK (status IN ('draft', 'open', 'partly_paid', 'paid', 'void', 'uncollectible')) NOT VALID
    """,
    "ALTER TABLE invoices ADD CONSTRAINT ck_invoices_disputed CHECK (disputed_minor_units >= 0) NOT VALID",
)
_ADJUSTMENTS = (
    """
    CREATE TABLE invoice_adjustments (
        organization_id text NOT NULL,
        adjustment_id text NOT NULL,
        invoice_id text NOT NULL,
        kind text NOT NULL,
        source_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        currency text NOT NULL,
        reason text NOT NULL DEFAULT '',
        effective_on date NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_invoice_adjustments PRIMARY KEY (organization_id, adjustment_id),
        CONSTRAINT fk_invoice_adjustments_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT uq_invoice_adjustments_source UNIQUE (organization_id, kind, source_id, invoice_id),
        CONSTRAINT ck_invoice_adjustments_kind CHECK (kind IN (
            'forgiven_refund', 'credit_note', 'early_discount', 'write_off', 'hardship_discount', 'recovery'
        )),
        CONSTRAINT ck_invoice_adjustments_amount CHECK (amount_minor_units <> 0)
    )
    """,
    "CREATE INDEX ix_invoice_adjustments_invoice ON invoice_adjustments (organization_id, invoice_id)",
)
_DISPUTED = """
    UPDATE invoices SET disputed_minor_units = total_minor_units
    WHERE disputed AND disputed_minor_units = 0 AND total_minor_units > 0
"""
_FORGIVEN = """
    INSERT INTO invoice_adjustments (
        organization_id, adjustment_id, invoice_id, kind, source_id, amount_minor_units, currency, effective_on,
        created_at
    )
    SELECT organization_id, 'adj_' || substr(invoice_id, 5), invoice_id, 'forgiven_refund', 'before_0007',
        credited_minor_units, currency, invoice_date, created_at
    FROM invoices WHERE credited_minor_units > 0
    ON CONFLICT DO NOTHING
"""
_FILLED = ("invoices", "invoice_adjustments")


def upgrade() -> None:
    for statement in (*_COLUMNS, *_RULES, *_ADJUSTMENTS):
        op.execute(statement)
    migrations.create_tenant_policies(op, "invoice_adjustments")
    migrations.grant_app(op, "invoice_adjustments", privileges="SELECT, INSERT")
    # The owner is bound by the policies too, except for these statements, which write for all organizations.
    for table in _FILLED:
        op.execute(f"-- squawk-ignore prefer-robust-stmts\nALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_DISPUTED)
    op.execute(_FORGIVEN)
    for table in _FILLED:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
