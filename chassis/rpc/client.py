"""Calls to other services: a deadline always, retries only where repeating is safe, ServiceError on failure.

A channel from `connect` is a normal grpc.aio channel for the generated stubs. The calls it makes are ordinary
coroutines, without gRPC's interceptor machinery.
"""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar, cast

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import Message

from chassis.caller import current_call_or_none
from chassis.contract import is_read
from chassis.errors import Kind, ServiceError
from chassis.rpc.errors import from_rpc_error
from chassis.rpc.transport import CHANNEL_OPTIONS, IDEMPOTENCY_REPLAYED, CertificateFiles
from chassis.settings import BaseServiceSettings
from chassis.telemetry import TRACEPARENT, current_traceparent

DEFAULT_TIMEOUT_SECONDS: Final = 3.0
STREAM_TIMEOUT_SECONDS: Final = 60.0
HOP_SECONDS: Final = 0.02
"""Kept back at each hop, so that the caller still has time to say what went wrong below it."""
MAX_ATTEMPTS: Final = 3
_BACKOFF_SECONDS: Final = (0.02, 0.1)
_BUDGET_TOKENS: Final = 10.0
_TOKENS_PER_SUCCESS: Final = 0.1

_SERVICE_CONFIG: Final = '{"loadBalancingConfig": [{"round_robin": {}}]}'

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer(Generic[Response]):
    """A response, and whether it is the stored one of an earlier call with the same idempotency key."""

    message: Response
    replayed: bool


class _RetryBudget:
    """A failure costs a token, a success earns a tenth; below half there are no retries: no retry storms."""

    def __init__(self) -> None:
        self._tokens = _BUDGET_TOKENS

    def success(self) -> None:
        self._tokens = min(_BUDGET_TOKENS, self._tokens + _TOKENS_PER_SUCCESS)

    def failure(self) -> bool:
        """Counts a failure. True when one may try again."""
        self._tokens = max(0.0, self._tokens - 1.0)
        return self._tokens > _BUDGET_TOKENS / 2


class UnaryMethod(grpc.aio.UnaryUnaryMultiCallable[Request, Response]):
    """One method of a stub."""

    def __init__(self, inner: Any, path: str, service: str, budget: _RetryBudget) -> None:
        self._inner = inner
        self._service = service
        self._budget = budget
        self._is_read = _is_read(path)

    async def __call__(  # type: ignore[override]
        self,
        request: Request,
        *,
        timeout: float | None = None,
        metadata: Pairs = (),
        **_ignored: Any,
    ) -> Response:
        """As the generated stub has it, `timeout` in seconds. Raises ServiceError."""
        return (await self.ask(request, timeout_seconds=timeout, metadata=metadata)).message

    async def ask(
        self, request: Request, *, timeout_seconds: float | None = None, metadata: Pairs = ()
    ) -> Answer[Response]:
        """The answer with its replay mark. Raises ServiceError."""
        keyed = any(key == "idempotency-key" for key, _ in metadata)
        sent = _with_context(metadata)
        deadline = time.monotonic() + _seconds_left(timeout_seconds, DEFAULT_TIMEOUT_SECONDS, self._service)
        attempt = 1
        while True:
            call = self._inner(request, timeout=max(0.001, deadline - time.monotonic()), metadata=sent)
            try:
                message = await call
            except grpc.aio.AioRpcError as error:
                may_retry = self._budget.failure() if error.code() is grpc.StatusCode.UNAVAILABLE else False
                pause = random.uniform(*_BACKOFF_SECONDS) * attempt  # noqa: S311 - jitter
                enough_time = deadline - time.monotonic() > pause + HOP_SECONDS
                if not (may_retry and (keyed or self._is_read) and attempt < MAX_ATTEMPTS and enough_time):
                    raise from_rpc_error(error, self._service) from None
                await asyncio.sleep(pause)
                attempt += 1
                continue
            self._budget.success()
            return Answer(message, keyed and await _is_replayed(call))


class StreamMethod(grpc.aio.UnaryStreamMultiCallable[Request, Response]):
    """One server-streaming method of a stub. Streams are never retried."""

    def __init__(self, inner: Any, service: str) -> None:
        self._inner = inner
        self._service = service

    def __call__(  # type: ignore[override]
        self, request: Request, *, timeout: float | None = None, metadata: Pairs = (), **_ignored: Any
    ) -> AsyncIterator[Response]:
        """Iterates the responses; `timeout` in seconds for the whole stream. Raises ServiceError."""
        return self._responses(request, timeout, metadata)

    async def _responses(
        self, request: Request, timeout: float | None, metadata: Pairs
    ) -> AsyncIterator[Response]:
        seconds = _seconds_left(timeout, STREAM_TIMEOUT_SECONDS, self._service)
        call = self._inner(request, timeout=seconds, metadata=_with_context(metadata))
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, self._service) from None
        finally:
            call.cancel()


