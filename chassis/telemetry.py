"""One trace, one log line and one set of figures a call. Nothing leaves the process unless told where to."""

import secrets
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)

from chassis.logs import configure_logging
from chassis.settings import BaseServiceSettings

TRACEPARENT: Final = "traceparent"


class _State:
    """What setup() decided; without it nothing is recorded and trace ids still travel."""

    recording: bool = False
    tracer: Tracer = trace.NoOpTracer()


def setup(service: str, settings: BaseServiceSettings) -> None:
    """Call once, before anything is built. Spans are exported only when an OTLP endpoint is configured."""
    configure_logging(service, settings.log_level)
    endpoint = settings.otel_exporter_otlp_endpoint
    _State.recording = endpoint is not None
    if endpoint is not None:
        _export_to(endpoint, service, settings.trace_sample_ratio)


def _export_to(endpoint: str, service: str, sample_ratio: float) -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import (
        Decision,
        ParentBased,
        Sampler,
        SamplingResult,
        TraceIdRatioBased,
    )

    class Roots(TraceIdRatioBased):
        """No trace begins with a statement: those are polls, several a second, which would crowd out calls."""

        def should_sample(
            self,
            parent_context: Any,
            trace_id: int,
            name: str,
            kind: SpanKind | None = None,
            *more: Any,
            **rest: Any,
        ) -> SamplingResult:
            if kind is SpanKind.CLIENT:
                return SamplingResult(Decision.DROP)
            return super().should_sample(parent_context, trace_id, name, kind, *more, **rest)

    sampler: Sampler = ParentBased(root=Roots(sample_ratio))
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.namespace": "tallyport"}),
        sampler=sampler,
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)
    _State.tracer = provider.get_tracer("tallyport")


def shutdown() -> None:
    """Sends the spans that still wait; at most a few seconds."""
    stop = getattr(trace.get_tracer_provider(), "shutdown", None)
    if stop is not None:
        stop()


def tracer() -> Tracer:
    """For spans inside an operation that are worth seeing on their own, such as a provider call."""
    return _State.tracer


@contextmanager
def inner_span(name: str) -> Iterator[Span]:
    """Such a span; in a trace that nobody records none is made."""
    current = trace.get_current_span()
    if current.get_span_context().is_valid and not current.is_recording():
        yield current
        return
    with _State.tracer.start_as_current_span(name) as span:
        yield span


def instrument_engine(engine: Any) -> None:
    """Spans for the statements of an SQLAlchemy AsyncEngine, when spans are recorded at all."""
    if not _State.recording:
        return
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
    from opentelemetry.instrumentation.utils import unwrap
    from sqlalchemy import Engine

    SQLAlchemyInstrumentor().instrument(
        engine=getattr(engine, "sync_engine", engine),
        skip_dep_check=True,  # the instrumentor declares SQLAlchemy < 2.1 and works with 2.1
        tracer_provider=trace.get_tracer_provider(),
    )
    unwrap(Engine, "connect")  # a span for each checkout tells nothing and costs as much as a statement's


def inject(headers: MutableMapping[str, str]) -> None:
    """Writes the current trace into headers: gRPC metadata, NATS headers, outbox rows."""
    header = current_traceparent()
    if header is not None:
        headers[TRACEPARENT] = header


def current_traceparent() -> str | None:
    """The W3C header of the current span; None outside a trace."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def extract(headers: Mapping[str, str]) -> SpanContext | None:
    """The sender's span; None for a missing or malformed header."""
    return parse_traceparent(headers.get(TRACEPARENT))


def parse_traceparent(header: str | None) -> SpanContext | None:
    """Reads a W3C traceparent of version 00."""
    if header is None or len(header) != 55 or header[:3] != "00-" or header[35] != "-" or header[52] != "-":
        return None
    try:
        trace_id, span_id, flags = int(header[3:35], 16), int(header[36:52], 16), int(header[53:], 16)
    except ValueError:
        return None
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & 1))
    return context if context.is_valid else None


class remote_span:  # noqa: N801 - a context manager used like a function
    """`with remote_span("name", parent)`: continues the sender's trace, or begins one.

    The sender's decision is honoured before a span is built, so an unrecorded call is almost free.
    """

    __slots__ = ("_kind", "_name", "_parent", "_token", "span")

    def __init__(self, name: str, parent: SpanContext | None, *, kind: SpanKind = SpanKind.SERVER) -> None:
        self._name = name
        self._parent = parent
        self._kind = kind

    def __enter__(self) -> Self:
        parent = self._parent
        if _State.recording and (parent is None or parent.trace_flags & TraceFlags.SAMPLED):
            base = otel_context.Context()
            if parent is not None:
                base = trace.set_span_in_context(NonRecordingSpan(parent), base)
            self.span: Span = _State.tracer.start_span(self._name, context=base, kind=self._kind)
        else:
            self.span = NonRecordingSpan(parent or _unrecorded_context())
        self._token = otel_context.attach(trace.set_span_in_context(self.span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        otel_context.detach(self._token)
        if self.span.is_recording():
            if kind is not None:
                self.span.set_status(Status(StatusCode.ERROR, kind.__name__))
            self.span.end()


def _unrecorded_context() -> SpanContext:
    return SpanContext(secrets.randbits(128) or 1, secrets.randbits(64) or 1, is_remote=False)
