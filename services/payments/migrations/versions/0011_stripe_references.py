"""Find an attempt by Stripe's id of it: its disputes are told by that id alone."""

from collections.abc import Sequence

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_payment_attempts_stripe"
            " ON payment_attempts (provider_reference) WHERE provider = 'stripe'"
        )
