"""Events and their delivery as signed webhooks (Standard Webhooks), at least once, in no promised order."""

# ruff: noqa: S608 (the table is named by the class)

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import logging
import time
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from devstack.simulator.clock import Clock
from devstack.simulator.documents import rfc3339
from devstack.simulator.faults import Faults, Subject
from devstack.simulator.poster import Poster
from devstack.simulator.store import Row, Store, new_id

logger = logging.getLogger("devstack.simulator")

RETRY_AFTER_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
BATCH = 64
LANES_AT_ONCE = 8
DUPLICATES = 3
_GONE = 410


def signature(key: bytes, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: v1, HMAC-SHA256 over `id.timestamp.body`."""
    signed = b"%s.%d.%s" % (webhook_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


@dataclass(frozen=True)
class _Outcome:
    event: Row
    delivered: bool
    answer: str
    final: bool = False


class Webhooks:
    """Writes events beside the change they tell of, and delivers them in the background."""

    table = "events"

    def __init__(self, store: Store, clock: Clock, faults: Faults, *, url: str, key: bytes) -> None:
        self._store = store
        self._clock = clock
        self._delay_seconds = 0.0
        self._faults = faults
        self._key = key
        self._poster = Poster(url) if url else None
        self._wake = asyncio.Event()
        self._tried = asyncio.Condition()

    def emit(self, event_type: str, subject: Row, *, version: int = 1) -> None:
        """Add an event about an object; call it inside the transaction of the change."""
        if self._poster is None:
            return
        # What happened goes by the simulator's clock, its delivery by the machine's, as signatures must.
        happened_at = self._clock.now()
        metadata: dict[str, str] = json.loads(subject["metadata"])
        body = {
            "type": event_type,
            "timestamp": rfc3339(happened_at),
            "data": {
                "object_id": subject["id"],
                "kind": event_type.partition(".")[0],
                "version": version,
                "metadata": metadata,
            },
        }
        about = Subject("event", subject["reference"], metadata)
        event_id = new_id("evt")
        self.queue(
            event_id, event_type, body, about=about, lane=subject["attempt_id"] or event_id,
            object_id=subject["id"],
        )  # fmt: skip

    def queue(
        self, event_id: str, event_type: str, body: Any, *, about: Subject, lane: str, object_id: str
    ) -> None:
        """Store an event for delivery, as the faults for it want. Events of one lane keep their order."""
        position, next_at = time.time_ns() // 1000, time.time() + self._delay_seconds
        if held := self._faults.take("reorder_webhooks", about):
            lane, position, next_at = self._hold(held, event_id, time.time())
        self._store.insert(
            self.table,
            id=event_id,
            type=event_type,
            object_id=object_id,
            lane=lane,
            position=position,
            copies=DUPLICATES if self._faults.take("duplicate_webhooks", about) else 1,
            body=json.dumps(body, separators=(",", ":")),
            state="withheld" if self._faults.take("no_webhooks", about) else "pending",
            next_at=next_at,
            created_at=self._clock.now(),
        )
        self._wake.set()

    def _hold(self, fault: Row, event_id: str, now: float) -> tuple[str, int, float]:
        """Queue an event before those already held; all go once the last is there or time is up."""
        gathered: list[str] = [*json.loads(fault["gathered"]), event_id]
        self._store.execute(
            "UPDATE faults SET gathered = :gathered WHERE id = :id",
            gathered=json.dumps(gathered),
            id=fault["id"],
        )
        complete = fault["times_left"] == 1
        next_at = now if complete else now + fault["seconds"]
        lane = f"reorder-{fault['id']}"
        self._store.execute(
            f"UPDATE {self.table} SET next_at = :next_at WHERE lane = :lane AND tries = 0",
            next_at=next_at,
            lane=lane,
        )
        return lane, -len(gathered), next_at

    @contextlib.contextmanager
    def delayed(self, seconds: float) -> Generator[None]:
        """What is emitted meanwhile is delivered that much later."""
        self._delay_seconds = seconds
        try:
            yield
        finally:
            self._delay_seconds = 0.0

    def send_again(self, event_id: str) -> None:
        """Deliver an event once more, whatever became of it."""
        self._store.execute(
            f"UPDATE {self.table} SET state = 'pending', tries = 0, next_at = :now WHERE id = :id",
            now=time.time(),
            id=event_id,
        )
        self._wake.set()

    async def wait_until_tried(self, attempt_id: str, timeout_seconds: float) -> None:
        """Return once each event of that attempt was sent at least once, or after the timeout."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds), self._tried:
                await self._tried.wait_for(lambda: not self._untried(attempt_id))

    async def wait_until_all_tried(self, timeout_seconds: float) -> bool:
        """Return once each event that is due was sent at least once; False after the timeout."""
        due = f"SELECT 1 FROM {self.table} WHERE state = 'pending' AND tries = 0 AND next_at <= :now"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds), self._tried:
                await self._tried.wait_for(lambda: self._store.one(due, now=time.time()) is None)
                return True
        return False

    def _untried(self, attempt_id: str) -> bool:
        row = self._store.one(
            f"SELECT 1 FROM {self.table} WHERE lane = :lane AND state = 'pending' AND tries = 0",
            lane=attempt_id,
        )
        return row is not None

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        if self._poster is None:
            return
        try:
            while True:
                self._wake.clear()
                if not await self._deliver_due(self._poster):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), self._pause_seconds())
        finally:
            self._poster.close()

    def _pause_seconds(self) -> float:
        row = self._store.one(f"SELECT min(next_at) AS next_at FROM {self.table} WHERE state = 'pending'")
        next_at: Any = row["next_at"] if row else None
        return 60.0 if next_at is None else min(max(next_at - time.time(), 0.01), 60.0)

    async def _deliver_due(self, poster: Poster) -> bool:
        due = self._store.all(
            f"SELECT * FROM {self.table} WHERE state = 'pending' AND next_at <= :now"
            " ORDER BY position LIMIT :batch",
            now=time.time(),
            batch=BATCH,
        )
        lanes: dict[str, list[Row]] = defaultdict(list)
        for event in due:
            lanes[event["lane"]].append(event)
        gate = asyncio.Semaphore(LANES_AT_ONCE)

        async def deliver(events: list[Row]) -> list[_Outcome]:
            async with gate:
                return [await self._deliver(poster, event) for event in events]

        outcomes = await asyncio.gather(*(deliver(events) for events in lanes.values()))
        if due:
            with self._store.transaction():
                for outcome in (outcome for lane in outcomes for outcome in lane):
                    self._note(outcome)
            async with self._tried:
                self._tried.notify_all()
        return bool(due)

    async def _deliver(self, poster: Poster, event: Row) -> _Outcome:
        body = event["body"].encode()
        outcome = _Outcome(event, False, "")
        for _ in range(event["copies"]):
            try:
                status = await poster.post(body, self.headers(event["id"], int(time.time()), body))
            except (OSError, TimeoutError) as error:
                outcome = _Outcome(event, False, f"{type(error).__name__}: {error}")
            else:
                outcome = _Outcome(event, 200 <= status < 300, f"HTTP {status}", final=status == _GONE)
        return outcome

    def headers(self, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """What goes with an event, the signature above all."""
        return {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._key, event_id, timestamp, body),
        }

    def _note(self, outcome: _Outcome) -> None:
        tries = outcome.event["tries"] + 1
        if outcome.delivered:
            state = "delivered"
        else:
            state = "given_up" if outcome.final or tries > len(RETRY_AFTER_SECONDS) else "pending"
            logger.warning("webhook %s try %d: %s", outcome.event["id"], tries, outcome.answer)
        wait_seconds = RETRY_AFTER_SECONDS[min(tries, len(RETRY_AFTER_SECONDS)) - 1]
        self._store.execute(
            f"UPDATE {self.table} SET state = :state, tries = :tries, next_at = :next_at, last_answer = :answer"
            " WHERE id = :id",
            state=state,
            tries=tries,
            next_at=time.time() + wait_seconds,
            answer=outcome.answer,
            id=outcome.event["id"],
        )
