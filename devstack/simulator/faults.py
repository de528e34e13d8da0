"""Faults on demand: what a provider does on its bad days, as often as told and to whom told."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from devstack.simulator.documents import rfc3339
from devstack.simulator.store import Row, Store
from devstack.webkit.asgi import HttpError, Request, Response

DEFAULT_SECONDS = {
    "slow": 2.0,
    "hang_before_charging": 60.0,
    "hang_after_charging": 60.0,
    "reset_before_charging": 0.0,
    "reset_after_charging": 0.0,
    "error_500": 0.0,
    "error_500_after_charging": 0.0,
    "truncated_body": 0.0,
    "webhook_before_return": 5.0,
    "duplicate_webhooks": 0.0,
    "reorder_webhooks": 2.0,
    "no_webhooks": 0.0,
    "decline": 0.0,
    "wrong_amount": 0.0,
    "wrong_currency": 0.0,
}
MEANINGS = {
    "slow": "waits before doing anything",
    "hang_before_charging": "does not answer and does nothing",
    "hang_after_charging": "charges, then does not answer",
    "reset_before_charging": "breaks the connection and does nothing",
    "reset_after_charging": "charges, then breaks the connection",
    "error_500": "answers 500 and does nothing",
    "error_500_after_charging": "charges, then answers 500",
    "truncated_body": "does it, then breaks off in the middle of the answer",
    "webhook_before_return": "delivers the webhook before it answers",
    "duplicate_webhooks": "delivers the event three times",
    "reorder_webhooks": "holds so many events, then delivers the last first",
    "no_webhooks": "withholds the event",
    "decline": "declines the card, whichever it is",
    "wrong_amount": "charges one minor unit less than asked",
    "wrong_currency": "charges in another currency than asked",
}
_MONEY = frozenset(
    {
        "create_checkout",
        "cancel_checkout",
        "create_charge",
        "cancel_charge",
        "pay_checkout",
        "create_refund",
        "create_setup",
        "pay_setup",
        "detach_method",
        "answer_dispute",
    }
)
_CHARGING = frozenset({"create_charge", "pay_checkout", "create_refund"})
_AROUND_CHARGING = frozenset(
    {
        "hang_before_charging",
        "hang_after_charging",
        "reset_before_charging",
        "reset_after_charging",
        "error_500_after_charging",
    }
)
_BROKEN = Response(b"{}", sent_bytes=0)
OPERATIONS = _MONEY | {"read"}


@dataclass(frozen=True)
class Subject:
    """What a request or an event is about, to find the faults meant for it."""

    operation: str
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)

    def value_of(self, name: str) -> str | None:
        """The value that a `match` entry of that name is compared with."""
        if name in {"operation", "reference"}:
            return str(getattr(self, name))
        return self.metadata.get(name)


class Faults:
    """The faults still to happen; kept in the store, so that they outlive a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._armed = True

    def add(self, fault: str, *, times: int, seconds: float | None, match: dict[str, str]) -> None:
        """Arm a fault for the next `times` matching requests or events."""
        self._store.insert(
            "faults",
            fault=fault,
            times=times,
            times_left=times,
            seconds=DEFAULT_SECONDS[fault] if seconds is None else seconds,
            match=json.dumps(match),
            created_at=time.time(),
        )
        self._armed = True

    def clear(self) -> None:
        """Disarm everything; events already held are delivered when their time comes."""
        self._store.execute("UPDATE faults SET times_left = 0")

    def armed(self) -> list[Row]:
        """Faults that will still happen, oldest first."""
        return self._store.all("SELECT * FROM faults WHERE times_left > 0 ORDER BY id")

    def take(self, name: str, subject: Subject) -> Row | None:
        """Use up one turn of the oldest fault of that name meant for the subject."""
        if not self._armed:
            return None
        armed = self.armed()
        self._armed = bool(armed)
        for fault in armed:
            if fault["fault"] == name and _applies(fault, subject):
                self._store.execute(
                    "UPDATE faults SET times_left = times_left - 1 WHERE id = :id", id=fault["id"]
                )
                return fault
        return None

    async def around(
        self, request: Request, subject: Subject, work: Callable[[], Response], webhooks_tried: "Waiter"
    ) -> Response:
        """Run `work` as the faults for this request want it."""
        if not self._armed:
            return work()
        if slow := self.take("slow", subject):
            await _sleep_or_disconnect(request, slow["seconds"])
        if hang := self.take("hang_before_charging", subject):
            await _sleep_or_disconnect(request, hang["seconds"])
            raise HttpError(504, "provider_timeout", "The provider took too long. Nothing was done.")
        if self.take("reset_before_charging", subject):
            return _BROKEN
        if self.take("error_500", subject):
            raise HttpError(500, "provider_error", "The provider has a problem. Nothing was done.")
        response = work()
        if early := self.take("webhook_before_return", subject):
            await webhooks_tried(subject.metadata.get("attempt_id", ""), early["seconds"])
        if self.take("error_500_after_charging", subject):
            raise HttpError(500, "provider_error", "The provider has a problem. What was done is not known.")
        if hang := self.take("hang_after_charging", subject):
            await _sleep_or_disconnect(request, hang["seconds"])
        if self.take("reset_after_charging", subject):
            return _BROKEN
        if self.take("truncated_body", subject):
            return replace(response, sent_bytes=len(response.body) // 2)
        return response


Waiter = Callable[[str, float], Any]


def _applies(fault: Row, subject: Subject) -> bool:
    match: dict[str, str] = json.loads(fault["match"])
    if "operation" not in match and subject.operation != "event":
        wanted = _CHARGING if fault["fault"] in _AROUND_CHARGING else _MONEY
        if subject.operation not in wanted:
            return False
    return all(
        subject.value_of(name) == value
        for name, value in match.items()
        if not (name == "operation" and subject.operation == "event")
    )


async def _sleep_or_disconnect(request: Request, seconds: float) -> None:
    """Wait, but not longer than the caller does."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(request.disconnected(), seconds)


def fault_document(fault: Row) -> dict[str, Any]:
    """A fault as the API shows it."""
    return {
        "id": fault["id"],
        "fault": fault["fault"],
        "times": fault["times"],
        "times_left": fault["times_left"],
        "seconds": fault["seconds"],
        "match": json.loads(fault["match"]),
        "created_at": rfc3339(fault["created_at"]),
    }


def fault_from(body: dict[str, Any]) -> tuple[str, int, float | None, dict[str, str]]:
    """Check the description of a fault; 400 says what is wrong with it."""
    fault, times, seconds = body.get("fault"), body.get("times", 1), body.get("seconds")
    match = body.get("match") or {}
    if fault not in DEFAULT_SECONDS:
        raise HttpError(
            400, "unknown_fault", f"fault must be one of {', '.join(DEFAULT_SECONDS)}.", field="fault"
        )
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= 1_000_000:
        raise HttpError(400, "invalid", "times must be a whole number from 1.", field="times")
    if seconds is not None and (not isinstance(seconds, int | float) or not 0 <= seconds <= 3600):
        raise HttpError(400, "invalid", "seconds must be a number from 0 to 3600.", field="seconds")
    if not isinstance(match, dict) or not all(isinstance(value, str) for value in match.values()):
        raise HttpError(400, "invalid", "match must be an object of texts.", field="match")
    if match.get("operation", "read") not in OPERATIONS:
        raise HttpError(
            400, "invalid", f"operation must be one of {', '.join(sorted(OPERATIONS))}.", field="match"
        )
    return fault, times, seconds, match
