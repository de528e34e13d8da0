"""Idempotency keys: a repeated request gets the first one's answer, and its effect happens once.

The key is claimed in the transaction that writes the first state. An operation of two transactions commits
an unfinished key; a later repetition resumes it once the first try's lease is over.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from sqlalchemy import text

from chassis.caller import Call, current_call
from chassis.database import Database, ReadTx, WriteTx
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One call's wish to be the first with its key."""

    principal: str
    method: str
    key: str
    fingerprint: bytes
    object_id: str | None
    lease_seconds: float

    @classmethod
    def of(cls, call: Call, *, object_id: str | None = None) -> "Claim":
        """Raises ServiceError IDEMPOTENCY_KEY_MISSING."""
        key = _key_of(call)
        remaining_seconds = call.remaining_seconds()
        lease = LEASE_SECONDS if remaining_seconds is None else remaining_seconds + LEASE_MARGIN_SECONDS
        return cls(
            principal=call.actor,
            method=call.method,
            key=key,
            fingerprint=call.fingerprint,
            object_id=object_id,
            lease_seconds=lease,
        )

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells keys apart within an organization."""
        return self.principal, self.method, self.key


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
    (answer,) = await claim_many(tx, [Claim.of(current_call(), object_id=object_id)])
    if isinstance(answer, ServiceError):
        raise answer
    return answer


async def claim_many(tx: WriteTx, claims: Sequence[Claim]) -> list[Replay | Unfinished | ServiceError | None]:
    """Claim the keys of several calls of one organization in one statement; answers in their order.

    As if each were claimed by itself, one after the other: of two calls with one key the second is in progress.
    """
    new = await claim_new(tx, claims)
    earlier = iter(await _earlier(tx, [one for one, is_new in zip(claims, new, strict=True) if not is_new]))
    return [None if is_new else next(earlier) for is_new in new]


async def claim_new(tx: WriteTx, claims: Sequence[Claim]) -> list[bool]:
    """Claim those of the keys that nobody has used, the first call of each; the others are left as they are."""
    first: dict[tuple[str, str, str], Claim] = {}
    for one in claims:
        first.setdefault(one.place, one)
    ordered = [
        first[place] for place in sorted(first)
    ]  # in one order everywhere, so that nobody waits in a circle
    try:
        rows = await tx.execute(_CLAIM, _claim_parameters(tx, ordered))
    except Exception as error:
        if getattr(getattr(error, "orig", None), "sqlstate", None) == "55P03" and len(claims) == 1:
            raise _in_progress() from error  # its first transaction runs
        raise
    mine = {(row.principal, row.method, row.key) for row in rows}
    return [one.place in mine and first[one.place] is one for one in claims]


async def _earlier(tx: WriteTx, claims: Sequence[Claim]) -> list[Replay | Unfinished | ServiceError]:
    """What became of the first tries of these keys."""
    if not claims:
        return []
    ordered = [dict(zip(_PLACE, place, strict=True)) for place in sorted({one.place for one in claims})]
    places = {f"{name}s": [place[name] for place in ordered] for name in _PLACE}
    rows = await tx.execute(_READ, {"organization_id": tx.organization_id, **places})
    found = {(row.principal, row.method, row.key): row for row in rows}
    resumed: set[tuple[str, str, str]] = set()
    answers: list[Replay | Unfinished | ServiceError] = []
    for one in claims:
        row = found[one.place]
        if bytes(row.fingerprint) != one.fingerprint:
            answers.append(_reused())
        elif row.state == "finished":
            answers.append(Replay(bytes(row.response), row.object_id))
        elif one.place in resumed or row.locked_until > tx.machine_now():
            answers.append(_in_progress())
        else:
            resumed.add(one.place)
            tx.enqueue(_LOCK, {**_scope(tx, one.place), "locked_until": _lease_end(tx.machine_now(), one)})
            answers.append(Unfinished(row.object_id))
    return answers


async def finish(tx: WriteTx, response: Message) -> None:
    """Keep the answer, to be given again to every repetition."""
    payload = response.SerializeToString(deterministic=True)
    tx.enqueue(_FINISH, {**_scope(tx, _place_of_call()), "response": payload})


async def release(tx: WriteTx) -> None:
    """End the lease: this try is over without an answer, a repetition may resume at once."""
    tx.enqueue(_LOCK, {**_scope(tx, _place_of_call()), "locked_until": tx.machine_now()})


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


async def answered(tx: ReadTx, response_type: type[M]) -> M | None:
    """The kept answer to the current call's key, if it has one: for what acts elsewhere before its `once`.

    Raises ServiceError IDEMPOTENCY_KEY_MISSING or IDEMPOTENCY_KEY_REUSED.
    """
    scope = dict(zip(_PLACE, _place_of_call(), strict=True))
    row = (await tx.execute(_LOOK, {"organization_id": tx.organization_id, **scope})).first()
    if row is None:
        return None
    if bytes(row.fingerprint) != current_call().fingerprint:
        raise _reused()
    mark_replayed()
    return response_type.FromString(bytes(row.response))


def _key_of(call: Call) -> str:
    key = call.idempotency_key
    if not key or len(key) > MAX_KEY_CHARACTERS:
        raise ServiceError(
            Kind.INVALID_ARGUMENT,
            "IDEMPOTENCY_KEY_MISSING",
            f"This request needs an idempotency key of 1 to {MAX_KEY_CHARACTERS} characters.",
        )
    return key


def _place_of_call() -> tuple[str, str, str]:
    call = current_call()
    return call.actor, call.method, _key_of(call)


def _scope(tx: WriteTx, place: tuple[str, str, str]) -> dict[str, Any]:
    return {"organization_id": tx.organization_id, **dict(zip(_PLACE, place, strict=True))}


def _claim_parameters(tx: WriteTx, claims: Sequence[Claim]) -> dict[str, Any]:
    return {
        "organization_id": tx.organization_id,
        "now": tx.machine_now(),
        "principals": [one.principal for one in claims],
        "methods": [one.method for one in claims],
        "keys": [one.key for one in claims],
        "fingerprints": [one.fingerprint for one in claims],
        "object_ids": [one.object_id for one in claims],
        "locked_until": [_lease_end(tx.machine_now(), one) for one in claims],
    }


def _lease_end(now: datetime, claim: Claim) -> datetime:
    return now + timedelta(seconds=claim.lease_seconds)


def _reused() -> ServiceError:
    return ServiceError(
        Kind.INVALID_ARGUMENT,
        "IDEMPOTENCY_KEY_REUSED",
        "This idempotency key was already used for another request.",
    )


def _in_progress() -> ServiceError:
    return ServiceError(
        Kind.ABORTED,
        "IDEMPOTENCY_KEY_IN_PROGRESS",
        "A request with this idempotency key is still running.",
        retry_after_seconds="1",
    )


_PLACE = ("principal", "method", "key")
_WHERE = "organization_id = :organization_id AND principal = :principal AND method = :method AND key = :key"

_CLAIM = text("""
    INSERT INTO idempotency_keys (
        organization_id, principal, method, key, fingerprint, state, object_id, created_at, locked_until
    )
    SELECT :organization_id, principal, method, key, fingerprint, 'started', object_id, :now, locked_until
    FROM unnest(
        CAST(:principals AS text[]), CAST(:methods AS text[]), CAST(:keys AS text[]),
        CAST(:fingerprints AS bytea[]), CAST(:object_ids AS text[]), CAST(:locked_until AS timestamptz[])
    ) AS new (principal, method, key, fingerprint, object_id, locked_until)
    ON CONFLICT DO NOTHING RETURNING principal, method, key
""")
# FOR UPDATE: of two repetitions after the lease only one resumes.
_READ = text("""
    SELECT principal, method, key, fingerprint, state, object_id, response, locked_until
    FROM idempotency_keys
    JOIN unnest(CAST(:principals AS text[]), CAST(:methods AS text[]), CAST(:keys AS text[]))
        AS wanted (principal, method, key) USING (principal, method, key)
    WHERE organization_id = :organization_id
    ORDER BY principal, method, key FOR UPDATE OF idempotency_keys
""")
_LOOK = text(
    f"SELECT fingerprint, response FROM idempotency_keys WHERE {_WHERE} AND state = 'finished'"  # noqa: S608
)
_LOCK = text(f"UPDATE idempotency_keys SET locked_until = :locked_until WHERE {_WHERE}")  # noqa: S608
_FINISH = text(
    f"UPDATE idempotency_keys SET state = 'finished', response = :response WHERE {_WHERE}"  # noqa: S608
)
