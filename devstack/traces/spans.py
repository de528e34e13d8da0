"""Spans as people read them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

_MAX_DEPTH_SHOWN = 14
_PACKAGE = re.compile(r"^/?(?:\w+\.)+(?=\w+/\w+$)")


@dataclass(frozen=True)
class SpanEvent:
    """Something that happened at one moment of a span, an exception for instance."""

    name: str
    offset_ms: float
    attributes: dict[str, str]


@dataclass(frozen=True)
class SpanView:
    """One span; `depth` and the shares of the waterfall are set by `waterfall`."""

    span_id: str
    parent_span_id: str
    service: str
    scope: str
    name: str
    kind: str
    start_unix_nanos: int
    end_unix_nanos: int
    error: bool
    status_message: str
    attributes: dict[str, str]
    events: tuple[SpanEvent, ...]
    links: tuple[str, ...]
    depth: int = 0
    offset_share: float = 0.0
    length_share: float = 0.0

    @property
    def label(self) -> str:
        """The name without the package of a gRPC method, whose end is what tells methods apart."""
        return _PACKAGE.sub("", self.name)

    @property
    def duration_ms(self) -> float:
        return max(self.end_unix_nanos - self.start_unix_nanos, 0) / 1e6


def attribute_text(value: AnyValue) -> str:
    """An attribute value as text; lists and maps as JSON."""
    kind = value.WhichOneof("value")
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "array_value":
        return json.dumps([attribute_text(item) for item in value.array_value.values], ensure_ascii=False)
    if kind == "kvlist_value":
        return json.dumps(_texts(value.kvlist_value.values), ensure_ascii=False)
    if kind == "bytes_value":
        return value.bytes_value.hex()
    return "" if kind is None else str(getattr(value, kind))


def _texts(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return {attribute.key: attribute_text(attribute.value) for attribute in attributes}


def span_views(data: TracesData) -> Iterator[SpanView]:
    """All spans of a chunk."""
    for resource in data.resource_spans:
        service = _texts(resource.resource.attributes).get("service.name", "unknown")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _view(service, scope.scope.name, span)


def _view(service: str, scope: str, span: Span) -> SpanView:
    return SpanView(
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        service=service,
        scope=scope,
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        start_unix_nanos=span.start_time_unix_nano,
        end_unix_nanos=span.end_time_unix_nano,
        error=span.status.code == Status.STATUS_CODE_ERROR,
        status_message=span.status.message,
        attributes=_texts(span.attributes),
        events=tuple(
            SpanEvent(
                event.name,
                (event.time_unix_nano - span.start_time_unix_nano) / 1e6,
                _texts(event.attributes),
            )
            for event in span.events
        ),
        links=tuple(link.trace_id.hex() for link in span.links),
    )


def waterfall(spans: list[SpanView]) -> list[SpanView]:
    """The spans as a tree written line by line; one whose parent never came stands at the top level."""
    if not spans:
        return []
    known = {span.span_id for span in spans}
    children: dict[str, list[SpanView]] = defaultdict(list)
    for span in spans:
        children[span.parent_span_id if span.parent_span_id in known else ""].append(span)
    start = min(span.start_unix_nanos for span in spans)
    length = max(max(span.end_unix_nanos for span in spans) - start, 1)
    lines: list[SpanView] = []
    waiting = [(span, 0) for span in reversed(children[""])]
    seen: set[str] = set()
    while waiting:
        span, depth = waiting.pop()
        if span.span_id in seen:
            continue
        seen.add(span.span_id)
        lines.append(
            replace(
                span,
                depth=min(depth, _MAX_DEPTH_SHOWN),
                offset_share=(span.start_unix_nanos - start) / length,
                length_share=max(span.end_unix_nanos - span.start_unix_nanos, 0) / length,
            )
        )
        waiting.extend((child, depth + 1) for child in reversed(children[span.span_id]))
    return lines
