"""Prices, taxes and discounts."""

from collections.abc import Sequence

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # The rules of 0007, checked on the rows that were there before.
    op.execute("ALTER TABLE invoices VALIDATE CONSTRAINT ck_invoices_status")
    op.execute("ALTER TABLE invoices VALIDATE CONSTRAINT ck_invoices_disputed")
