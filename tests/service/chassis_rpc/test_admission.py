"""Who gets past the boundary, and what the others are told."""

import time
from typing import Any

import grpc
import pytest

from chassis.caller import Audience
from chassis.contract import ContractError
from chassis.errors import Kind, ServiceError
from chassis.rpc.client import connect, user_metadata
from chassis.rpc.server import Server
from chassis.rpc.transport import CertificateFiles
from tests.service.chassis_rpc.conftest import EchoMesh
from tests.support.echo import (
    SERVICE,
    EchoRequest,
    EchoResponse,
    EchoServicer,
    EchoStub,
    add_unmarked_to_server,
)
from tests.support.mesh import Mesh


async def refusal(call: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await call
    return caught.value


async def test_public_method_answers_without_a_token(echo: EchoMesh) -> None:
    answer = await echo.stub().GetPublic(EchoRequest(text="hello"))
    assert answer.text == "hello"
    caller = echo.servicer.calls[0].caller
    assert (caller.audience, caller.peer, caller.organization_id) == (Audience.PUBLIC, "gateway", None)


async def test_staff_token_becomes_the_caller(echo: EchoMesh) -> None:
    token = echo.mesh.token(Audience.STAFF, permissions=frozenset({"reminders.send"}), session_id="ses_1")
    metadata = user_metadata(token=token, locale="de-AT,de;q=0.9", request_id="req-77")
    await echo.stub().SendReminder(EchoRequest(organization_id="org_of_somebody_else"), metadata=metadata)
    call = echo.servicer.calls[0]
    assert call.actor == "person:per_1"
    assert (call.organization_id, call.locale, call.request_id) == ("org_1", "de-AT", "req-77")
    assert call.caller.session_id == "ses_1"


@pytest.mark.parametrize(
    ("method", "kind", "reason"),
    [
        ("GetEverybodys", None, "SIGN_IN_REQUIRED"),
        ("SendReminder", Audience.CUSTOMER, "AUDIENCE_NOT_ALLOWED"),
        ("SendReminder", Audience.STAFF, "PERMISSION_MISSING"),
        ("Pay", Audience.STAFF, "AUDIENCE_NOT_ALLOWED"),
        ("Reserve", None, "PEER_NOT_ALLOWED"),
        ("Reserve", Audience.STAFF, "PEER_NOT_ALLOWED"),
        ("GetShared", None, "SIGN_IN_REQUIRED"),
    ],
)
async def test_gateway_is_refused(echo: EchoMesh, method: str, kind: Audience | None, reason: str) -> None:
    metadata = user_metadata(token=echo.mesh.token(kind) if kind else None)
    error = await refusal(getattr(echo.stub(), method)(EchoRequest(), metadata=metadata))
    assert error.reason == reason
    assert echo.servicer.calls == []


@pytest.mark.parametrize(
    ("peer", "method", "with_token"),
    [
        ("notifications", "Reserve", False),
        ("notifications", "GetPublic", False),
        ("notifications", "GetEverybodys", True),
        ("cli", "GetEverybodys", True),
        ("notifications", "GetShared", False),
    ],
)
async def test_wrong_peer_is_refused_even_with_a_good_token(
    echo: EchoMesh, peer: str, method: str, with_token: bool
) -> None:
    metadata = user_metadata(token=echo.mesh.token(Audience.STAFF) if with_token else None)
    error = await refusal(getattr(echo.stub(peer), method)(EchoRequest(), metadata=metadata))
    assert (error.kind, error.reason) == (Kind.PERMISSION_DENIED, "PEER_NOT_ALLOWED")


async def test_allowed_service_acts_for_the_organization_it_names(echo: EchoMesh) -> None:
    await echo.stub("payments").Reserve(EchoRequest(organization_id="org_9"))
    call = echo.servicer.calls[0]
    assert (call.organization_id, call.actor, call.caller.audience) == (
        "org_9",
        "service:payments",
        Audience.SERVICE,
    )


async def test_connection_without_certificate_gets_no_answer(echo: EchoMesh) -> None:
    credentials = grpc.ssl_channel_credentials(echo.mesh.ca_file.read_bytes())
    async with grpc.aio.secure_channel(f"localhost:{echo.server.port}", credentials) as channel:
        call: Any = channel.unary_unary(f"/{SERVICE}/GetPublic")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_certificate_of_another_authority_gets_no_answer(
    echo: EchoMesh, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Mesh(tmp_path_factory.mktemp("stranger"))
    settings = echo.client_settings("gateway").model_copy(
        update={k: v for k, v in stranger.settings("gateway").items() if k != "tls_ca_file"}
    )
    async with connect(settings, "invoicing") as channel:
        error = await refusal(EchoStub(channel).GetPublic(EchoRequest(), timeout=2))
    assert error.reason in {"SERVICE_UNAVAILABLE", "DEADLINE_EXCEEDED"}


async def test_client_refuses_a_server_with_another_services_certificate(echo: EchoMesh) -> None:
    settings = echo.client_settings("gateway")
    wrong = settings.model_copy(update={"payments_address": settings.invoicing_address})
    async with connect(wrong, "payments") as channel:
        error = await refusal(EchoStub(channel).GetPublic(EchoRequest(), timeout=2))
    assert error.reason in {"SERVICE_UNAVAILABLE", "DEADLINE_EXCEEDED"}


async def test_call_without_deadline_is_refused(echo: EchoMesh) -> None:
    credentials = CertificateFiles.of(echo.client_settings("gateway")).channel_credentials()
    async with grpc.aio.secure_channel(f"localhost:{echo.server.port}", credentials) as channel:
        call: Any = channel.unary_unary(
            f"/{SERVICE}/GetPublic", response_deserializer=EchoResponse.FromString
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"")
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "deadline" in str(caught.value.details())


async def test_step_up_must_be_fresh(echo: EchoMesh) -> None:
    now = int(time.time())
    stub = echo.stub()
    stale = echo.mesh.token(Audience.STAFF, authenticated_at_seconds=now - 301)
    error = await refusal(stub.ChangeBank(EchoRequest(), metadata=user_metadata(token=stale)))
    assert (error.kind, error.reason) == (Kind.PERMISSION_DENIED, "STEP_UP_REQUIRED")
    fresh = echo.mesh.token(Audience.STAFF, authenticated_at_seconds=now - 60)
    assert await stub.ChangeBank(EchoRequest(text="x"), metadata=user_metadata(token=fresh))


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (None, "IDEMPOTENCY_KEY_REQUIRED"),
        ("", "IDEMPOTENCY_KEY_REQUIRED"),
        ("k" * 256, "IDEMPOTENCY_KEY_INVALID"),
    ],
)
async def test_method_that_moves_money_demands_a_key(echo: EchoMesh, key: str | None, reason: str) -> None:
    metadata = user_metadata(token=echo.mesh.token(Audience.CUSTOMER), idempotency_key=key)
    error = await refusal(echo.stub().Pay(EchoRequest(), metadata=metadata))
    assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, reason)


