"""Spans go to an OTLP collector when one is configured, as one trace over services and SQL, and sampling holds."""

import asyncio
import gzip
import os
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio
from chassis import telemetry
from chassis.settings import BaseServiceSettings
from chassis.telemetry import current_traceparent, parse_traceparent, remote_span, tracer

async def main():
    telemetry.setup("payments", BaseServiceSettings.load())
    from sqlalchemy import create_engine, text
    engine = create_engine("sqlite://")
    telemetry.instrument_engine(engine)
    with remote_span("root", None):
        header = current_traceparent()
        with tracer().start_as_current_span("inner"):
            pass
    def ask():
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    ask()
    with remote_span("continued", parse_traceparent(header)):
        ask()
    with remote_span("unsampled", parse_traceparent("00-" + "a" * 32 + "-" + "b" * 16 + "-00")):
        with tracer().start_as_current_span("unsampled inner"):
            pass
    telemetry.shutdown()

asyncio.run(main())
"""


async def collected(**environment: str) -> list[Span]:
    received: list[Span] = []

    async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("post /v1/traces")
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        body = await reader.readexactly(length)
        if "content-encoding: gzip" in head:
            body = gzip.decompress(body)
        export = ExportTraceServiceRequest.FromString(body)
        for resource in export.resource_spans:
            received.extend(span for scope in resource.scope_spans for span in scope.spans)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(collect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            **environment,
        },
    )
    assert await asyncio.wait_for(process.wait(), 30) == 0
    server.close()
    return received


async def test_one_trace_spans_processes_and_unsampled_ones_stay_home() -> None:
    spans = {span.name: span for span in await collected()}
    assert {"root", "inner", "continued"} <= set(spans)
    assert not {"unsampled", "unsampled inner"} & set(spans)
    assert len({spans[name].trace_id for name in ("root", "inner", "continued")}) == 1
    assert spans["continued"].parent_span_id == spans["root"].span_id
    assert spans["inner"].parent_span_id == spans["root"].span_id
    assert any(span.parent_span_id == spans["continued"].span_id for span in spans.values()), "no SQL span"


async def test_statements_of_no_call_leave_no_trace() -> None:
    assert [span.name for span in await collected() if not span.parent_span_id] == ["root"]


@pytest.mark.parametrize("ratio", ["0", "0.0"])
async def test_nothing_is_sent_at_ratio_zero(ratio: str) -> None:
    assert await collected(TALLYPORT_TRACE_SAMPLE_RATIO=ratio) == []
