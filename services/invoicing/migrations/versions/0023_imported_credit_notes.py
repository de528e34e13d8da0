"""Imports make credit notes too."""

from collections.abc import Sequence

from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    "-- squawk-ignore ban-drop-constraint\nALTER TABLE import_makings DROP CONSTRAINT ck_import_makings_noun",
    """
    ALTER TABLE import_makings ADD CONSTRAINT ck_import_makings_noun
        CHECK (noun IN ('invoice', 'customer', 'item', 'credit_note')) NOT VALID
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