async def test_fingerprint_tells_requests_apart(echo: EchoMesh) -> None:
    stub = echo.stub()
    for number, text in enumerate(["a", "a", "b"]):
        metadata = user_metadata(token=echo.mesh.token(Audience.PAY_LINK), idempotency_key=f"key-{number}")
        await stub.Pay(EchoRequest(text=text), metadata=metadata)
    first, second, third = (call.fingerprint for call in echo.servicer.calls)
    assert first == second != third
    assert len(first) == 32


async def test_each_wrong_field_is_named(echo: EchoMesh) -> None:
    request = EchoRequest(text="far too long for this field")
    request.lines.add(quantity=1)
    request.lines.add(quantity=-1)
    error = await refusal(echo.stub().GetPublic(request))
    assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert [(field.field, field.code) for field in error.fields] == [
        ("text", "string.max_len"),
        ("lines[1].quantity", "int64.gte"),
    ]
    assert all(field.message for field in error.fields)


async def test_server_with_an_unmarked_method_is_not_built(echo: EchoMesh) -> None:
    with pytest.raises(ContractError, match="Leak has no access option"):
        Server(echo.settings, [(add_unmarked_to_server, EchoServicer())])


async def test_renewed_certificate_is_used_without_a_restart(echo: EchoMesh) -> None:
    assert (await echo.stub().GetPublic(EchoRequest(text="1"))).text == "1"
    for name in ("invoicing.pem", "ca.pem"):
        (echo.mesh.folder / name).touch()
    assert (await echo.stub("payments").GetShared(EchoRequest(text="2"))).text == "2"
