"""Prices, taxes and discounts."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    ALTER TABLE items
        ADD COLUMN description text NOT NULL DEFAULT '',
        ADD COLUMN price_includes_tax boolean NOT NULL DEFAULT false,
        ADD COLUMN tax_code text NOT NULL DEFAULT '',
        ADD COLUMN unit_code text NOT NULL DEFAULT 'C62',
        ADD COLUMN archived boolean NOT NULL DEFAULT false,
        ADD COLUMN version bigint NOT NULL DEFAULT 1
    """,
    """
    CREATE TABLE item_prices (
        organization_id text NOT NULL,
        item_id text NOT NULL,
        currency text NOT NULL,
        unit_price_minor_units bigint NOT NULL,
        CONSTRAINT pk_item_prices PRIMARY KEY (organization_id, item_id, currency),
        CONSTRAINT fk_item_prices_items FOREIGN KEY (organization_id, item_id)
            REFERENCES items (organization_id, item_id)
    )
    """,
    """
    CREATE TABLE tax_rates (
        organization_id text NOT NULL,
        code text NOT NULL,
        valid_from date NOT NULL,
        name text NOT NULL,
        taxes jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_tax_rates PRIMARY KEY (organization_id, code, valid_from)
    )
    """,
    # The rules of 0007, checked on the rows that were there before.
    "ALTER TABLE invoices VALIDATE CONSTRAINT ck_invoices_status",
    "ALTER TABLE invoices VALIDATE CONSTRAINT ck_invoices_disputed",
)
_TABLES = ("item_prices", "tax_rates")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    migrations.create_tenant_policies(op, *_TABLES)
    migrations.grant_app(op, *_TABLES)
