"""Refunds by line: which lines of which invoices went back, and how many of their units."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    CREATE TABLE refund_lines (
        organization_id text NOT NULL,
        refund_id text NOT NULL,
        position smallint NOT NULL,
        invoice_id text NOT NULL,
        line_no integer NOT NULL,
        description text NOT NULL DEFAULT '',
        quantity numeric(13, 4),
        amount_minor_units bigint NOT NULL,
        CONSTRAINT pk_refund_lines PRIMARY KEY (organization_id, refund_id, position),
        CONSTRAINT fk_refund_lines_refunds FOREIGN KEY (organization_id, refund_id)
            REFERENCES refunds (organization_id, refund_id),
        CONSTRAINT uq_refund_lines_line UNIQUE (organization_id, refund_id, invoice_id, line_no),
        CONSTRAINT ck_refund_lines_amount CHECK (amount_minor_units > 0 AND (quantity IS NULL OR quantity > 0))
    )
    """,
    "CREATE INDEX ix_refund_lines_line ON refund_lines (organization_id, invoice_id, line_no)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    migrations.create_tenant_policies(op, "refund_lines")
    migrations.refuse_changes(op, "refund_lines")
    migrations.grant_app(op, "refund_lines", privileges="SELECT, INSERT")
