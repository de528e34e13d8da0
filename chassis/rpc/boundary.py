"""The one wall that every incoming call passes: admission, validation, errors, span, figures, one log line.

It wraps the method handlers when they are registered, so that nothing is looked up twice per call.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any, NoReturn, TypeAlias, cast

import grpc
import structlog
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from opentelemetry.trace import Span, Status, StatusCode
from prometheus_client import Counter, Histogram

from chassis.caller import Audience, Call, enter_call
from chassis.contract import ContractError
from chassis.errors import Kind, ServiceError
from chassis.idempotency import was_replayed, watch_replays
from chassis.rpc import validation
from chassis.rpc.admission import Admission, Metadata, peer_of, request_id_of, utc_now
from chassis.rpc.errors import DETAILS_KEY, STATUS_OF, from_exception, to_status
from chassis.rpc.tokens import TokenVerifier
from chassis.rpc.transport import IDEMPOTENCY_REPLAYED
from chassis.telemetry import TRACEPARENT, parse_traceparent, remote_span

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
UnaryBehavior = Callable[[Message, Context], Awaitable[Message]]
StreamBehavior = Callable[[Message, Context], AsyncGenerator[Message, None]]

CALLS = Counter("tallyport_rpc_calls_total", "Calls served, by outcome", ["method", "code"])
SECONDS = Histogram(
    "tallyport_rpc_seconds",
    "Time to answer a call",
    ["method"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_log = structlog.get_logger("rpc")
_LEVEL_OF = {
    Kind.INTERNAL: "error",
    Kind.UNAVAILABLE: "warning",
    Kind.DEADLINE_EXCEEDED: "warning",
    Kind.UNAUTHENTICATED: "warning",
    Kind.PERMISSION_DENIED: "warning",
}


class Boundary:
    """Wraps the handlers of a server's services. Refuses contracts that do not say who may call."""

    def __init__(self, verifier: TokenVerifier, *, now: Callable[[], datetime] = utc_now) -> None:
        self._verifier = verifier
        self._now = now

    def guard(self, service: ServiceDescriptor, handlers: Mapping[str, Handler]) -> dict[str, Handler]:
        """The same handlers behind the wall. Raises ContractError for a method without an access option."""
        return {
            name: self._wrap(service.methods_by_name[name], handler) for name, handler in handlers.items()
        }

    def _wrap(self, method: MethodDescriptor, handler: Handler) -> Handler:
        if handler.request_streaming:
            raise ContractError(f"{method.full_name}: methods that take a stream are not served")
        guard = _Guard(Admission(method, self._verifier, now=self._now, streams=handler.response_streaming))
        validation.check_rules(message_factory.GetMessageClass(method.input_type)())
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                guard.stream(cast(StreamBehavior, handler.unary_stream)),
                request_deserializer=handler.request_deserializer,
                response_serializer=handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            guard.unary(cast(UnaryBehavior, handler.unary_unary)),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


class _Passage:
    """One call on its way through the wall: what the log line, the span and the figures need at the end."""

    __slots__ = ("call", "error", "metadata", "outcome", "peer", "request_id", "started", "traceparent")

    def __init__(self, context: Context) -> None:
        self.started = time.perf_counter()
        self.metadata: Metadata = dict(context.invocation_metadata() or ())
        traceparent = self.metadata.get(TRACEPARENT)
        self.traceparent = traceparent if isinstance(traceparent, str) else None
        self.request_id = request_id_of(self.metadata)
        self.peer = ""
        self.call: Call | None = None
        self.error: ServiceError | None = None
        self.outcome = "OK"


