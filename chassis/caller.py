"""Who is calling, and with what: one context variable set at the boundary and read by operations."""

import asyncio
import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chassis.errors import Kind, ServiceError, not_found


class Audience(StrEnum):
    """The kind of party that a method is made for. SERVICE is proven by certificate alone."""

    PUBLIC = "public"
    CUSTOMER = "customer"
    STAFF = "staff"
    PAY_LINK = "pay_link"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The verified party behind a call. `peer` is the service at the other end of the connection."""

    audience: Audience
    peer: str
    organization_id: str | None = None
    subject_id: str | None = None
    subject_name: str | None = None
    customer_id: str | None = None
    invoice_id: str | None = None
    permissions: frozenset[str] = frozenset()
    session_id: str | None = None
    authenticated_at: datetime | None = None

    @property
    def actor(self) -> str:
        """Who did it, for audit logs: a person, a pay link, a service, or the public."""
        if self.audience is Audience.PUBLIC:
            return "public"
        if self.audience is Audience.SERVICE or self.subject_id is None:
            return f"service:{self.peer}"
        if self.audience is Audience.PAY_LINK:
            return f"pay_link:{self.subject_id}"
        return f"person:{self.subject_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `deadline` is in the event loop's time; `fingerprint` is SHA-256 of method and request."""

    caller: Caller
    method: str
    request_id: str
    idempotency_key: str | None = None
    fingerprint: bytes = b""
    locale: str = ""
    """What the person reads; empty when the call did not say."""
    deadline: float | None = None
    client_address: str = ""
    """Where the person's device called from, as the gateway saw it; empty for everybody else's calls."""

    @property
    def organization_id(self) -> str:
        """The tenant, from the token and never from a request. UNAUTHENTICATED if the caller has none."""
        organization_id = self.caller.organization_id
        if organization_id is None:
            raise ServiceError(Kind.UNAUTHENTICATED, "SIGN_IN_REQUIRED", "Please sign in first.")
        return organization_id

    @property
    def actor(self) -> str:
        """`person:per_x`, `pay_link:plk_x`, `service:payments` or `public`."""
        return self.caller.actor

    def may_see_customer(self, customer_id: str, noun: str = "customer") -> None:
        """A customer's people see that customer's things only; anybody else's `noun` is NOT_FOUND."""
        caller = self.caller
        if caller.audience in (Audience.CUSTOMER, Audience.PAY_LINK):
            if caller.customer_id is None or caller.customer_id != customer_id:
                raise not_found(noun)
        elif caller.audience is Audience.PUBLIC:
            raise not_found(noun)

    def remaining_seconds(self) -> float | None:
        """Time left, never below 0; None when the work has no deadline."""
        if self.deadline is None:
            return None
        return max(0.0, self.deadline - asyncio.get_running_loop().time())


_call: ContextVar[Call] = ContextVar("tallyport_call")


def current_call() -> Call:
    """The call being served. Outside of one this is a defect, hence LookupError."""
    return _call.get()


def current_call_or_none() -> Call | None:
    """For infrastructure that also runs outside calls, such as logging and database time limits."""
    return _call.get(None)


def enter_call(call: Call) -> None:
    """Sets the call for the rest of this task: for the boundary, which has one task per call."""
    _call.set(call)


@contextmanager
def call_scope(call: Call) -> Iterator[Call]:
    """Runs a block on behalf of `call`: consumers, jobs and tests."""
    token = _call.set(call)
    try:
        yield call
    finally:
        _call.reset(token)


def service_call(
    service: str,
    organization_id: str | None,
    *,
    method: str = "background",
    idempotency_key: str | None = None,
) -> Call:
    """A call that a service makes on its own account, for background work."""
    caller = Caller(audience=Audience.SERVICE, peer=service, organization_id=organization_id)
    return Call(
        caller=caller,
        method=method,
        request_id=uuid.uuid4().hex,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint(method, b""),
    )


def fingerprint(method: str, request: bytes) -> bytes:
    """Tells a repeated request from another one that reuses its idempotency key."""
    return hashlib.sha256(method.encode() + b"\n" + request).digest()
