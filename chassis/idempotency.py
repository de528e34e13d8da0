"""Idempotency keys: a repeated request gets the first one's answer, and its effect happens once.

The key is claimed in the transaction that writes the first state. An operation of two transactions commits
an unfinished key; a later repetition resumes it once the first try's lease is over.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from sqlalchemy import text

from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError

LEASE_SECONDS = 10.0
"""How long a first try without deadline may take before a repetition may resume it."""
LEASE_MARGIN_SECONDS = 1.0
MAX_KEY_CHARACTERS = 255

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Replay:
    """The request was answered before: give `response` (serialized) again."""

    response: bytes
    object_id: str | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The request was begun before and has no answer: resume the object it made."""

    object_id: str | None


_replayed: ContextVar[list[bool] | None] = ContextVar("tallyport_replayed", default=None)


def watch_replays() -> None:
    """Begin to notice replays in this task and those it starts: for the boundary, once per call."""
    _replayed.set([])


def was_replayed() -> bool:
    """Whether the call's answer was a replay; the boundary then says so in a trailer."""
    return bool(_replayed.get())


def mark_replayed() -> None:
    """Note that the answer is a replay. `once` does it; two-step operations do it on a Replay."""
    marks = _replayed.get()
    if marks is not None:
        marks.append(True)


async def claim(tx: WriteTx, *, object_id: str | None = None) -> Replay | Unfinished | None:
    """Claim the current call's key. None: it is new, go on, and `finish` later.

    Raises ServiceError IDEMPOTENCY_KEY_MISSING, IDEMPOTENCY_KEY_REUSED (the same key with another request)
    or IDEMPOTENCY_KEY_IN_PROGRESS (the first try still runs).
    """
    scope = _scope(tx)
    call = current_call()
    state = {
        **scope,
        "fingerprint": call.fingerprint,
        "object_id": object_id,
        "now": tx.now(),
        "locked_until": tx.now() + _lease(),
    }
    try:
        claimed = (await tx.execute(_CLAIM, state)).first()
    except Exception as error:
        if getattr(getattr(error, "orig", None), "sqlstate", None) == "55P03":  # its first transaction runs
            raise _in_progress() from error
        raise
    if claimed is not None:
        return None
    row = (await tx.execute(_READ, scope)).one()
    if bytes(row.fingerprint) != call.fingerprint:
        raise ServiceError(
            Kind.INVALID_ARGUMENT,
            "IDEMPOTENCY_KEY_REUSED",
            "This idempotency key was already used for another request.",
        )
    if row.state == "finished":
        return Replay(bytes(row.response), row.object_id)
    if row.locked_until > tx.now():
        raise _in_progress()
    await tx.execute(_LOCK, {**scope, "locked_until": state["locked_until"]})
    return Unfinished(row.object_id)


async def finish(tx: WriteTx, response: Message) -> None:
    """Keep the answer, to be given again to every repetition."""
    payload = response.SerializeToString(deterministic=True)
    await tx.execute(_FINISH, {**_scope(tx), "response": payload})


async def release(tx: WriteTx) -> None:
    """End the lease: this try is over without an answer, a repetition may resume at once."""
    await tx.execute(_LOCK, {**_scope(tx), "locked_until": tx.now()})


async def once(db: Database, response_type: type[M], fn: Callable[[WriteTx], Awaitable[M]]) -> M:
    """Run `fn` in one transaction once per key; a repetition gets the kept answer.

    If `fn` raises, the key is not kept: refusals may be tried again with the same key.
    """

    async def claimed(tx: WriteTx) -> M:
        earlier = await claim(tx)
        if isinstance(earlier, Replay):
            mark_replayed()
            return response_type.FromString(earlier.response)
        response = await fn(tx)
        await finish(tx, response)
        return response

    return await db.run_write(current_call().organization_id, claimed)


def _scope(tx: WriteTx) -> dict[str, Any]:
    call = current_call()
    key = call.idempotency_key
    if not key or len(key) > MAX_KEY_CHARACTERS:
        raise ServiceError(
            Kind.INVALID_ARGUMENT,
            "IDEMPOTENCY_KEY_MISSING",
            f"This request needs an idempotency key of 1 to {MAX_KEY_CHARACTERS} characters.",
        )
    return {
        "organization_id": tx.organization_id,
        "principal": call.actor,
        "method": call.method,
        "key": key,
    }


def _lease() -> timedelta:
    remaining_seconds = current_call().remaining_seconds()
    if remaining_seconds is None:
        return timedelta(seconds=LEASE_SECONDS)
    return timedelta(seconds=remaining_seconds + LEASE_MARGIN_SECONDS)


def _in_progress() -> ServiceError:
    return ServiceError(
        Kind.ABORTED,
        "IDEMPOTENCY_KEY_IN_PROGRESS",
        "A request with this idempotency key is still running.",
        retry_after_seconds="1",
    )


_WHERE = "organization_id = :organization_id AND principal = :principal AND method = :method AND key = :key"

_CLAIM = text("""
    INSERT INTO idempotency_keys (
        organization_id, principal, method, key, fingerprint, state, object_id, created_at, locked_until
    ) VALUES (
        :organization_id, :principal, :method, :key, :fingerprint, 'started', :object_id, :now, :locked_until
    ) ON CONFLICT DO NOTHING RETURNING 1
""")
# FOR UPDATE: of two repetitions after the lease only one resumes.
_READ = text(
    f"SELECT fingerprint, state, object_id, response, locked_until FROM idempotency_keys WHERE {_WHERE}"  # noqa: S608
    " FOR UPDATE"
)
_LOCK = text(f"UPDATE idempotency_keys SET locked_until = :locked_until WHERE {_WHERE}")  # noqa: S608
_FINISH = text(
    f"UPDATE idempotency_keys SET state = 'finished', response = :response WHERE {_WHERE}"  # noqa: S608
)
