"""What every request to the API goes through: the key, idempotency, and the faults of the day."""

import hmac
import json
from collections.abc import Callable
from typing import Any

from devstack.simulator.bank import Bank
from devstack.simulator.faults import Subject
from devstack.simulator.once import once
from devstack.simulator.store import Row
from devstack.webkit.asgi import Handler, HttpError, Request, Response, json_response


class Door:
    """Shared by the files of the API."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    def guarded(self, handler: Handler) -> Handler:
        """The same, for callers with the API key."""
        expected = f"Bearer {self.bank.settings.secret}".encode()

        async def guarded(request: Request) -> Response:
            given = (request.header("authorization") or "").encode()
            if not hmac.compare_digest(given, expected):
                raise HttpError(401, "unauthenticated", "The API key is missing or wrong.")
            self.bank.clock.enter(request.header("simulator-account") or "")
            return await handler(request)

        return guarded

    async def around(self, request: Request, subject: Subject, work: Callable[[], Response]) -> Response:
        """Do it as the faults for it want."""
        return await self.bank.faults.around(request, subject, work, self.bank.webhooks.wait_until_tried)

    async def create(
        self,
        request: Request,
        subject: Subject,
        body: dict[str, Any],
        *,
        kind: str,
        make: Callable[[], str],
        show: Callable[[str], dict[str, Any]],
    ) -> Response:
        """Make an object once per key."""
        key = idempotency_key(request)

        def work() -> Response:
            object_id, replayed = once(self.bank.store, kind, key, body, make)
            headers = (("idempotent-replayed", "true"),) if replayed else ()
            return json_response(show(object_id), headers=headers)

        return await self.around(request, subject, work)

    async def read(self, request: Request, read: Callable[[], dict[str, Any]]) -> Response:
        """Show one object."""
        document = read()
        subject = Subject("read", document.get("reference", ""), document["metadata"])
        return await self.around(request, subject, lambda: json_response(read()))


def subject_of(operation: str, row: Row) -> Subject:
    """What faults are matched with, for an object that is there."""
    return Subject(operation, row["reference"], json.loads(row["metadata"]))


def idempotency_key(request: Request) -> str:
    """The request's key; 400 without one."""
    key = request.header("idempotency-key") or ""
    if not 1 <= len(key) <= 255:
        raise HttpError(
            400, "idempotency_key_missing", "Idempotency-Key is required, at most 255 characters."
        )
    return key
