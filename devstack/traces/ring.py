"""The last traces, in memory: compressed as they came, read again when somebody looks."""

import asyncio
import sys
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status, TracesData

from devstack.traces.spans import SpanView, attribute_text, span_views

MAX_TRACES = 2_000
MAX_BYTES = 8 * 1024 * 1024
MAX_SPANS_PER_TRACE = 5_000
_REQUEST_ID_KEYS = ("request_id", "request.id")


@dataclass
class Trace:
    """What the list shows of a trace, and its spans as compressed chunks."""

    trace_id: str
    start_unix_nanos: int = sys.maxsize
    end_unix_nanos: int = 0
    root_name: str = ""
    root_service: str = ""
    root_start_unix_nanos: int = sys.maxsize
    services: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    request_ids: set[str] = field(default_factory=set)
    span_count: int = 0
    error_count: int = 0
    dropped_count: int = 0
    chunks: list[bytes] = field(default_factory=list)

    @property
    def duration_ms(self) -> float:
        return max(self.end_unix_nanos - self.start_unix_nanos, 0) / 1e6

    @property
    def started_at(self) -> float:
        """Unix seconds."""
        return self.start_unix_nanos / 1e9

    @property
    def size_bytes(self) -> int:
        return sum(len(chunk) for chunk in self.chunks)

    def spans(self) -> list[SpanView]:
        """All spans, by start."""
        found: dict[str, SpanView] = {}
        for chunk in self.chunks:
            for view in span_views(TracesData.FromString(zlib.decompress(chunk))):
                found[view.span_id] = view
        return sorted(found.values(), key=lambda view: view.start_unix_nanos)

    def note(self, service: str, span: Span) -> None:
        """Count one span into the summary."""
        self.start_unix_nanos = min(self.start_unix_nanos, span.start_time_unix_nano)
        self.end_unix_nanos = max(self.end_unix_nanos, span.end_time_unix_nano)
        self.services.add(service)
        self.names.add(sys.intern(span.name))
        self.span_count += 1
        self.error_count += span.status.code == Status.STATUS_CODE_ERROR
        for attribute in span.attributes:
            if attribute.key.endswith(_REQUEST_ID_KEYS):
                self.request_ids.add(attribute_text(attribute.value))
        # Until the true root arrives, the earliest span stands for it.
        if not span.parent_span_id:
            self.root_name, self.root_service, self.root_start_unix_nanos = span.name, service, -1
        elif span.start_time_unix_nano < self.root_start_unix_nanos:
            self.root_name, self.root_service = span.name, service
            self.root_start_unix_nanos = span.start_time_unix_nano


@dataclass(frozen=True)
class Search:
    """Which traces are wanted; empty fields do not matter. `attribute` is `key:value` of any span."""

    request_id: str = ""
    name: str = ""
    service: str = ""
    attribute: str = ""
    errors_only: bool = False

    def accepts(self, trace: Trace) -> bool:
        """Whether the trace matches; cheap tests first, attributes need its spans."""
        if self.errors_only and not trace.error_count:
            return False
        if self.request_id and self.request_id not in trace.request_ids:
            return False
        if self.service and self.service not in trace.services:
            return False
        if self.name and not any(self.name.lower() in name.lower() for name in trace.names):
            return False
        if not self.attribute:
            return True
        key, _, value = self.attribute.partition(":")
        return any(view.attributes.get(key) == value for view in trace.spans())


class Ring:
    """Keeps the newest traces within two bounds, their number and their bytes."""

    def __init__(self, *, max_traces: int = MAX_TRACES, max_bytes: int = MAX_BYTES) -> None:
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._max_traces = max_traces
        self._max_bytes = max_bytes
        self._bytes = 0
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._traces)

    @property
    def size_bytes(self) -> int:
        return self._bytes

    async def add(self, request: ExportTraceServiceRequest) -> None:
        """Take in one export; the oldest traces make room."""
        parts: dict[str, list[ResourceSpans]] = defaultdict(list)
        for resource_spans in request.resource_spans:
            for trace_id, part in _by_trace(resource_spans).items():
                parts[trace_id].append(part)
        for trace_id, resources in parts.items():
            self._append(trace_id, resources)
        while self._traces and (len(self._traces) > self._max_traces or self._bytes > self._max_bytes):
            _, oldest = self._traces.popitem(last=False)
            self._bytes -= oldest.size_bytes
        async with self._changed:
            self._changed.notify_all()

    def _append(self, trace_id: str, resources: list[ResourceSpans]) -> None:
        trace = self._traces.setdefault(trace_id, Trace(trace_id))
        added = sum(len(scope.spans) for resource in resources for scope in resource.scope_spans)
        if trace.span_count + added > MAX_SPANS_PER_TRACE:
            trace.dropped_count += added
            return
        for resource in resources:
            service = service_name(resource)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    trace.note(service, span)
        chunk = zlib.compress(TracesData(resource_spans=resources).SerializeToString(), 1)
        trace.chunks.append(chunk)
        self._bytes += len(chunk)

    def get(self, trace_id: str) -> Trace | None:
        """One trace by its id in lower-case hexadecimal."""
        return self._traces.get(trace_id)

    def clear(self) -> None:
        """Forget everything."""
        self._traces.clear()
        self._bytes = 0

    def services(self) -> list[str]:
        """Names of all services that sent spans of kept traces."""
        return sorted({name for trace in self._traces.values() for name in trace.services})

    def find(self, search: Search, *, limit: int) -> list[Trace]:
        """Matching traces, the latest first."""
        return _first(reversed(self._traces.values()), search.accepts, limit)

    async def wait_for(self, search: Search, *, count: int, timeout_seconds: float) -> None:
        """Return when `count` traces match, or after the timeout."""
        try:
            async with asyncio.timeout(timeout_seconds), self._changed:
                await self._changed.wait_for(lambda: len(self.find(search, limit=count)) >= count)
        except TimeoutError:
            return


def _first(traces: Iterable[Trace], accepts: Callable[[Trace], bool], limit: int) -> list[Trace]:
    found: list[Trace] = []
    for trace in traces:
        if accepts(trace):
            found.append(trace)
            if len(found) == limit:
                break
    return found


def service_name(resource_spans: ResourceSpans) -> str:
    """The sender's `service.name`."""
    for attribute in resource_spans.resource.attributes:
        if attribute.key == "service.name":
            return sys.intern(attribute_text(attribute.value))
    return "unknown"


def _by_trace(resource_spans: ResourceSpans) -> dict[str, ResourceSpans]:
    """The spans of one process, sorted by trace; each part keeps the resource."""
    parts: dict[str, ResourceSpans] = {}
    for scope_spans in resource_spans.scope_spans:
        scopes = {}
        for span in scope_spans.spans:
            trace_id = span.trace_id.hex()
            if trace_id not in scopes:
                part = parts.setdefault(trace_id, ResourceSpans(resource=resource_spans.resource))
                scopes[trace_id] = part.scope_spans.add(scope=scope_spans.scope)
            scopes[trace_id].spans.append(span)
    return parts
