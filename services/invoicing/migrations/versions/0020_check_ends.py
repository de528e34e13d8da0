"""The rules of 0019, checked on the rows that were there before."""

from collections.abc import Sequence

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE disputes VALIDATE CONSTRAINT ck_disputes_state")
    op.execute("ALTER TABLE payment_promises VALIDATE CONSTRAINT ck_payment_promises_state")
