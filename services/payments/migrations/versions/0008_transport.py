"""Check what is posted once for each statement instead of once for each line."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    migrations.check_ledger_by_statement(op)
