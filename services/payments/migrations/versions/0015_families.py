"""What policies and pages need of customers: their labels, and who stands above them."""

from collections.abc import Sequence

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE customers
            ADD COLUMN segments text[] NOT NULL DEFAULT '{}',
            ADD COLUMN ancestor_ids text[] NOT NULL DEFAULT '{}'
        """
    )
