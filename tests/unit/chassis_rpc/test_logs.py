"""Log lines are JSON, name their call, and hold no secrets."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from chassis.caller import call_scope, service_call
from chassis.logs import configure_logging, describe_exception
from chassis.telemetry import parse_traceparent, remote_span
from tallyport.identity.v1 import sessions_pb2


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("payments", "INFO")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_line_names_service_call_and_trace(lines: Any) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    with (
        remote_span("x", parse_traceparent(f"00-{trace_id}-00f067aa0ba902b7-01")),
        call_scope(service_call("payments", "org_1")) as call,
    ):
        structlog.get_logger().info("paid\r\nforged line", amount_minor_units=5)
    (line,) = lines()
    assert line["event"] == "paid\r\nforged line"
    assert (line["service"], line["organization_id"]) == ("payments", "org_1")
    assert (line["request_id"], line["trace_id"]) == (call.request_id, trace_id)
    assert line["level"] == "info"


def test_secrets_and_personal_data_are_left_out(lines: Any) -> None:
    request = sessions_pb2.LoginRequest(email="ada@example.com", password="hunter2", device="Firefox")
    structlog.get_logger().info(
        "login", request=request, authorization="Bearer abc", nested={"api_key": "k-123", "email": "a@b.c"}
    )
    (line,) = lines()
    text = json.dumps(line)
    for secret in ("ada@example.com", "hunter2", "abc", "k-123", "a@b.c"):
        assert secret not in text
    assert line["request"]["device"] == "Firefox"


def test_exception_keeps_frames_and_drops_values(lines: Any) -> None:
    try:
        raise ValueError("duplicate key\nDETAIL: Key (email)=(ada@example.com) already exists.")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed too")
    for line in lines():
        assert "ValueError: duplicate key" in line["exception"]
        assert "test_logs.py" in line["exception"]
        assert "ada@example.com" not in json.dumps(line)


def test_causes_and_groups_are_described() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ExceptionGroup("several", [ValueError("a"), TypeError("b")]) from error
    except ExceptionGroup as group:
        text = describe_exception(group)
    for part in ("several", "ValueError: a", "TypeError: b", "KeyError: 'inner'"):
        assert part in text
