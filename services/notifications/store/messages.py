"""Rows of messages."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from chassis.database import ReadTx, WriteTx
from services.notifications.domain.message import LEASE, Kind, Message, State
from services.notifications.tables import messages

CHANNEL = "mail"
"""Channel that wakes mailers; polling stays the truth."""


async def insert_message(tx: WriteTx, message: Message) -> bool:
    """False when the event has a message of this kind to this recipient already."""
    values = {**asdict(message), "kind": message.kind.value, "state": message.state.value}
    statement = insert(messages).values(values).on_conflict_do_nothing(constraint="uq_messages_event")
    inserted = (await tx.execute(statement.returning(messages.c.message_id))).first() is not None
    if inserted and message.state is State.QUEUED:
        tx.wake(CHANNEL)
    return inserted


async def due_messages(tx: ReadTx, *, limit: int) -> list[tuple[str, str]]:
    """In a sweep: (organization, message) of what waits to be sent, the longest waiting first."""
    query = (
        select(messages.c.organization_id, messages.c.message_id)
        .where(messages.c.state == State.QUEUED.value, messages.c.due_at <= tx.now(), _is_free(tx))
        .order_by(messages.c.due_at)
        .limit(limit)
    )
    return [(row.organization_id, row.message_id) for row in await tx.execute(query)]


async def claim_message(tx: WriteTx, message_id: str) -> Message | None:
    """The message, this worker's own until its lease ends; None when somebody else has it."""
    free = (
        select(messages.c.message_id)
        .where(
            _is(tx, message_id),
            messages.c.state == State.QUEUED.value,
            messages.c.due_at <= tx.now(),
            _is_free(tx),
        )
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(messages)
        .where(messages.c.organization_id == tx.organization_id, messages.c.message_id == free)
        .values(leased_until=tx.now() + LEASE, attempts=messages.c.attempts + 1)
        .returning(messages)
    )
    row = (await tx.execute(statement)).first()
    return None if row is None else _message(row)


async def settle_message(tx: WriteTx, message: Message, *, leased_until: datetime | None) -> bool:
    """Keeps what became of a claimed message; False when the lease went to somebody else meanwhile."""
    statement = (
        update(messages)
        .where(_is(tx, message.message_id), messages.c.state == State.QUEUED.value)
        .where(messages.c.leased_until.is_not_distinct_from(leased_until))
        .values(
            state=message.state.value,
            subject=message.subject,
            last_error=message.last_error,
            due_at=message.due_at,
            sent_at=message.sent_at,
            version=message.version,
            leased_until=None,
        )
        .returning(messages.c.message_id)
    )
    return (await tx.execute(statement)).first() is not None


async def requeue_message(tx: WriteTx, message: Message) -> None:
    """Keeps recipient, state, attempts and times of a message that staff want tried again."""
    await tx.execute(
        update(messages)
        .where(_is(tx, message.message_id))
        .values(
            recipient=message.recipient,
            state=message.state.value,
            attempts=message.attempts,
            queued_at=message.queued_at,
            due_at=message.due_at,
            leased_until=None,
        )
    )
    tx.wake(CHANNEL)


async def get_message(tx: ReadTx, message_id: str, *, for_update: bool = False) -> Message | None:
    query = select(messages).where(_is(tx, message_id))
    row = (await tx.execute(query.with_for_update() if for_update else query)).first()
    return None if row is None else _message(row)


async def list_messages(
    tx: ReadTx, *, about_id: str, state: State | None, before_id: str, limit: int
) -> list[Message]:
    """The newest first, from below `before_id` on when given."""
    query = select(messages).where(messages.c.organization_id == tx.organization_id)
    if about_id:
        query = query.where(messages.c.about_id == about_id)
    if state is not None:
        query = query.where(messages.c.state == state.value)
    if before_id:
        query = query.where(messages.c.message_id < before_id)
    rows = await tx.execute(query.order_by(messages.c.message_id.desc()).limit(limit))
    return [_message(row) for row in rows]


async def count_waiting(tx: ReadTx) -> int:
    """In a sweep: messages that wait to be sent."""
    query = select(func.count()).select_from(messages).where(messages.c.state == State.QUEUED.value)
    count: int = (await tx.execute(query)).scalar_one()
    return count


def _is(tx: ReadTx, message_id: str) -> Any:
    return (messages.c.organization_id == tx.organization_id) & (messages.c.message_id == message_id)


def _is_free(tx: ReadTx) -> Any:
    return or_(messages.c.leased_until.is_(None), messages.c.leased_until <= tx.now())


def _message(row: Row[Any]) -> Message:
    values = dict(row._mapping)
    values |= {"kind": Kind(row.kind), "state": State(row.state), "payload": bytes(row.payload)}
    return Message(**values)
