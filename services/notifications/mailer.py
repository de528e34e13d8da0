"""The mailer: looks for due messages at once when one was queued, and every second in any case.

Any number of worker processes may run one; a claimed message is its worker's own until the lease ends.
"""

import asyncio
from typing import Final

import psycopg
import structlog
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import Database
from chassis.errors import ServiceError
from chassis.jobs import turns
from chassis.turns import OTHERS, turn_scope
from services.notifications.channels.channel import Channel
from services.notifications.domain.message import Message, State
from services.notifications.operations.send_message import Documents, send_message
from services.notifications.store import messages

POLL_SECONDS: Final = 1.0
SWEEP_BATCH: Final = 50
DRAIN_SECONDS: Final = 4.0
"""Mails on their way get this long after a stop; the process ends within 5 s."""

_MAILS = Counter("tallyport_mails_total", "Tries to send a mail, by kind and outcome.", ["kind", "outcome"])
_WAITING = Gauge("tallyport_mails_waiting", "Messages that wait to be sent.")
_SECONDS = Histogram(
    "tallyport_mail_delay_seconds",
    "Time from queueing a message to the mail server's taking it.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300, 3600),
)
_log = structlog.get_logger("notifications.mailer")


class Mailer:
    """Sends queued messages while `serve` runs."""

    def __init__(
        self,
        db: Database,
        documents: Documents,
        channel: Channel,
        *,
        public_url: str,
        concurrency: int = 4,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._db = db
        self._documents = documents
        self._channel = channel
        self._public_url = public_url
        self._slots = asyncio.Semaphore(concurrency)
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()
        self._running: set[asyncio.Task[bool]] = set()

    async def serve(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, then let the mails on their way arrive, so that none is sent twice."""
        loops = [asyncio.create_task(self._dispatch()), asyncio.create_task(self._listen())]
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([stopped, *loops], return_when=asyncio.FIRST_COMPLETED)
            for loop in loops:
                loop.cancel()
            if self._running:
                await asyncio.wait(self._running, timeout=DRAIN_SECONDS)
        finally:
            left = [stopped, *loops, *self._running]
            for task in left:
                task.cancel()
            outcomes = await asyncio.gather(*left, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _dispatch(self) -> None:
        """Hand due messages to senders; outages of anything are waited out."""
        while True:
            self._woken.clear()
            try:
                found = await self._due()
            except (SQLAlchemyError, ServiceError, OSError) as error:
                _log.warning("mailer interrupted", error=str(error) or type(error).__name__)
                found = []
            tasks = []
            for organization_id, message_id in found:
                await self._slots.acquire()
                task = asyncio.create_task(self._send(organization_id, message_id))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                tasks.append(task)
            if not await _first_result(tasks):
                await self._wait()

    async def send_due(self) -> list[Message]:
        """Sends what is due now, one after the other, and tells what became of it: for rounds, tests and tools."""
        async with self._db.sweep() as tx:
            found = await messages.due_messages(tx, limit=SWEEP_BATCH)
        outcomes = [await self._send_one(*due) for due in found]
        return [message for message in outcomes if message is not None]

    async def _due(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for turn in await turns(self._db):
            with turn_scope(turn):
                async with self._db.sweep() as tx:
                    found += await messages.due_messages(tx, limit=SWEEP_BATCH)
                    if turn is OTHERS:
                        is_full = len(found) >= SWEEP_BATCH
                        _WAITING.set(await messages.count_waiting(tx) if is_full else len(found))
        return found

    async def _send(self, organization_id: str, message_id: str) -> bool:
        """Whether there was anything to do: another worker may have been faster."""
        try:
            return await self._send_one(organization_id, message_id) is not None
        except Exception as error:  # the lease ends and another try follows
            _log.error("mail try failed", message_id=message_id, exc_info=error)
            return False
        finally:
            self._slots.release()

    async def _send_one(self, organization_id: str, message_id: str) -> Message | None:
        message = await send_message(
            self._db,
            self._documents,
            self._channel,
            organization_id=organization_id,
            message_id=message_id,
            public_url=self._public_url,
        )
        if message is not None:
            _MAILS.labels(message.kind.value, message.state.value).inc()
            if message.state is State.SENT and message.sent_at is not None:
                _SECONDS.observe(max(0.0, (message.sent_at - message.queued_at).total_seconds()))
        return message

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._poll_seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _listen(self) -> None:
        """PostgreSQL tells of new messages when their transaction commits."""
        while True:
            try:
                async with self._db.direct() as connection:
                    await connection.execute(f"LISTEN {messages.CHANNEL}")
                    async for _ in connection.notifies():
                        self._woken.set()
            except (psycopg.Error, OSError) as error:
                _log.warning("mail listener interrupted", error=str(error) or type(error).__name__)
            await asyncio.sleep(self._poll_seconds)


async def _first_result(tasks: list[asyncio.Task[bool]]) -> bool:
    """Waits for the first of the tasks to end; False without tasks."""
    if not tasks:
        return False
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return any(task.result() for task in done)