class Channel(grpc.aio.Channel):
    """One connection to a service, shared by all its stubs."""

    def __init__(self, inner: grpc.aio.Channel, service: str) -> None:
        self._inner = inner
        self._service = service
        self._budget = _RetryBudget()

    def unary_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, **more: Any
    ) -> UnaryMethod[Any, Any]:
        inner = self._inner.unary_unary(method, request_serializer, response_deserializer, **more)
        return UnaryMethod(inner, method, self._service, self._budget)

    def unary_stream(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, **more: Any
    ) -> StreamMethod[Any, Any]:
        inner = self._inner.unary_stream(method, request_serializer, response_deserializer, **more)
        return StreamMethod(inner, self._service)

    def stream_unary(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("no service takes a stream")

    def stream_stream(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("no service takes a stream")

    async def close(self, grace: float | None = None) -> None:
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._inner.channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def connect(settings: BaseServiceSettings, service: str) -> Channel:
    """A channel to another service; connects lazily, again and again. One per process and service is enough.

    The other end must show that service's own certificate, not just any of ours.
    """
    options: list[tuple[str, Any]] = [
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.ssl_target_name_override", service),
        *CHANNEL_OPTIONS,
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.enable_retries", 0),
    ]
    credentials = CertificateFiles.of(settings).channel_credentials()
    target = f"dns:///{settings.address_of(service)}"
    return Channel(grpc.aio.secure_channel(target, credentials, options=options), service)


def user_metadata(
    *,
    token: str | None = None,
    idempotency_key: str | None = None,
    locale: str | None = None,
    request_id: str | None = None,
    client_address: str | None = None,
) -> list[tuple[str, str]]:
    """What the gateway sends along for a user. The trace context is added by the channel."""
    pairs = {
        "authorization": f"Bearer {token}" if token is not None else None,
        "idempotency-key": idempotency_key,
        "accept-language": locale,
        "x-request-id": request_id,
        "x-client-address": client_address,
    }
    return [(key, value) for key, value in pairs.items() if value is not None]


async def ask(
    method: Callable[[Request], Awaitable[Response]],
    request: Request,
    *,
    metadata: Pairs = (),
    timeout_seconds: float | None = None,
) -> Answer[Response]:
    """Calls a stub's method and tells whether the answer was replayed. Raises ServiceError."""
    unary = cast("UnaryMethod[Request, Response]", method)
    return await unary.ask(request, metadata=metadata, timeout_seconds=timeout_seconds)


def as_service(
    method: Callable[[Request], Awaitable[Response]],
    *,
    idempotency_key: str | None = None,
    timeout_seconds: float | None = None,
) -> Callable[[Request], Awaitable[Response]]:
    """Calls on this service's own account: no user token goes along, the certificate is the identity.

    A key makes the call repeatable, so that it is retried when the other side is away.
    """
    unary = cast("UnaryMethod[Request, Response]", method)
    metadata = user_metadata(idempotency_key=idempotency_key)

    async def call(request: Request) -> Response:
        return await unary(request, timeout=timeout_seconds, metadata=metadata)

    return call


def _is_read(path: str) -> bool:
    service, _, name = path.lstrip("/").partition("/")
    try:
        return is_read(descriptor_pool.Default().FindServiceByName(service).methods_by_name[name])
    except KeyError:
        return False


def _seconds_left(wanted_seconds: float | None, default_seconds: float, service: str) -> float:
    """The time limit of a call: as wanted, but never beyond what the call being served has left."""
    seconds = default_seconds if wanted_seconds is None else wanted_seconds
    call = current_call_or_none()
    remaining = call.remaining_seconds() if call is not None else None
    if remaining is not None:
        seconds = min(seconds, remaining - HOP_SECONDS)
    if seconds <= 0:
        raise ServiceError(
            Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "This took longer than allowed.", service=service
        )
    return seconds


def _with_context(metadata: Pairs) -> list[tuple[str, str]]:
    sent = list(metadata)
    names = {key for key, _ in sent}
    call = current_call_or_none()
    if "x-request-id" not in names:
        sent.append(("x-request-id", call.request_id if call is not None else uuid.uuid4().hex))
    if call is not None and call.locale and "accept-language" not in names:
        sent.append(("accept-language", call.locale))
    traceparent = current_traceparent()
    if traceparent is not None:
        sent.append((TRACEPARENT, traceparent))
    return sent


async def _is_replayed(call: Any) -> bool:
    return dict(await call.trailing_metadata()).get(IDEMPOTENCY_REPLAYED) == "true"
