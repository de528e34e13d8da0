"""Whether a call may enter: by its time, the peer's certificate, the user's token and the contract."""

import asyncio
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from chassis import contract
from chassis.caller import Audience, Call, Caller, fingerprint
from chassis.errors import Kind, ServiceError
from chassis.rpc.tokens import TokenVerifier

GATEWAY: Final = "gateway"
SPIFFE_PREFIX: Final = b"spiffe://tallyport/"
MINIMUM_SECONDS: Final = 0.01
"""A call with less time left than this is refused at once: the answer could not arrive in time."""
MAXIMUM_SECONDS: Final = 60.0
"""Unary calls never get more time than this, whatever the caller asks for."""
STEP_UP_SECONDS: Final = 300
MAX_KEY_CHARACTERS: Final = 255

_REQUEST_ID = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")
_LOCALE = re.compile(r"\A[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}\Z")
_KEY = re.compile(r"\A[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?\Z")
_USERS = frozenset({Audience.CUSTOMER, Audience.STAFF, Audience.PAY_LINK})

Metadata = Mapping[str, str | bytes]


def peer_of(context: grpc.aio.ServicerContext[Message, Message]) -> str:
    """The service at the other end, by its certificate. UNAUTHENTICATED for anybody else's certificate."""
    names: Iterable[bytes] = context.auth_context().get("x509_subject_alternative_name") or ()
    ours = [name for name in names if name.startswith(SPIFFE_PREFIX)]
    if len(ours) != 1:
        raise ServiceError(
            Kind.UNAUTHENTICATED, "PEER_UNKNOWN", "This connection has no service's certificate."
        )
    return ours[0][len(SPIFFE_PREFIX) :].decode("ascii", "replace")


def request_id_of(metadata: Metadata) -> str:
    """The caller's request id if it is a decent one, else a new one."""
    given = metadata.get("x-request-id")
    return given if isinstance(given, str) and _REQUEST_ID.match(given) else uuid.uuid4().hex


