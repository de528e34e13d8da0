"""Test clocks of organizations."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    migrations.create_organization_clocks(op)
