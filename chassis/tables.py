"""The tables every service has: event transport, idempotency keys and the audit log."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

convention = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""Names of constraints: give it to each service's MetaData, since error handling goes by these names."""

TRANSPORT_TABLES = (
    "outbox",
    "outbox_counters",
    "inbox",
    "inbox_positions",
    "dead_letters",
    "relay_state",
    "alembic_version",
)
"""The tables without row-level security: sealed events of all organizations, which no page reads."""


@dataclass(frozen=True, slots=True)
class TransportTables:
    """The shared tables as they belong to one service's MetaData."""

    outbox: Table
    outbox_counters: Table
    inbox: Table
    inbox_positions: Table
    dead_letters: Table
    relay_state: Table
    idempotency_keys: Table
    audit_log: Table
    audit_heads: Table
    organization_clocks: Table


def transport_tables(metadata: MetaData) -> TransportTables:
    """Add the shared tables to a service's metadata; `migrations.create_transport_tables` makes them."""
    return TransportTables(
        outbox=_outbox(metadata),
        outbox_counters=Table(
            "outbox_counters",
            metadata,
            _text("organization_id"),
            _bigint("last_seq"),
            PrimaryKeyConstraint("organization_id", name="pk_outbox_counters"),
        ),
        inbox=Table(
            "inbox",
            metadata,
            _text("consumer"),
            Column("event_id", UUID(as_uuid=False), nullable=False),
            _text("organization_id"),
            _timestamp("received_at"),
            PrimaryKeyConstraint("consumer", "event_id", name="pk_inbox"),
        ),
        inbox_positions=_inbox_positions(metadata),
        dead_letters=_dead_letters(metadata),
        relay_state=Table(
            "relay_state",
            metadata,
            _text("stream"),
            _timestamp("stream_created_at"),
            _bigint("last_seq"),
            PrimaryKeyConstraint("stream", name="pk_relay_state"),
        ),
        idempotency_keys=_idempotency_keys(metadata),
        audit_log=_audit_log(metadata),
        audit_heads=Table(
            "audit_heads",
            metadata,
            _text("organization_id"),
            _bigint("seq"),
            _bytes("hash"),
            PrimaryKeyConstraint("organization_id", name="pk_audit_heads"),
        ),
        organization_clocks=_organization_clocks(metadata),
    )


def ledger_tables(metadata: MetaData) -> tuple[Table, Table]:
    """Add a double-entry ledger (entries, lines); `migrations.create_ledger` makes it."""
    entries = Table(
        "ledger_entries",
        metadata,
        _text("organization_id"),
        _text("entry_id"),
        _text("source"),
        _text("source_id"),
        _text("kind"),
        Column("corrects_entry_id", Text),
        Column("description", Text, nullable=False, server_default=""),
        _timestamp("occurred_at"),
        _timestamp("posted_at"),
        PrimaryKeyConstraint("organization_id", "entry_id", name="pk_ledger_entries"),
        UniqueConstraint("organization_id", "source", "source_id", "kind", name="uq_ledger_entries_source"),
        ForeignKeyConstraint(
            ["organization_id", "corrects_entry_id"],
            ["ledger_entries.organization_id", "ledger_entries.entry_id"],
            name="fk_ledger_entries_corrects",
        ),
    )
    lines = Table(
        "ledger_lines",
        metadata,
        _text("organization_id"),
        _text("entry_id"),
        Column("line_no", SmallInteger, nullable=False),
        _text("account"),
        _text("owner"),
        _text("currency"),
        _text("side"),
        _bigint("amount_minor_units"),
        PrimaryKeyConstraint("organization_id", "entry_id", "line_no", name="pk_ledger_lines"),
        ForeignKeyConstraint(
            ["organization_id", "entry_id"],
            ["ledger_entries.organization_id", "ledger_entries.entry_id"],
            name="fk_ledger_lines_entry",
        ),
        Index("ix_ledger_lines_account", "organization_id", "account", "owner", "currency"),
    )
    return entries, lines


def books_tables(metadata: MetaData) -> tuple[Table, Table]:
    """Add `books_state` and `period_locks`; the latter made by migrations.create_period_locks."""
    period_locks = Table(
        "period_locks",
        metadata,
        _text("organization_id"),
        Column("until", Date, nullable=False),
        _timestamp("locked_before"),
        _text("locked_by"),
        _timestamp("locked_at"),
        PrimaryKeyConstraint("organization_id", "until", name="pk_period_locks"),
    )
    return books_state_table(metadata), period_locks


