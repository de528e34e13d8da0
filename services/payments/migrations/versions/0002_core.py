"""Check the rows that were there before 0002a, and find scheduled payments, without holding anybody up."""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | None = "0002a"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RULES = ("ck_payments_status", "ck_payments_amount", "ck_payments_sums")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_payments_starts_at ON payments (starts_at)"
            " WHERE status = 'scheduled'"
        )
    for name in _RULES:
        op.execute(f"ALTER TABLE payments VALIDATE CONSTRAINT {name}")
