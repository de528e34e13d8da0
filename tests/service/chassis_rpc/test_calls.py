"""Calls between services over real connections: errors, retries, deadlines, replays, streams, draining."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from chassis.caller import Audience, call_scope, current_call, service_call
from chassis.errors import FieldError, Kind, ServiceError
from chassis.rpc.client import as_service, ask, user_metadata
from chassis.rpc.transport import CertificateFiles
from chassis.telemetry import current_traceparent, parse_traceparent, remote_span
from tests.service.chassis_rpc.conftest import EchoMesh
from tests.support.echo import SERVICE, EchoRequest, EchoResponse
from tests.support.wait import until


class Failing:
    """Fails a number of times with one error, then answers."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error = error
        self.left = times
        self.calls = 0

    async def __call__(self, request: Any) -> Any:
        self.calls += 1
        if self.left > 0:
            self.left -= 1
            raise self.error
        return EchoResponse(text=request.text)


def away() -> ServiceError:
    return ServiceError(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "Not now.")


async def failure(call: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize("kind", list(Kind))
async def test_error_arrives_as_it_was_raised(echo: EchoMesh, kind: Kind) -> None:
    fields = (FieldError("lines[0].quantity", "too_many", "Only 3 are left."),)
    sent = ServiceError(
        kind,
        "SOME_REASON",
        "Das geht nicht: 5 €.",
        fields=fields,
        invoice_id="inv_1",
        retry_after_seconds="7",
    )
    echo.servicer.behavior = Failing(sent, 99)
    got = await failure(echo.stub().GetPublic(EchoRequest()))
    assert (got.kind, got.reason, got.message) == (kind, "SOME_REASON", "Das geht nicht: 5 €.")
    assert got.fields == fields
    assert got.metadata == {"invoice_id": "inv_1", "retry_after_seconds": "7"}
    assert got.retry_after_seconds == 7.0


async def test_defect_answers_internal_with_an_id_and_nothing_else(echo: EchoMesh) -> None:
    echo.servicer.behavior = Failing(RuntimeError("SELECT * FROM secrets"), 1)
    got = await failure(echo.stub().GetPublic(EchoRequest(), metadata=user_metadata(request_id="req-5")))
    assert (got.kind, got.reason, got.metadata) == (Kind.INTERNAL, "INTERNAL", {"error_id": "req-5"})
    assert "SELECT" not in got.message


async def test_time_limit_inside_is_deadline_exceeded(echo: EchoMesh) -> None:
    echo.servicer.behavior = Failing(TimeoutError(), 1)
    got = await failure(echo.stub().GetPublic(EchoRequest()))
    assert got.kind is Kind.DEADLINE_EXCEEDED


async def test_keyed_call_is_retried_while_the_service_is_away(echo: EchoMesh) -> None:
    echo.servicer.behavior = failing = Failing(away(), 2)
    metadata = user_metadata(token=echo.mesh.token(Audience.CUSTOMER), idempotency_key="key-1")
    answer = await echo.stub().Pay(EchoRequest(text="paid"), metadata=metadata)
    assert (answer.text, failing.calls) == ("paid", 3)


async def test_read_is_retried_without_a_key(echo: EchoMesh) -> None:
    echo.servicer.behavior = failing = Failing(away(), 1)
    assert (await echo.stub().GetPublic(EchoRequest(text="x"))).text == "x"
    assert failing.calls == 2


async def test_write_without_a_key_is_never_retried(echo: EchoMesh) -> None:
    echo.servicer.behavior = failing = Failing(away(), 1)
    got = await failure(echo.stub("payments").Reserve(EchoRequest(organization_id="org_1")))
    assert (got.reason, failing.calls) == ("DATABASE_UNAVAILABLE", 1)


async def test_service_may_make_its_write_repeatable_with_a_key(echo: EchoMesh) -> None:
    echo.servicer.behavior = failing = Failing(away(), 1)
    reserve = as_service(echo.stub("payments").Reserve, idempotency_key="att_1")
    assert (await reserve(EchoRequest(text="r", organization_id="org_1"))).text == "r"
    assert failing.calls == 2


async def test_other_failures_are_not_retried(echo: EchoMesh) -> None:
    echo.servicer.behavior = failing = Failing(ServiceError(Kind.ABORTED, "TRY_AGAIN", "Again."), 1)
    await failure(echo.stub().GetPublic(EchoRequest()))
    assert failing.calls == 1


async def test_retries_stop_when_the_budget_is_spent(echo: EchoMesh) -> None:
    echo.servicer.behavior = failing = Failing(away(), 10_000)
    stub = echo.stub()
    for _ in range(6):
        await failure(stub.GetPublic(EchoRequest()))
    before = failing.calls
    await failure(stub.GetPublic(EchoRequest()))
    assert failing.calls == before + 1


async def test_deadline_shrinks_at_each_hop(echo: EchoMesh) -> None:
    inner: list[float] = []
    payments = echo.stub("payments")

    async def hop(request: Any) -> Any:
        remaining = current_call().remaining_seconds()
        assert remaining is not None
        inner.append(remaining)
        if request.text == "outer":
            return await payments.Reserve(EchoRequest(text="inner", organization_id="org_1"), timeout=30)
        return EchoResponse(text="done")

    echo.servicer.behavior = hop
    await echo.stub().GetPublic(EchoRequest(text="outer"), timeout=0.9)
    outer_seconds, inner_seconds = inner
    assert outer_seconds <= 0.9
    assert inner_seconds <= outer_seconds - 0.018  # gRPC rounds times below a second up to whole milliseconds


async def test_spent_deadline_fails_before_anything_is_sent(echo: EchoMesh) -> None:
    late = service_call("payments", "org_1")
    expired = type(late)(
        caller=late.caller, method="x", request_id="r", deadline=asyncio.get_running_loop().time() + 0.01
    )
    with call_scope(expired):
        got = await failure(echo.stub("payments").Reserve(EchoRequest()))
    assert got.kind is Kind.DEADLINE_EXCEEDED
    assert echo.servicer.calls == []


async def test_slow_answer_ends_at_the_deadline_and_stops_the_work(echo: EchoMesh) -> None:
    stopped = asyncio.Event()

    async def slow(_request: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    echo.servicer.behavior = slow
    got = await failure(echo.stub().GetPublic(EchoRequest(), timeout=0.2))
    assert (got.kind, got.reason) == (Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    await asyncio.wait_for(stopped.wait(), 5)


async def test_replayed_answer_is_marked(echo: EchoMesh) -> None:
    stub = echo.stub()
    metadata = user_metadata(token=echo.mesh.token(Audience.CUSTOMER), idempotency_key="key-9")
    first = await ask(stub.Pay, EchoRequest(text="one"), metadata=metadata)
    again = await ask(stub.Pay, EchoRequest(text="one"), metadata=metadata)
    assert (first.replayed, again.replayed) == (False, True)
    assert first.message == again.message


async def test_trace_and_request_id_reach_the_next_service(echo: EchoMesh) -> None:
    seen: list[str | None] = []

    async def hop(request: Any) -> Any:
        seen.extend([current_traceparent(), current_call().request_id])
        return EchoResponse(text=request.text)

    echo.servicer.behavior = hop
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with remote_span("test", parse_traceparent(f"00-{trace}-00f067aa0ba902b7-00")):
        await echo.stub().GetPublic(EchoRequest(), metadata=user_metadata(request_id="req-1"))
    assert seen[0] is not None
    assert trace in seen[0]
    assert seen[1] == "req-1"


async def test_stream_is_delivered_and_its_error_too(echo: EchoMesh) -> None:
    metadata = user_metadata(token=echo.mesh.token(Audience.CUSTOMER))
    stub = echo.stub()
    texts = [answer.text async for answer in stub.ListTicks(EchoRequest(text="t"), metadata=metadata)]
    assert texts == ["t0", "t1", "t2"]
    echo.servicer.behavior = Failing(ServiceError(Kind.ABORTED, "GONE", "Gone."), 1)
    stream = stub.ListTicks(EchoRequest(text="t"), metadata=metadata)
    assert [(await anext(stream)).text for _ in range(3)] == ["t0", "t1", "t2"]
    with pytest.raises(ServiceError, match="GONE"):
        await anext(stream)


async def test_stream_without_a_token_is_refused(echo: EchoMesh) -> None:
    with pytest.raises(ServiceError, match="SIGN_IN_REQUIRED"):
        _ = [answer async for answer in echo.stub().ListTicks(EchoRequest())]


async def test_abandoned_stream_stops_its_work(echo: EchoMesh) -> None:
    stopped = asyncio.Event()
    waiting: list[bool] = []

    async def forever(_request: Any) -> Any:
        waiting.append(True)
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    echo.servicer.behavior = forever
    stream = echo.stub().ListTicks(
        EchoRequest(), metadata=user_metadata(token=echo.mesh.token(Audience.CUSTOMER))
    )
    for _ in range(3):
        await anext(stream)
    await until(lambda: waiting)
    await stream.aclose()
    await asyncio.wait_for(stopped.wait(), 5)


async def test_running_calls_finish_while_the_server_drains(echo: EchoMesh) -> None:
    release = asyncio.Event()

    async def held(request: Any) -> Any:
        await release.wait()
        return EchoResponse(text=request.text)

    echo.servicer.behavior = held
    stub = echo.stub()
    running = asyncio.ensure_future(stub.GetPublic(EchoRequest(text="running")))
    await until(lambda: echo.servicer.calls)
    stop = asyncio.create_task(echo.server.stop(4.0))
    late = await failure(stub.GetPublic(EchoRequest(), timeout=1))
    assert late.kind in {Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED}
    release.set()
    assert (await running).text == "running"
    await asyncio.wait_for(stop, 5)
    assert not echo.server.serving


async def test_message_over_the_limit_is_refused(echo: EchoMesh) -> None:
    request = EchoRequest(password="x" * (13 * 1024 * 1024))
    got = await failure(echo.stub().GetPublic(request))
    assert (got.kind, got.reason) == (Kind.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE")


async def test_away_service_is_unavailable_by_name(echo: EchoMesh) -> None:
    stub = echo.stub()
    await echo.server.stop(0)
    got = await failure(stub.GetPublic(EchoRequest(), timeout=1))
    assert (got.kind, got.reason) == (Kind.UNAVAILABLE, "SERVICE_UNAVAILABLE")
    assert got.metadata["service"] == "invoicing"


async def test_health_and_reflection_answer(echo: EchoMesh) -> None:
    credentials = CertificateFiles.of(echo.client_settings("cli")).channel_credentials()
    async with grpc.aio.secure_channel(f"localhost:{echo.server.port}", credentials) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service=SERVICE), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        stream = reflection.ServerReflectionInfo(iter([request]), timeout=5)
        names = [s.name async for reply in stream for s in reply.list_services_response.service]
    assert SERVICE in names
