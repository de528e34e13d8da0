"""Period locks, freezes and checks of the books."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    migrations.create_books_state(op, "payments", "refunds")
    migrations.create_period_locks(op)
