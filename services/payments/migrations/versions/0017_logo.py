"""Receipts show the organization's logo."""

from collections.abc import Sequence

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE organizations ADD COLUMN logo bytea NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE organizations ADD COLUMN logo_media_type text NOT NULL DEFAULT ''")
