"""Messages, and the brands they are sent in."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from chassis import migrations

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    migrations.create_transport_tables(op)
    op.create_table(
        "brands",
        _text("organization_id"),
        _text("name"),
        _text("display_name"),
        _text("primary_color"),
        sa.Column("logo", sa.LargeBinary(), nullable=False),
        _text("locale"),
        _text("contact_email"),
        _text("contact_phone"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_brands"),
    )
    op.create_table(
        "messages",
        _text("organization_id"),
        _text("message_id"),
        _text("kind"),
        _text("state"),
        _text("event_id"),
        _text("customer_id"),
        _text("recipient"),
        _text("about_id"),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        _text("traceparent"),
        _time("created_at"),
        _time("queued_at"),
        _time("due_at"),
        _text("subject"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _text("last_error"),
        _time("leased_until", nullable=True),
        _time("sent_at", nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "message_id", name="pk_messages"),
        sa.UniqueConstraint("organization_id", "event_id", "recipient", "kind", name="uq_messages_event"),
        sa.CheckConstraint("kind IN ('invoice', 'receipt')", name="ck_messages_kind"),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed')", name="ck_messages_state"),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="ck_messages_sent_at"),
    )
    op.create_index("ix_messages_about_id", "messages", ["organization_id", "about_id"])
    op.create_index("ix_messages_due", "messages", ["due_at"], postgresql_where=sa.text("state = 'queued'"))
    migrations.create_tenant_policies(op, "brands", "messages", sweep=("messages",))
    migrations.grant_app(op, "brands", "messages")
