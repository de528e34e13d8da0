"""A transfer claim is open again once the match that had ended it is undone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    column = sa.Column("reopened", sa.Integer, nullable=False, server_default="0")
    op.add_column("transfer_claims", column)
