"""The last closed period can be opened again."""

from collections.abc import Sequence

from alembic import op

from chassis.migrations import grant_app

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    grant_app(op, "period_locks", privileges="DELETE")