class _Guard:
    """One method's wall."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._path = admission.path
        self._label = admission.path.removeprefix("/tallyport.")
        self._seconds = SECONDS.labels(self._label)
        self._calls = {"OK": CALLS.labels(self._label, "OK")}

    def unary(self, behavior: UnaryBehavior) -> UnaryBehavior:
        async def serve(request: Message, context: Context) -> Message:
            passage = _Passage(context)
            with remote_span(self._label, parse_traceparent(passage.traceparent)) as current:
                try:
                    call = self._enter(passage, request, context)
                    if call.idempotency_key is None:
                        return await behavior(request, context)
                    watch_replays()
                    response = await behavior(request, context)
                    if was_replayed():
                        context.set_trailing_metadata(((IDEMPOTENCY_REPLAYED, "true"),))
                    return response
                except BaseException as error:
                    refusal = self._refusal(passage, error)
                    if refusal is None:
                        raise
                    await _abort(context, refusal)
                finally:
                    self._account(passage, current.span)

        return serve

    def stream(self, behavior: StreamBehavior) -> Callable[[Message, Context], Awaitable[None]]:
        async def serve(request: Message, context: Context) -> None:
            passage = _Passage(context)
            with remote_span(self._label, parse_traceparent(passage.traceparent)) as current:
                try:
                    self._enter(passage, request, context)
                    # writing here, not yielding, keeps the whole call in one task and one context
                    async with aclosing(behavior(request, context)) as responses:
                        async for response in responses:
                            await context.write(response)
                except BaseException as error:
                    refusal = self._refusal(passage, error)
                    if refusal is None:
                        raise
                    await _abort(context, refusal)
                finally:
                    self._account(passage, current.span)

        return serve

    def _enter(self, passage: _Passage, request: Message, context: Context) -> Call:
        """All checks in the order in which they give away least, then the call becomes current."""
        admission = self._admission
        passage.peer = peer_of(context)
        deadline = admission.deadline(context.time_remaining())
        caller = admission.caller(passage.peer, passage.metadata, request)
        call = admission.call(
            caller, passage.metadata, request, request_id=passage.request_id, deadline=deadline
        )
        passage.call = call
        enter_call(call)
        validation.check(request, from_people=caller.audience is not Audience.SERVICE)
        return call

    def _refusal(self, passage: _Passage, error: BaseException) -> ServiceError | None:
        """What the caller is told; None for what gRPC itself must see: cancellation and aborts."""
        if isinstance(error, asyncio.CancelledError | grpc.aio.AbortError | GeneratorExit):
            passage.outcome = "CANCELLED"
            return None
        known = from_exception(error)
        if known is None:
            known = ServiceError(
                Kind.INTERNAL,
                "INTERNAL",
                f"Something went wrong on our side. Please quote {passage.request_id}.",
                error_id=passage.request_id,
            )
        if known is not error:
            _log.error("call failed", method=self._label, request_id=passage.request_id, exc_info=error)
        passage.error = known
        passage.outcome = STATUS_OF[known.kind].name
        return known

    def _account(self, passage: _Passage, span: Span) -> None:
        seconds = time.perf_counter() - passage.started
        counter = self._calls.get(passage.outcome)
        if counter is None:
            counter = self._calls[passage.outcome] = CALLS.labels(self._label, passage.outcome)
        counter.inc()
        self._seconds.observe(seconds)
        if span.is_recording():
            span.set_attribute("rpc.system", "grpc")
            span.set_attribute("rpc.method", self._label)
            span.set_attribute("tallyport.peer", passage.peer)
            span.set_attribute("tallyport.request_id", passage.request_id)
            if passage.outcome != "OK":
                span.set_status(Status(StatusCode.ERROR, passage.outcome))
        self._write_log_line(passage, seconds)

    def _write_log_line(self, passage: _Passage, seconds: float) -> None:
        caller = passage.call.caller if passage.call is not None else None
        error = passage.error
        write = getattr(_log, _LEVEL_OF.get(error.kind, "info") if error is not None else "info")
        write(
            "call",
            method=self._label,
            peer=passage.peer,
            actor=caller.actor if caller is not None else None,
            code=passage.outcome,
            reason=error.reason if error is not None else None,
            milliseconds=round(seconds * 1000, 2),
            request_id=passage.request_id,
        )


async def _abort(context: Context, error: ServiceError) -> NoReturn:
    details = to_status(error).SerializeToString()
    await context.abort(STATUS_OF[error.kind], error.message, ((DETAILS_KEY, details),))
