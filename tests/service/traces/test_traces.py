"""The trace page: spans of several processes become one waterfall."""

import asyncio
import gzip
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from devstack.traces.ring import Ring, Search
from tests.support.programs import Program, free_address, running

START = 1_700_000_000_000_000_000
MS = 1_000_000
HEADERS = {"content-type": "application/x-protobuf"}


@pytest.fixture
async def traces(tmp_path: Path) -> AsyncGenerator[Program]:
    address = free_address()
    async with running(
        "devstack.traces", {"TRACES_LISTEN": address}, http_address=address, folder=tmp_path
    ) as program:
        yield program


def span(trace: bytes, name: str, parent: Span | None, start_ms: int, end_ms: int, **attributes: str) -> Span:
    return Span(
        trace_id=trace,
        span_id=secrets.token_bytes(8),
        parent_span_id=parent.span_id if parent else b"",
        name=name,
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=START + start_ms * MS,
        end_time_unix_nano=START + end_ms * MS,
        attributes=[
            KeyValue(key=key.replace("__", "."), value=AnyValue(string_value=value))
            for key, value in attributes.items()
        ],
    )


def export(*spans: tuple[str, Span]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for service, item in spans:
        resource = request.resource_spans.add()
        resource.resource.attributes.append(
            KeyValue(key="service.name", value=AnyValue(string_value=service))
        )
        resource.scope_spans.add().spans.append(item)
    return request


def payment(trace: bytes, request_id: str = "req_1") -> list[tuple[str, Span]]:
    page = span(trace, "POST /pay", None, 0, 100, request_id=request_id, http__route="/pay")
    call = span(trace, "tallyport.payments.v1.Payments/CreatePayment", page, 10, 90)
    charge = span(trace, "POST /v1/charges", call, 20, 80, peer="<b>provider</b>")
    receipt = span(trace, "SMTP send", call, 120, 150)
    return [("gateway", page), ("payments", call), ("payments", charge), ("notifications", receipt)]


async def send(program: Program, request: ExportTraceServiceRequest, *, packed: bool = True) -> None:
    body = request.SerializeToString()
    headers = HEADERS | ({"content-encoding": "gzip"} if packed else {})
    answer = await program.http.post(
        "/v1/traces", content=gzip.compress(body) if packed else body, headers=headers
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-protobuf"


async def find(program: Program, **query: Any) -> list[dict[str, Any]]:
    answer = await program.http.get("/api/traces", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["traces"]
    return found


async def test_spans_of_several_processes_become_one_trace_whatever_their_order(traces: Program) -> None:
    trace = secrets.token_bytes(16)
    for number, part in enumerate(reversed(payment(trace))):
        await send(traces, export(part), packed=number % 2 == 0)
    (summary,) = await find(traces)
    assert summary["trace_id"] == trace.hex()
    assert (summary["root_name"], summary["root_service"]) == ("POST /pay", "gateway")
    assert summary["services"] == ["gateway", "notifications", "payments"]
    assert (summary["span_count"], summary["error_count"], summary["duration_ms"]) == (4, 0, 150.0)
    whole = (await traces.http.get(f"/api/traces/{trace.hex()}")).json()
    assert [(item["depth"], item["name"]) for item in whole["spans"]] == [
        (0, "POST /pay"),
        (1, "tallyport.payments.v1.Payments/CreatePayment"),
        (2, "POST /v1/charges"),
        (2, "SMTP send"),
    ]
    assert whole["spans"][0]["attributes"] == {"request_id": "req_1", "http.route": "/pay"}


async def test_the_sdk_exporter_is_understood(traces: Program) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "identity"}))
    exporter = OTLPSpanExporter(endpoint=f"{traces.http.base_url}/v1/traces")
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def work() -> None:
        with provider.get_tracer("test").start_as_current_span("login") as outer:
            outer.set_attribute("attempts", [1, 2])
            outer.add_event("checked", {"ok": True})
        provider.shutdown()

    await asyncio.to_thread(work)
    (summary,) = await find(traces, name="login", wait_seconds=5)
    whole = (await traces.http.get(f"/api/traces/{summary['trace_id']}")).json()
    assert whole["services"] == ["identity"]
    assert whole["spans"][0]["attributes"]["attempts"] == '["1", "2"]'
    assert whole["spans"][0]["events"][0]["attributes"] == {"ok": "true"}


