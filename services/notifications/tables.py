"""Tables of the notifications service."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from chassis.tables import convention, transport_tables

metadata = MetaData(naming_convention=convention)
transport = transport_tables(metadata)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


brands = Table(
    "brands",
    metadata,
    _text("organization_id"),
    _text("name"),
    _text("display_name"),
    _text("primary_color"),
    Column("logo", LargeBinary, nullable=False),
    _text("locale"),
    _text("contact_email"),
    _text("contact_phone"),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", name="pk_brands"),
)
"""What identity tells about organizations, as far as mails need it."""

contacts = Table(
    "contacts",
    metadata,
    _text("organization_id"),
    _text("customer_id"),
    _text("email"),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("locale", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("organization_id", "customer_id", name="pk_contacts"),
)
"""Where invoicing says that a customer's mail goes now; a message keeps the address it was made for."""

messages = Table(
    "messages",
    metadata,
    _text("organization_id"),
    _text("message_id"),
    _text("kind"),
    _text("state"),
    _text("event_id"),
    _text("customer_id"),
    _text("recipient"),
    _text("about_id"),
    Column("payload", LargeBinary, nullable=False),
    _text("traceparent"),
    _time("created_at"),
    _time("queued_at"),
    _time("due_at"),
    _text("subject"),
    Column("attempts", Integer, nullable=False),
    _text("last_error"),
    _time("leased_until", nullable=True),
    _time("sent_at", nullable=True),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", "message_id", name="pk_messages"),
    UniqueConstraint("organization_id", "event_id", "recipient", "kind", name="uq_messages_event"),
    CheckConstraint(
        "kind IN ('invoice', 'receipt', 'autopay_announced', 'autopay_failed', 'card_expiring',"
        " 'approval_requested', 'reversal', 'invoice_upcoming', 'price_change',"
        " 'plan_offered', 'plan_active', 'instalment_due', 'plan_broken',"
        " 'dispute_opened', 'dispute_answered', 'dispute_resolved', 'dunning', 'credit_note')",
        name="kind",
    ),
    CheckConstraint("state IN ('queued', 'sent', 'failed')", name="state"),
    CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
    Index("ix_messages_about_id", "organization_id", "about_id"),
    Index("ix_messages_due", "due_at", postgresql_where=text("state = 'queued'")),
)
"""The unique constraint is the promise: one message per event, recipient and kind."""
