"""Find the children of a customer."""

from collections.abc import Sequence

from alembic import op

revision: str = "0008"
down_revision: str | None = "0008a"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_customers_parent"
            " ON customers (organization_id, parent_customer_id) WHERE parent_customer_id IS NOT NULL"
        )