async def test_traces_are_found_by_request_name_service_attribute_and_error(traces: Program) -> None:
    good, bad = secrets.token_bytes(16), secrets.token_bytes(16)
    await send(traces, export(*payment(good, "req_good")))
    failed = span(bad, "POST /pay", None, 0, 5, request_id="req_bad")
    failed.status.code = Status.STATUS_CODE_ERROR
    failed.status.message = "card_declined"
    await send(traces, export(("gateway", failed)))
    assert [item["trace_id"] for item in await find(traces)] == [bad.hex(), good.hex()]
    for query in (
        {"request_id": "req_good"},
        {"name": "smtp"},
        {"service": "payments"},
        {"attribute": "http.route:/pay"},
    ):
        assert [item["trace_id"] for item in await find(traces, **query)] == [good.hex()]
    assert [item["trace_id"] for item in await find(traces, errors=1)] == [bad.hex()]
    assert await find(traces, attribute="http.route:/nowhere") == []


async def test_a_test_can_wait_for_a_trace(traces: Program) -> None:
    waiting = asyncio.create_task(find(traces, request_id="req_late", name="SMTP", wait_seconds=10))
    trace = secrets.token_bytes(16)
    for part in payment(trace, "req_late"):
        await send(traces, export(part))
    assert [item["trace_id"] for item in await waiting] == [trace.hex()]


async def test_the_pages_draw_the_waterfall(traces: Program) -> None:
    assert "No trace yet" in (await traces.http.get("/")).text
    trace = secrets.token_bytes(16)
    await send(traces, export(*payment(trace)))
    listed = (await traces.http.get("/", params={"service": "payments"})).text
    assert f'href="/traces/{trace.hex()}"' in listed
    drawn = (await traces.http.get(f"/traces/{trace.hex()}")).text
    assert drawn.count("<details") == 4
    assert "Payments/CreatePayment" in drawn
    assert "&lt;b&gt;provider&lt;/b&gt;" in drawn
    assert "<script" not in drawn
    assert (await traces.http.get(f"/traces/{'0' * 32}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"content-type": "application/json"}, 415),
        (b"\xff\xff", HEADERS, 400),
        (b"not gzip", HEADERS | {"content-encoding": "gzip"}, 400),
        (gzip.compress(bytes(20_000_000)), HEADERS | {"content-encoding": "gzip"}, 413),
    ],
)
async def test_what_is_not_an_export_is_refused(
    traces: Program, content: bytes, headers: dict[str, str], status: int
) -> None:
    assert (await traces.http.post("/v1/traces", content=content, headers=headers)).status_code == status


async def test_the_ring_keeps_the_newest_within_both_bounds() -> None:
    ids = [secrets.token_bytes(16) for _ in range(50)]
    by_number, by_bytes = Ring(max_traces=10), Ring(max_bytes=4_000)
    for trace in ids:
        await by_number.add(export(*payment(trace)))
        await by_bytes.add(export(*payment(trace)))
    assert [trace.trace_id for trace in by_number.find(Search(), limit=99)] == [
        trace.hex() for trace in reversed(ids[-10:])
    ]
    assert by_number.get(ids[0].hex()) is None
    assert 0 < len(by_bytes) < 50
    assert by_bytes.size_bytes <= 4_000
    assert by_bytes.size_bytes == sum(trace.size_bytes for trace in by_bytes.find(Search(), limit=99))


async def test_memory_stays_small_when_full_and_it_stops_at_once(traces: Program) -> None:
    for _ in range(60):
        parts = [part for _ in range(40) for part in payment(secrets.token_bytes(16))]
        await send(traces, export(*parts))
    await traces.http.get("/")
    assert (await traces.http.get("/readyz")).json()["traces"] == 2_000
    with open(f"/proc/{traces.process.pid}/status") as status:
        kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    assert kilobytes < 50 * 1024
    assert await traces.stop() == 0
