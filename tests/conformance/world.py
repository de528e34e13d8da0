"""The running mesh as everybody meets it: calls as any peer with any token, and what the contracts say of methods."""

import time
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.caller import Audience
from chassis.contract import access_of, all_methods, needs_idempotency_key
from chassis.errors import ServiceError
from chassis.ids import new_id
from chassis.rpc.client import Channel
from tests.support.stack import RunningStack

METHODS = all_methods()
USERS = (Audience.CUSTOMER, Audience.STAFF, Audience.PAY_LINK)
ID_FIELDS = {
    "customer_id": "cus",
    "invoice_id": "inv",
    "document_id": "inv",
    "payment_id": "pay",
    "item_id": "itm",
    "import_id": "imp",
    "message_id": "msg",
    "person_id": "per",
    "api_key_id": "key",
    "session_id": "ses",
    "proposal_id": "cpr",
    "schedule_id": "sch",
    "trigger_id": "trg",
    "credit_note_id": "crn",
    "plan_id": "ipl",
    "promise_id": "prm",
    "dispute_id": "dsp",
    "pause_id": "dpa",
    "notice_id": "dnn",
    "test_clock_id": "clk",
    "refund_id": "ref",
    "chargeback_id": "cbk",
    "payment_method_id": "pm",
    "setup_id": "pms",
    "run_id": "apr",
    "bank_line_id": "bln",
    "match_rule_id": "mru",
    "payout_id": "po",
    "claim_id": "tcl",
}


def owner_of(path: str) -> str:
    service = path.split(".")[1]
    return "identity" if service == "common" else service


def for_users() -> list[str]:
    return [path for path, m in METHODS.items() if access_of(m).audiences & set(USERS)]


def with_foreign_id(audience: Audience) -> list[str]:
    """Methods that such a caller may use and whose request names one thing by id."""
    return [
        path
        for path, method in METHODS.items()
        if audience in access_of(method).audiences
        and method.input_type.fields
        and method.input_type.fields[0].name in ID_FIELDS
    ]


@dataclass
class World:
    """Real things of the demo organization, its id, and channels to every service as each peer."""

    stack: RunningStack
    organization_id: str
    ids: dict[str, str]
    other_customer_id: str
    other_organization_id: str
    channels: dict[tuple[str, str], Channel]

    async def call(
        self, path: str, message: Message, *, peer: str = "gateway", token: str | None = None
    ) -> Message:
        """Calls a method and returns the answer. Raises ServiceError."""
        method = METHODS[path]
        channel = self.channels.get((owner_of(path), peer))
        if channel is None:
            channel = self.stack.channel(owner_of(path), peer=peer)
            self.channels[owner_of(path), peer] = channel
        metadata = [("idempotency-key", new_id("key"))] if needs_idempotency_key(method) else []
        if token is not None:
            metadata.append(("authorization", f"Bearer {token}"))
        answer_class = GetMessageClass(method.output_type)
        if method.server_streaming:
            stream = channel.unary_stream(path, type(message).SerializeToString, answer_class.FromString)
            first: Message = await anext(aiter(stream(message, timeout=10, metadata=metadata)))
            return first
        call = channel.unary_unary(path, type(message).SerializeToString, answer_class.FromString)
        answer: Message = await call(message, timeout=10, metadata=metadata)
        return answer

    async def refusal(
        self, path: str, message: Message, *, peer: str = "gateway", token: str | None = None
    ) -> ServiceError:
        """The error of a call that must not succeed."""
        try:
            answer = await self.call(path, message, peer=peer, token=token)
        except ServiceError as error:
            return error
        pytest.fail(f"{path} answered {answer}")

    def token(self, audience: Audience, *, permissions: frozenset[str], **claims: Any) -> str:
        """A token of somebody of the demo organization, or of another where `organization_id` says so."""
        defaults: dict[str, Any] = {
            "organization_id": self.organization_id,
            "subject_id": new_id("per"),
            "customer_id": self.ids["customer_id"] if audience is not Audience.STAFF else None,
            "invoice_id": self.ids["invoice_id"] if audience is Audience.PAY_LINK else None,
            "session_id": new_id("ses"),
            "authenticated_at_seconds": int(time.time()),
            "expires_at_seconds": int(time.time()) + 300,
        }
        return self.stack.token(audience, permissions=permissions, **(defaults | claims))


def all_permissions() -> frozenset[str]:
    return frozenset(access_of(m).permission for m in METHODS.values()) - {""}
