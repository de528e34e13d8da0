"""What every request to the Stripe-shaped API goes through: key, parameters, idempotency, faults, expansion."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from devstack.simulator.faults import Subject
from devstack.simulator.stripe.errors import CardDeclinedError, Document, StripeError, error_body
from devstack.simulator.stripe.ground import Ground
from devstack.simulator.stripe.objects import Thing
from devstack.webkit.asgi import Handler, HttpError, Request, Response, json_response

Params = dict[str, Any]
MOST = 100


class Door:
    """Answers are Stripe's, errors too."""

    def __init__(self, ground: Ground, secret: str) -> None:
        self.ground = ground
        self._expected = f"Bearer {secret}".encode()
        self._in_progress: set[str] = set()

    def guarded(self, handler: Handler) -> Handler:
        """The same, for callers with the key, with errors in Stripe's shape."""

        async def guarded(request: Request) -> Response:
            given = (request.header("authorization") or "").encode()
            try:
                if not hmac.compare_digest(given, self._expected):
                    raise StripeError("Invalid API Key provided", status=401)
                return await handler(request)
            except StripeError as error:
                return json_response(error.body, status=error.status)
            except HttpError as error:  # of a fault
                return json_response(error_body(error.message, kind="api_error"), status=error.status)

        return guarded

    async def change(
        self, request: Request, subject: Subject, params: Params, work: Callable[[], Thing]
    ) -> Response:
        """Do something once per key, as the faults for it want."""
        key = request.header("idempotency-key") or ""
        fingerprint = hashlib.sha256(f"{request.path} {json.dumps(params, sort_keys=True)}".encode()).digest()
        if key and (replay := self._replay(key, fingerprint)) is not None:
            return replay
        if key in self._in_progress:
            raise StripeError(
                "There is currently another in-progress request using this Idempotent Key.",
                status=409, kind="idempotency_error", code="idempotency_key_in_use",
            )  # fmt: skip
        if key:
            self._in_progress.add(key)

        def once() -> Response:
            with self.ground.store.transaction():
                status, answer = self._outcome(work, params)
                if key:
                    self.ground.store.insert(
                        "stripe_keys",
                        key=key,
                        fingerprint=fingerprint,
                        status=status,
                        answer=json.dumps(answer),
                    )
            self._in_progress.discard(key)
            return json_response(answer, status=status)

        try:
            return await self.ground.faults.around(
                request, subject, once, self.ground.events.wait_until_tried
            )
        finally:
            self._in_progress.discard(key)

    def _replay(self, key: str, fingerprint: bytes) -> Response | None:
        known = self.ground.store.one("SELECT * FROM stripe_keys WHERE key = :key", key=key)
        if known is None:
            return None
        if known["fingerprint"] != fingerprint:
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
                kind="idempotency_error",
            )
        headers = (("idempotent-replayed", "true"), ("idempotency-key", key))
        return json_response(json.loads(known["answer"]), status=known["status"], headers=headers)

    def _outcome(self, work: Callable[[], Thing], params: Params) -> tuple[int, Document]:
        try:
            thing = work()
        except CardDeclinedError as error:
            return 402, error.body
        return 200, self.ground.objects.expanded(thing.document, expand_of(params))

    async def read(self, request: Request, read: Callable[[], Thing]) -> Response:
        """Show one object."""
        paths, thing = expand_of(query_of(request)), read()
        subject = Subject("read", "", thing.metadata)
        show = lambda: json_response(self.ground.objects.expanded(read().document, paths))  # noqa: E731
        return await self.ground.faults.around(request, subject, show, self.ground.events.wait_until_tried)

    def listed(self, request: Request, found: list[Thing]) -> Response:
        """One page of a list, the newest first."""
        params = query_of(request)
        size = whole(params, "limit", 10)
        after = str(params.get("starting_after", ""))
        if after:
            at = next((at for at, thing in enumerate(found) if thing.id == after), None)
            if at is None:
                raise StripeError(
                    f"No such object: '{after}'", code="resource_missing", param="starting_after"
                )
            found = found[at + 1 :]
        page = {
            "object": "list",
            "url": request.path.removeprefix("/stripe"),
            "has_more": len(found) > min(size, MOST),
            "data": [thing.document for thing in found[: min(size, MOST)]],
        }
        return json_response(self.ground.objects.expanded(page, expand_of(params)))


def query_of(request: Request) -> Params:
    """The query's parameters, nested."""
    return nested(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))


async def form_of(request: Request) -> Params:
    """The body's parameters, nested."""
    return nested(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def nested(pairs: list[tuple[str, str]]) -> Params:
    """`a[b][0]=c` as `{"a": {"b": ["c"]}}`."""
    tree: Params = {}
    for name, value in pairs:
        steps = name.replace("]", "").split("[")
        node = tree
        for step in steps[:-1]:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                raise StripeError(f"Invalid parameter: {name}", param=name)
        node[steps[-1] or str(len(node))] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {name: _lists(inner) for name, inner in value.items()}
    return list(items.values()) if items and all(name.isdigit() for name in items) else items


def expand_of(params: Params) -> list[str]:
    """The paths to expand."""
    paths = params.get("expand") or []
    return [str(path) for path in paths] if isinstance(paths, list) else [str(paths)]


def text(params: Params, name: str, *, needed: bool = False) -> str:
    """A text parameter, empty when it is not there."""
    value = params.get(name, "")
    if not isinstance(value, str) or (needed and not value):
        raise StripeError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return value


def whole(params: Params, name: str, default: int | None = None) -> int:
    """A whole number."""
    value = params.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not value.isdigit():
        raise StripeError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    return int(value)


def tree(params: Params, name: str) -> Params:
    """A nested parameter, empty when it is not there."""
    value = params.get(name) or {}
    if not isinstance(value, dict):
        raise StripeError(f"Invalid hash: {name}", param=name)
    return value


def texts(params: Params, name: str) -> list[str]:
    """A list of texts."""
    value = params.get(name) or []
    if not isinstance(value, list):
        raise StripeError(f"Invalid array: {name}", param=name)
    return [str(one) for one in value]


def moments(params: Params, name: str) -> dict[str, int]:
    """A range of moments: gt, gte, lt, lte."""
    found = tree(params, name)
    return {word: whole(found, word) for word in found if word in ("gt", "gte", "lt", "lte")}
