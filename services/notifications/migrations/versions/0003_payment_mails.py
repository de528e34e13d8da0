"""Mails about automatic payments, saved cards, approvals and reversals; names and languages of contacts."""

from collections.abc import Sequence

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = (
    "('invoice', 'receipt', 'autopay_announced', 'autopay_failed', 'card_expiring', 'approval_requested',"
    " 'reversal')"
)


def upgrade() -> None:
    op.execute("ALTER TABLE contacts ADD COLUMN name text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE contacts ADD COLUMN locale text NOT NULL DEFAULT ''")
    # the wider rule comes at once, in the same transaction
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE messages DROP CONSTRAINT ck_messages_kind")
    op.execute(f"ALTER TABLE messages ADD CONSTRAINT ck_messages_kind CHECK (kind IN {_KINDS}) NOT VALID")