def books_state_table(metadata: MetaData) -> Table:
    """Add `books_state`, made by migrations.create_books_state."""
    return Table(
        "books_state",
        metadata,
        _text("organization_id"),
        Column("frozen_at", DateTime(timezone=True)),
        _timestamp("checked_at"),
        _timestamp("next_check_at"),
        Column("check_milliseconds", Integer, nullable=False),
        Column("broken", JSONB, nullable=False),
        PrimaryKeyConstraint("organization_id", name="pk_books_state"),
    )


def _outbox(metadata: MetaData) -> Table:
    return Table(
        "outbox",
        metadata,
        Column("outbox_id", BigInteger, Identity(always=True), nullable=False),
        Column("event_id", UUID(as_uuid=False), nullable=False),
        _text("organization_id"),
        _bigint("stream_seq"),
        _text("aggregate_type"),
        _text("aggregate_id"),
        _bigint("aggregate_version"),
        _text("type"),
        Column("schema_version", SmallInteger, nullable=False),
        _bytes("payload"),
        _text("traceparent"),
        _text("request_id"),
        _timestamp("occurred_at"),
        Column("published_at", DateTime(timezone=True)),
        Column("puback_seq", BigInteger),
        PrimaryKeyConstraint("outbox_id", name="pk_outbox"),
        UniqueConstraint("organization_id", "stream_seq", name="uq_outbox_stream_seq"),
        UniqueConstraint("organization_id", "aggregate_id", "aggregate_version", name="uq_outbox_version"),
        UniqueConstraint("event_id", name="uq_outbox_event_id"),
        Index("ix_outbox_unpublished", "outbox_id", postgresql_where=text("published_at IS NULL")),
    )


def _inbox_positions(metadata: MetaData) -> Table:
    return Table(
        "inbox_positions",
        metadata,
        _text("consumer"),
        _text("source"),
        _text("organization_id"),
        _text("aggregate_id"),
        _text("aggregate_type"),
        _bigint("last_version"),
        Column("blocked", Boolean, nullable=False, server_default=text("false")),
        PrimaryKeyConstraint(
            "consumer", "source", "organization_id", "aggregate_id", name="pk_inbox_positions"
        ),
    )


def _dead_letters(metadata: MetaData) -> Table:
    return Table(
        "dead_letters",
        metadata,
        _text("consumer"),
        _text("source"),
        _text("event_id"),
        _text("organization_id"),
        _text("aggregate_type"),
        _text("aggregate_id"),
        _bigint("aggregate_version"),
        _bigint("stream_seq"),
        _text("type"),
        _bytes("payload"),
        _timestamp("occurred_at"),
        _text("state"),
        Column("attempts", Integer, nullable=False),
        _text("error"),
        _timestamp("failed_at"),
        PrimaryKeyConstraint("consumer", "source", "event_id", name="pk_dead_letters"),
        Index("ix_dead_letters_aggregate", "organization_id", "aggregate_id", "aggregate_version"),
    )


def _idempotency_keys(metadata: MetaData) -> Table:
    return Table(
        "idempotency_keys",
        metadata,
        _text("organization_id"),
        _text("principal"),
        _text("method"),
        _text("key"),
        _bytes("fingerprint"),
        _text("state"),
        Column("object_id", Text),
        Column("response", LargeBinary),
        _timestamp("created_at"),
        _timestamp("locked_until"),
        PrimaryKeyConstraint("organization_id", "principal", "method", "key", name="pk_idempotency_keys"),
    )


def _audit_log(metadata: MetaData) -> Table:
    return Table(
        "audit_log",
        metadata,
        _text("organization_id"),
        _bigint("seq"),
        _timestamp("at"),
        _text("actor"),
        _text("action"),
        _text("object_id"),
        _text("request_id"),
        _bytes("record"),
        _bytes("prev_hash"),
        _bytes("hash"),
        PrimaryKeyConstraint("organization_id", "seq", name="pk_audit_log"),
        Index("ix_audit_log_object_id", "organization_id", "object_id"),
    )


def _organization_clocks(metadata: MetaData) -> Table:
    """Made by migrations.create_organization_clocks; see chassis.organization_clocks."""
    return Table(
        "organization_clocks",
        metadata,
        _text("organization_id"),
        _timestamp("frozen_at"),
        Column("held", Boolean, nullable=False),
        _bigint("round"),
        _bigint("rounds_done"),
        _bigint("handled"),
        Column("next_due_at", DateTime(timezone=True)),
        _text("failure"),
        Column("live_mode", Boolean, nullable=False),
        PrimaryKeyConstraint("organization_id", name="pk_organization_clocks"),
        CheckConstraint("NOT live_mode", name="live_mode"),
    )


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _bigint(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _timestamp(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False)
