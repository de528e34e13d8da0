"""The OTLP receiver, the pages and the JSON API of the trace page."""

import re
import zlib
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from devstack.traces.ring import Ring, Search, Trace
from devstack.traces.spans import SpanView, waterfall
from devstack.webkit.asgi import (
    BODY_LIMIT_BYTES,
    HttpError,
    Request,
    Response,
    Route,
    json_response,
    redirect,
)
from devstack.webkit.pages import Pages, rfc3339

_PROTOBUF = "application/x-protobuf"
_PAGE_ROWS = 100
_MAX_WAIT_SECONDS = 60.0
_COLOURS = 8


class Web:
    """Everything the process answers."""

    def __init__(self, look: Pages, ring: Ring) -> None:
        self._look = look
        self._ring = ring

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/v1/traces", self.receive),
            Route("GET", "/", self.list_page),
            Route("POST", "/clear", self.clear_from_page),
            Route("GET", "/traces/{trace_id}", self.trace_page),
            Route("GET", "/api/traces", self.list_traces),
            Route("DELETE", "/api/traces", self.delete_traces),
            Route("GET", "/api/traces/{trace_id}", self.get_trace),
        ]

    async def receive(self, request: Request) -> Response:
        """POST /v1/traces: OTLP as protobuf, gzip or plain."""
        if not (request.header("content-type") or "").startswith(_PROTOBUF):
            raise HttpError(415, "not_protobuf", f"Only {_PROTOBUF} is understood here.")
        body = await request.body()
        if request.header("content-encoding") == "gzip":
            body = _gunzip(body)
        try:
            export = ExportTraceServiceRequest.FromString(body)
        except DecodeError:
            raise HttpError(400, "not_otlp", "The body is not an OTLP trace export.") from None
        await self._ring.add(export)
        return Response(ExportTraceServiceResponse().SerializeToString(), content_type=_PROTOBUF)

    async def list_page(self, request: Request) -> Response:
        """The latest traces."""
        search = _search(request)
        found = self._ring.find(search, limit=_PAGE_ROWS)
        return self._look.page(
            "list.html",
            search=search,
            searching=search != Search(),
            traces=found,
            total=len(self._ring),
            services=self._ring.services(),
            colour=self._colours(),
            live=request.query.get("live") == "1",
            slowest_ms=max((trace.duration_ms for trace in found), default=0) or 1,
        )

    async def clear_from_page(self, request: Request) -> Response:
        """Forget all traces."""
        if request.header("sec-fetch-site") not in {None, "same-origin", "none"}:
            raise HttpError(403, "foreign_form", "This form was sent by another site.")
        self._ring.clear()
        return redirect("/")

    async def trace_page(self, request: Request) -> Response:
        """One trace as a waterfall."""
        trace = self._trace(request)
        lines = waterfall(trace.spans())
        length_ms = trace.duration_ms
        return self._look.page(
            "trace.html",
            trace=trace,
            lines=lines,
            colour=self._colours(),
            ticks=[length_ms * quarter / 4 for quarter in range(5)],
        )

    def _colours(self) -> dict[str, int]:
        return {name: number % _COLOURS for number, name in enumerate(self._ring.services())}

    async def list_traces(self, request: Request) -> Response:
        """GET /api/traces; with `wait_seconds` it answers once `count` (one) traces match."""
        query, search = request.query, _search(request)
        if wait_seconds := _number(query, "wait_seconds", 0):
            await self._ring.wait_for(
                search,
                count=int(_number(query, "count", 1)) or 1,
                timeout_seconds=min(wait_seconds, _MAX_WAIT_SECONDS),
            )
        found = self._ring.find(search, limit=int(_number(query, "limit", 100)) or 1)
        return json_response({"traces": [_summary(trace) for trace in found]})

    async def get_trace(self, request: Request) -> Response:
        """GET /api/traces/{trace_id}: the spans, parents before children."""
        trace = self._trace(request)
        return json_response({**_summary(trace), "spans": [_span(span) for span in waterfall(trace.spans())]})

    async def delete_traces(self, _request: Request) -> Response:
        """DELETE /api/traces"""
        self._ring.clear()
        return json_response({"traces": []})

    def _trace(self, request: Request) -> Trace:
        trace = self._ring.get(request.params["trace_id"].lower())
        if trace is None:
            raise HttpError(404, "not_found", "There is no such trace, or it was old and made room.")
        return trace


def _gunzip(body: bytes) -> bytes:
    """Unpack; 413 when a small body grows past the limit."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, BODY_LIMIT_BYTES)
    except zlib.error:
        raise HttpError(400, "not_gzip", "The body is not gzip.") from None
    if unpacker.unconsumed_tail:
        raise HttpError(413, "body_too_large", "The unpacked body is larger than 16 MiB.")
    return plain


def _search(request: Request) -> Search:
    query = request.query
    return Search(
        request_id=query.get("request_id", "").strip(),
        name=query.get("name", "").strip(),
        service=query.get("service", ""),
        attribute=query.get("attribute", "").strip(),
        errors_only=query.get("errors") == "1",
    )


def _summary(trace: Trace) -> dict[str, Any]:
    return {
        "trace_id": trace.trace_id,
        "root_name": trace.root_name,
        "root_service": trace.root_service,
        "services": sorted(trace.services),
        "request_ids": sorted(trace.request_ids),
        "span_count": trace.span_count,
        "error_count": trace.error_count,
        "started_at": rfc3339(trace.started_at),
        "duration_ms": round(trace.duration_ms, 3),
    }


def _span(span: SpanView) -> dict[str, Any]:
    return {
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id or None,
        "service": span.service,
        "scope": span.scope,
        "name": span.name,
        "kind": span.kind,
        "start_unix_nanos": span.start_unix_nanos,
        "duration_ms": round(span.duration_ms, 3),
        "depth": span.depth,
        "error": span.error,
        "status_message": span.status_message,
        "attributes": span.attributes,
        "events": [
            {"name": event.name, "offset_ms": round(event.offset_ms, 3), "attributes": event.attributes}
            for event in span.events
        ],
        "links": list(span.links),
    }


def _number(query: dict[str, str], name: str, default: float) -> float:
    text = query.get(name) or str(default)
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text, re.ASCII):
        raise HttpError(400, "invalid", f"{name} must be a number.", field=name)
    return float(text)
