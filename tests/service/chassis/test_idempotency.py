"""Idempotency keys against parallel and later repetitions."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis import idempotency
from chassis.caller import Audience, Call, Caller, call_scope, fingerprint
from chassis.clock import FrozenClock
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from tallyport.identity.v1.events_pb2 import PersonChanged
from tests.service.chassis.conftest import ACME, SAMPLE
from tests.support.database import Databases

REQUEST = b"the request"


def call(
    key: str | None = "key-1", *, request: bytes = REQUEST, subject: str = "per_1", method: str = "/n/Create"
) -> Call:
    caller = Caller(audience=Audience.STAFF, peer="gateway", organization_id=ACME, subject_id=subject)
    return Call(
        caller=caller,
        method=method,
        request_id="req",
        idempotency_key=key,
        fingerprint=fingerprint(method, request),
    )


async def _create(db: Database, *, fail: bool = False) -> PersonChanged:
    async def effect(tx: WriteTx) -> PersonChanged:
        row = await tx.execute(
            text(
                "INSERT INTO notes (organization_id, note_id) SELECT 'org_acme', 'n' || count(*) FROM notes"
                " RETURNING note_id"
            )
        )
        if fail:
            raise ServiceError(Kind.FAILED_PRECONDITION, "NO", "No.")
        return PersonChanged(person_id=row.scalar_one())

    return await idempotency.once(db, PersonChanged, effect)


async def _notes(db: Database) -> int:
    async with db.read(ACME) as tx:
        return int((await tx.execute(text("SELECT count(*) FROM notes"))).scalar_one())


async def test_fifty_parallel_requests_with_one_key_have_one_effect_and_one_answer(db: Database) -> None:
    async def request() -> tuple[str, bool]:
        with call_scope(call()):
            idempotency.watch_replays()
            answer = await _create(db)
            return answer.person_id, idempotency.was_replayed()

    answers = await asyncio.gather(*(asyncio.create_task(request()) for _ in range(50)))
    assert {person_id for person_id, _ in answers} == {"n0"}
    assert sorted(replayed for _, replayed in answers) == [False] + [True] * 49
    assert await _notes(db) == 1


async def test_without_the_same_key_every_request_has_its_effect(db: Database) -> None:
    """The negative control: it is the key that makes the effect single."""
    for number in range(3):
        with call_scope(call(f"key-{number}")):
            await _create(db)
    assert await _notes(db) == 3


async def test_another_request_with_the_same_key_is_refused(db: Database) -> None:
    with call_scope(call()):
        await _create(db)
    with call_scope(call(request=b"another")), pytest.raises(ServiceError) as caught:
        await _create(db)
    assert caught.value.reason == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("other", [{"subject": "per_2"}, {"method": "/n/Other"}])
async def test_a_key_belongs_to_its_principal_and_method(db: Database, other: dict[str, str]) -> None:
    subject, method = other.get("subject", "per_1"), other.get("method", "/n/Create")
    for scoped in (call(), call(subject=subject, method=method)):
        with call_scope(scoped):
            await _create(db)
    assert await _notes(db) == 2


@pytest.mark.parametrize("key", [None, "", "k" * 256])
async def test_a_missing_or_too_long_key_is_refused(db: Database, key: str | None) -> None:
    with call_scope(call(key)), pytest.raises(ServiceError) as caught:
        await _create(db)
    assert caught.value.reason == "IDEMPOTENCY_KEY_MISSING"


async def test_a_refusal_is_not_kept_and_may_be_tried_again(db: Database) -> None:
    with call_scope(call()):
        with pytest.raises(ServiceError):
            await _create(db, fail=True)
        await _create(db)
    assert await _notes(db) == 1


async def test_an_unfinished_operation_is_in_progress_and_then_resumed_by_one(databases: Databases) -> None:
    clock = FrozenClock(datetime(2026, 1, 5, tzinfo=UTC))
    async with databases.fresh("sample", package=SAMPLE, clock=clock) as (db, _):
        with call_scope(call()):
            async with db.write(ACME) as tx:
                assert await idempotency.claim(tx, object_id="pay_1") is None
            await _refused_as_in_progress(db)
            clock.advance(timedelta(seconds=idempotency.LEASE_SECONDS + 1))
            async with db.write(ACME) as tx:
                assert await idempotency.claim(tx) == idempotency.Unfinished("pay_1")
            await _refused_as_in_progress(db)
            async with db.write(ACME) as tx:
                await idempotency.release(tx)
            async with db.write(ACME) as tx:
                assert await idempotency.claim(tx) == idempotency.Unfinished("pay_1")
                await idempotency.finish(tx, PersonChanged(person_id="p"))
            async with db.write(ACME) as tx:
                replay = await idempotency.claim(tx)
            assert isinstance(replay, idempotency.Replay)
            assert PersonChanged.FromString(replay.response).person_id == "p"


async def _refused_as_in_progress(db: Database) -> None:
    with pytest.raises(ServiceError) as caught:
        async with db.write(ACME) as tx:
            await idempotency.claim(tx)
    assert caught.value.reason == "IDEMPOTENCY_KEY_IN_PROGRESS"
    assert caught.value.retry_after_seconds == 1


KEYS = st.lists(
    st.tuples(st.sampled_from(["key-1", "key-2"]), st.sampled_from([b"one", b"two"])), min_size=1, max_size=6
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.tuples(KEYS, st.booleans(), st.sampled_from([0, 60])), min_size=1, max_size=3))
async def test_keys_claimed_together_are_claimed_as_one_after_the_other(
    db: Database, rounds: list[tuple[list[tuple[str, bytes]], bool, int]]
) -> None:
    clock = FrozenClock(datetime(2026, 1, 5, tzinfo=UTC))
    at_that_time = Database(db._url, name="sample", clock=clock)
    await at_that_time.open()
    together, singly = f"org_{uuid.uuid4().hex}", f"org_{uuid.uuid4().hex}"
    try:
        for wishes, finishes, seconds in rounds:
            calls = [call(key, request=request) for key, request in wishes]
            async with at_that_time.write(together) as tx:
                claims = [idempotency.Claim.of(one, object_id=f"o{i}") for i, one in enumerate(calls)]
                batched = [_told(one) for one in await idempotency.claim_many(tx, claims)]
            alone = []
            for index, one in enumerate(calls):
                with call_scope(one):
                    async with at_that_time.write(singly) as tx:
                        try:
                            alone.append(_told(await idempotency.claim(tx, object_id=f"o{index}")))
                        except ServiceError as error:
                            alone.append(_told(error))
            assert batched == alone
            if finishes:
                for organization_id in (together, singly):
                    with call_scope(calls[0]):
                        async with at_that_time.write(organization_id) as tx:
                            await idempotency.finish(tx, PersonChanged(person_id="per_1"))
            clock.advance(timedelta(seconds=seconds))
    finally:
        await at_that_time.close()


def _told(answer: object) -> str:
    return answer.reason if isinstance(answer, ServiceError) else repr(answer)
