"""Bank lines that were split into others, and the others. A line for which others stand is ignored and superseded."""

from collections.abc import Sequence

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    "ALTER TABLE bank_lines ADD COLUMN IF NOT EXISTS split_from text NOT NULL DEFAULT ''",
    "ALTER TABLE bank_lines ADD COLUMN IF NOT EXISTS superseded boolean NOT NULL DEFAULT false",
    (
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_bank_lines_split ON bank_lines (organization_id, split_from)"
        " WHERE split_from <> ''"
    ),
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in _STATEMENTS:
            op.execute(statement)
