"""Bank lines are not matched either while the books are wrong."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    migrations.refuse_when_frozen(op, "bank_matches")
