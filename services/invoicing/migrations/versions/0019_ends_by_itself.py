"""Disputes and promises that end by themselves, when nothing is owed any more."""

from collections.abc import Sequence

from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    "-- squawk-ignore ban-drop-constraint\nALTER TABLE disputes DROP CONSTRAINT ck_disputes_state",
    """
    ALTER TABLE disputes ADD CONSTRAINT ck_disputes_state
        CHECK (state IN ('open', 'accepted', 'partly_accepted', 'rejected', 'withdrawn', 'settled')) NOT VALID
    """,
    """
    -- squawk-ignore ban-drop-constraint
    ALTER TABLE payment_promises DROP CONSTRAINT ck_payment_promises_state
    """,
    """
    ALTER TABLE payment_promises ADD CONSTRAINT ck_payment_promises_state
        CHECK (state IN ('open', 'kept', 'broken', 'withdrawn', 'released')) NOT VALID
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
