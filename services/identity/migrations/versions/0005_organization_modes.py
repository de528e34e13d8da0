"""What test clocks refer to: an organization in its mode, live or not."""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "uq_organizations_live_mode",
            "organizations",
            ["organization_id", "live_mode"],
            unique=True,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
