"""Closing a period of the receivables' books."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    migrations.create_period_locks(op)
