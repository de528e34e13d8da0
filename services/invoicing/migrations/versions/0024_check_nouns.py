"""The rule of 0023, checked on the rows that were there before."""

from collections.abc import Sequence

from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_makings VALIDATE CONSTRAINT ck_import_makings_noun")