class Admission:
    """The checks of one method, with all that the contract says worked out beforehand."""

    def __init__(
        self, method: MethodDescriptor, verifier: TokenVerifier, *, now: Callable[[], datetime], streams: bool
    ) -> None:
        access = contract.access_of(method)
        self.path = contract.path_of(method)
        self._verifier = verifier
        self._now = now
        self._maximum_seconds = float("inf") if streams else MAXIMUM_SECONDS
        self._audiences = access.audiences
        self._has_users = bool(access.audiences & _USERS)
        self._user_peers = access.callers | {GATEWAY}
        self._service_peers = _service_peers(access)
        self._permission = access.permission
        self._step_up = access.step_up
        self._needs_key = contract.needs_idempotency_key(method)
        self._names_organization = "organization_id" in method.input_type.fields_by_name

    def deadline(self, remaining_seconds: float | None) -> float:
        """The call's end in the loop's time. DEADLINE_EXCEEDED without one or with too little left."""
        if remaining_seconds is None:
            raise ServiceError(
                Kind.DEADLINE_EXCEEDED, "DEADLINE_REQUIRED", "Every call must name a deadline."
            )
        if remaining_seconds < MINIMUM_SECONDS:
            raise ServiceError(Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "This took longer than allowed.")
        return asyncio.get_running_loop().time() + min(remaining_seconds, self._maximum_seconds)

    def caller(self, peer: str, metadata: Metadata, request: Message) -> Caller:
        """Who calls, allowed to use this method; else UNAUTHENTICATED or PERMISSION_DENIED."""
        authorization = metadata.get("authorization") if self._has_users else None
        if authorization is not None:
            return self._user(peer, authorization)
        if peer in self._service_peers:
            organization_id = getattr(request, "organization_id") if self._names_organization else None  # noqa: B009
            return Caller(audience=Audience.SERVICE, peer=peer, organization_id=organization_id or None)
        if peer not in self._user_peers or self._audiences == {Audience.SERVICE}:
            raise ServiceError(
                Kind.PERMISSION_DENIED, "PEER_NOT_ALLOWED", f"The service {peer} may not call this method."
            )
        if Audience.PUBLIC in self._audiences:
            return Caller(audience=Audience.PUBLIC, peer=peer)
        raise ServiceError(Kind.UNAUTHENTICATED, "SIGN_IN_REQUIRED", "Please sign in first.")

    def _user(self, peer: str, authorization: str | bytes) -> Caller:
        if peer not in self._user_peers:
            raise ServiceError(
                Kind.PERMISSION_DENIED, "PEER_NOT_ALLOWED", f"The service {peer} may not call for users."
            )
        scheme, _, token = str(authorization).partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ServiceError(Kind.UNAUTHENTICATED, "TOKEN_INVALID", "Please sign in again.")
        caller = self._verifier.verify(token.strip()).caller(peer)
        if Audience.PUBLIC in self._audiences:
            return caller
        if caller.audience not in self._audiences:
            raise ServiceError(
                Kind.PERMISSION_DENIED, "AUDIENCE_NOT_ALLOWED", "This is not open to your kind of account."
            )
        self._check_permission(caller)
        self._check_step_up(caller)
        return caller

    def _check_permission(self, caller: Caller) -> None:
        needed = self._permission
        if needed and caller.audience is not Audience.PAY_LINK and needed not in caller.permissions:
            raise ServiceError(
                Kind.PERMISSION_DENIED, "PERMISSION_MISSING", "You may not do this.", permission=needed
            )

    def _check_step_up(self, caller: Caller) -> None:
        if not self._step_up:
            return
        at = caller.authenticated_at
        if at is None or (self._now() - at).total_seconds() > STEP_UP_SECONDS:
            raise ServiceError(
                Kind.PERMISSION_DENIED, "STEP_UP_REQUIRED", "Please confirm that it is you and try again."
            )

    def call(
        self, caller: Caller, metadata: Metadata, request: Message, *, request_id: str, deadline: float
    ) -> Call:
        """The call as operations see it. INVALID_ARGUMENT when a demanded idempotency key is missing."""
        key, mark = None, b""
        if self._needs_key:
            key = _idempotency_key(metadata)
            mark = fingerprint(self.path, request.SerializeToString(deterministic=True))
        return Call(
            caller=caller,
            method=self.path,
            request_id=request_id,
            idempotency_key=key,
            fingerprint=mark,
            locale=_locale(metadata),
            deadline=deadline,
            client_address=_client_address(caller, metadata),
        )


def _service_peers(access: contract.Access) -> frozenset[str]:
    """Peers that call on their own account.

    Where users or the public may call too, the gateway without a token is a visitor and never a service.
    """
    if access.audiences == {Audience.SERVICE}:
        return access.callers
    return access.callers - {GATEWAY} if Audience.SERVICE in access.audiences else frozenset()


def _idempotency_key(metadata: Metadata) -> str:
    key = metadata.get("idempotency-key")
    if key is None or key == "":
        raise ServiceError(
            Kind.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REQUIRED", "This call needs an Idempotency-Key."
        )
    if not isinstance(key, str) or not _KEY.match(key):
        raise ServiceError(
            Kind.INVALID_ARGUMENT,
            "IDEMPOTENCY_KEY_INVALID",
            f"An Idempotency-Key has 1 to {MAX_KEY_CHARACTERS} printable characters.",
        )
    return key


def _locale(metadata: Metadata) -> str:
    given = metadata.get("accept-language")
    if not isinstance(given, str):
        return ""
    first = given.split(",", 1)[0].split(";", 1)[0].strip()
    return first if _LOCALE.match(first) else ""


def _client_address(caller: Caller, metadata: Metadata) -> str:
    """Only the gateway sees devices, so only its word counts."""
    given = metadata.get("x-client-address")
    return given[:64] if isinstance(given, str) and caller.peer == GATEWAY else ""


def utc_now() -> datetime:
    """The wall clock; tokens and step-up go by it even where an organization's test clock does not."""
    return datetime.now(UTC)
