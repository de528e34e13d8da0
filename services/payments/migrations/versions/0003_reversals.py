"""Check the payments that were there before 0003a against its rule, without holding anybody up."""

from collections.abc import Sequence

from alembic import op

revision: str = "0003"
down_revision: str | None = "0003a"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE payments VALIDATE CONSTRAINT ck_payments_reversed")
