"""Where the mail of customers goes now."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from chassis import migrations

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "customer_id", name="pk_contacts"),
    )
    migrations.create_tenant_policies(op, "contacts")
    migrations.grant_app(op, "contacts")
