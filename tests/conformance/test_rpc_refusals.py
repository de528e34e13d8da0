"""Every method of the mesh refuses whom its contract does not name; the cases are made from the descriptors.

A foreign id looks like one that does not exist, whoever asks: same status, same reason, same words.
"""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.caller import Audience
from chassis.contract import SERVICES, access_of, all_methods, needs_idempotency_key
from chassis.errors import Kind, ServiceError
from chassis.ids import new_id
from chassis.rpc.client import Channel
from tallyport.identity.v1 import organizations_pb2
from tallyport.invoicing.v1 import customer_proposals_pb2, customers_pb2
from tests.support.stack import PASSWORD, RunningStack
from tests.support.wait import until

pytestmark = pytest.mark.xdist_group("stack")

METHODS = all_methods()
USERS = (Audience.CUSTOMER, Audience.STAFF, Audience.PAY_LINK)
ID_FIELDS = {
    "customer_id": "cus",
    "invoice_id": "inv",
    "payment_id": "pay",
    "item_id": "itm",
    "import_id": "imp",
    "message_id": "msg",
    "person_id": "per",
    "api_key_id": "key",
    "session_id": "ses",
    "proposal_id": "cpr",
}
WORDS = {
    "email": "nobody@nowhere.example",
    "password": "a-long-enough-password",
    "name": "Nobody",
    "reason": "because",
    "token": "tok_visa_of_nobody_at_all",
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


def filled(method: MethodDescriptor, ids: dict[str, str]) -> Message:
    """A request that passes the field rules, naming `ids` where it names things."""
    message = GetMessageClass(method.input_type)()
    _fill(message, method.input_type, ids)
    return message


def _fill(message: Any, descriptor: Descriptor, ids: dict[str, str]) -> None:
    chosen: set[str] = set()
    for field in descriptor.fields:
        oneof = field.containing_oneof
        if oneof is not None and (oneof.name in chosen or len(oneof.fields) == 1):
            continue
        if oneof is not None:
            chosen.add(oneof.name)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            _fill_message(message, field, ids)
        elif field.is_repeated:
            continue
        elif field.type == FieldDescriptor.TYPE_STRING:
            setattr(message, field.name, _text(field.name, ids))
        elif field.type == FieldDescriptor.TYPE_ENUM and field.name in ("role", "method"):
            setattr(message, field.name, 3)
        elif field.type == FieldDescriptor.TYPE_BYTES:
            setattr(message, field.name, b"x")


def _fill_message(message: Any, field: FieldDescriptor, ids: dict[str, str]) -> None:
    assert field.message_type is not None
    if field.message_type.full_name == "tallyport.common.v1.Money":
        if field.is_repeated:
            return
        getattr(message, field.name).minor_units = 100
        getattr(message, field.name).currency = "USD"
    elif field.message_type.full_name == "google.protobuf.Timestamp":
        getattr(message, field.name).seconds = int(time.time()) + 600
    elif field.is_repeated:
        if not field.message_type.GetOptions().map_entry:
            _fill(getattr(message, field.name).add(), field.message_type, ids)
    elif field.name in ("hosted_page", "card_token", "data"):
        getattr(message, field.name).SetInParent()
        _fill(getattr(message, field.name), field.message_type, ids)


def _text(name: str, ids: dict[str, str]) -> str:
    if name in ids:
        return ids[name]
    if name == "return_url":
        return "http://localhost/pay/return"
    if name in ("invoice_date", "due_date", "received_on"):
        return "2026-01-31"
    if name in ("quantity", "tax_rate_percent"):
        return "1"
    return next((word for part, word in WORDS.items() if name.endswith(part)), "")


def _a_real_one(api: Any, path: str, noun: str, field: str) -> str:
    rows = api.get(path).raise_for_status().json()[noun]
    found: str = (rows[0].get("customer") or rows[0])[field]
    return found


def _has_paid(api: Any, person: Any) -> bool:
    path = f"/v1/invoices?customer_id={person['customer_id']}&filter=paid&page_size=1"
    return bool(api.get(path).raise_for_status().json()["invoices"])


async def _a_proposal(world: World) -> str:
    """What the customer wants changed."""
    path = "/tallyport.invoicing.v1.CustomerProposals/ProposeCustomerChange"
    request = customer_proposals_pb2.ProposeCustomerChangeRequest(
        customer_id=world.ids["customer_id"],
        data=customer_proposals_pb2.ProposedCustomerData(legal_name="Somebody Else Ltd."),
    )
    made: Any = await world.call(
        path, request, token=world.token(Audience.CUSTOMER, permissions=all_permissions())
    )
    found: str = made.proposal.proposal_id
    return found


async def _another_organization(world: World) -> str:
    """A second business on the same mesh, known to all services when this returns."""
    path = "/tallyport.identity.v1.Organizations/CreateOrganization"
    request = organizations_pb2.CreateOrganizationRequest(
        slug="rival",
        name="Rival Inc.",
        currency="USD",
        time_zone="UTC",
        locale="en",
        contact_email="billing@rival.example",
        owner_name="Rita",
        owner_email="rita@rival.example",
        owner_password=PASSWORD,
    )
    made: Any = await world.call(path, request, peer="cli")
    token = world.token(Audience.STAFF, permissions=all_permissions(), organization_id=made.organization_id)

    async def is_known() -> bool:
        overviews = (
            "invoicing.v1.Invoices/GetReceivablesOverview",
            "payments.v1.Payments/GetPaymentsOverview",
        )
        for name in overviews:
            path = f"/tallyport.{name}"
            try:
                await world.call(path, filled(METHODS[path], {}), token=token)
            except ServiceError as error:
                if error.reason == "ORGANIZATION_NOT_READY":
                    return False
                raise
        return True

    await until(is_known)
    found: str = made.organization_id
    return found


@pytest_asyncio.fixture(scope="module")
async def world(stack: RunningStack) -> AsyncIterator[World]:
    with stack.api("Owner") as api:
        people = api.get("/v1/people").raise_for_status().json()["people"]
        payer = next(person for person in people if person["customer_id"] and _has_paid(api, person))
        customer_id = payer["customer_id"]
        query = f"?customer_id={customer_id}&filter=paid"
        invoice_id = _a_real_one(api, f"/v1/invoices{query}", "invoices", "invoice_id")
        ids = {
            "customer_id": customer_id,
            "invoice_id": invoice_id,
            "payment_id": _a_real_one(
                api, f"/v1/payments?customer_id={customer_id}", "payments", "payment_id"
            ),
            "item_id": _a_real_one(api, "/v1/items", "items", "item_id"),
            "message_id": _a_real_one(api, "/v1/messages", "messages", "message_id"),
            "person_id": payer["person_id"],
            "session_id": api.get("/v1/sessions").raise_for_status().json()["sessions"][0]["session_id"],
        }
        body = {"name": "refusals", "role": "auditor"}
        ids["api_key_id"] = (
            api.post("/v1/api-keys", json=body).raise_for_status().json()["api_key"]["api_key_id"]
        )
        file = {"file_name": "none.csv", "content": "YQ==", "dry_run": True}
        made = api.post("/v1/imports", json=file, headers={"Idempotency-Key": new_id("key")})
        ids["import_id"] = made.json().get("import_id") or new_id("imp")
        others = api.get("/v1/customers").raise_for_status().json()["customers"]
        other = next(
            row["customer"]["customer_id"] for row in others if row["customer"]["customer_id"] != customer_id
        )
        organization_id = api.get("/v1/organization").raise_for_status().json()["organization_id"]
    found = World(stack, organization_id, ids, other, "", {})
    ids["proposal_id"] = await _a_proposal(found)
    found.other_organization_id = await _another_organization(found)
    yield found
    for channel in found.channels.values():
        await channel.close()


def test_the_contracts_have_methods_for_every_kind_of_caller() -> None:
    assert len(for_users()) > 40
    assert all(len(with_foreign_id(audience)) > 3 for audience in USERS)


@pytest.mark.parametrize("path", for_users())
async def test_without_a_session_nothing_opens(world: World, path: str) -> None:
    error = await world.refusal(path, filled(METHODS[path], world.ids))
    assert (error.kind, error.reason) == (Kind.UNAUTHENTICATED, "SIGN_IN_REQUIRED")


@pytest.mark.parametrize("path", for_users())
async def test_the_wrong_kind_of_account_is_refused(world: World, path: str) -> None:
    for audience in set(USERS) - access_of(METHODS[path]).audiences:
        token = world.token(audience, permissions=all_permissions())
        error = await world.refusal(path, filled(METHODS[path], world.ids), token=token)
        assert (error.kind, error.reason) == (Kind.PERMISSION_DENIED, "AUDIENCE_NOT_ALLOWED"), audience


@pytest.mark.parametrize("path", [path for path in for_users() if access_of(METHODS[path]).permission])
async def test_a_role_without_the_permission_is_refused(world: World, path: str) -> None:
    access = access_of(METHODS[path])
    for audience in access.audiences & {Audience.STAFF, Audience.CUSTOMER}:
        token = world.token(audience, permissions=all_permissions() - {access.permission})
        error = await world.refusal(path, filled(METHODS[path], world.ids), token=token)
        assert (error.kind, error.reason) == (Kind.PERMISSION_DENIED, "PERMISSION_MISSING"), audience


@pytest.mark.parametrize("path", list(METHODS))
async def test_a_service_that_the_contract_does_not_name_is_refused(world: World, path: str) -> None:
    access = access_of(METHODS[path])
    user_methods = access.audiences != {Audience.SERVICE}
    for peer in (*SERVICES, "gateway", "cli"):
        if peer in access.callers or (peer == "gateway" and user_methods):
            continue
        error = await world.refusal(path, filled(METHODS[path], world.ids), peer=peer)
        assert (error.kind, error.reason) == (Kind.PERMISSION_DENIED, "PEER_NOT_ALLOWED"), peer


def cases() -> Iterator[Any]:
    for audience in USERS:
        for path in with_foreign_id(audience):
            yield pytest.param(path, audience, id=f"{audience.value}-{path.rpartition('.')[2]}")


@pytest.mark.parametrize(("path", "audience"), list(cases()))
async def test_a_thing_of_another_organization_looks_like_one_that_does_not_exist(
    world: World, path: str, audience: Audience
) -> None:
    method = METHODS[path]
    field = method.input_type.fields[0].name
    nowhere = {**world.ids, field: new_id(ID_FIELDS[field])}
    claims = {
        "organization_id": world.other_organization_id,
        "customer_id": None if audience is Audience.STAFF else new_id("cus"),
        "invoice_id": new_id("inv") if audience is Audience.PAY_LINK else None,
    }
    token = world.token(audience, permissions=all_permissions(), **claims)
    foreign = await world.refusal(path, filled(method, world.ids), token=token)
    missing = await world.refusal(path, filled(method, nowhere), token=token)
    assert foreign.kind is Kind.NOT_FOUND
    assert (foreign.kind, foreign.reason, foreign.message) == (missing.kind, missing.reason, missing.message)


@pytest.mark.parametrize(
    ("path", "audience"),
    [
        case
        for case in cases()
        if case.values[1] is not Audience.STAFF and not case.values[0].endswith("RevokeSession")
    ],
)
async def test_a_thing_of_another_customer_looks_like_one_that_does_not_exist(
    world: World, path: str, audience: Audience
) -> None:
    method = METHODS[path]
    field = method.input_type.fields[0].name
    nowhere = {**world.ids, field: new_id(ID_FIELDS[field])}
    claims = {
        "customer_id": world.other_customer_id,
        "invoice_id": new_id("inv") if audience is Audience.PAY_LINK else None,
    }
    token = world.token(audience, permissions=all_permissions(), **claims)
    foreign = await world.refusal(path, filled(method, world.ids), token=token)
    missing = await world.refusal(path, filled(method, nowhere), token=token)
    assert foreign.kind is Kind.NOT_FOUND
    assert (foreign.kind, foreign.reason, foreign.message) == (missing.kind, missing.reason, missing.message)


async def test_who_stands_above_sees_who_stands_below_and_nobody_else_does(world: World) -> None:
    staff = world.token(Audience.STAFF, permissions=all_permissions())
    customers = "/tallyport.invoicing.v1.Customers"
    made: list[Any] = [
        await world.call(
            f"{customers}/CreateCustomer", customers_pb2.CreateCustomerRequest(name=name), token=staff
        )
        for name in ("Kin above", "Kin below", "Kin beside")
    ]
    above, below, beside = (one.customer_id for one in made)
    for child in (below, beside):
        move = customers_pb2.SetCustomerParentRequest(customer_id=child, parent_customer_id=above)
        await world.call(f"{customers}/SetCustomerParent", move, token=staff)
    paths = [
        path
        for path in with_foreign_id(Audience.CUSTOMER)
        if METHODS[path].input_type.fields[0].name == "customer_id"
    ]
    seen_from_above = {"GetCustomer", "GetAccountSummary", "ListSubsidiaries"}
    assert seen_from_above <= {path.rpartition("/")[2] for path in paths}
    for path in paths:
        for owner, seers in ((below, (above, beside)), (above, (below, beside))):
            request = filled(METHODS[path], {**world.ids, "customer_id": owner})
            for seer in seers:
                token = world.token(Audience.CUSTOMER, permissions=all_permissions(), customer_id=seer)
                if seer == above:
                    if path.rpartition("/")[2] in seen_from_above:
                        await world.call(path, request, token=token)
                    continue
                refused = await world.refusal(path, request, token=token)
                assert refused.kind in (Kind.NOT_FOUND, Kind.INVALID_ARGUMENT), (path, seer)


async def test_the_same_call_by_the_right_caller_succeeds(world: World) -> None:
    """The negative control: what the cases above refuse is a working call."""
    token = world.token(Audience.CUSTOMER, permissions=all_permissions())
    path = "/tallyport.invoicing.v1.Invoices/GetInvoice"
    answer: Any = await world.call(path, filled(METHODS[path], world.ids), token=token)
    assert answer.invoice_id == world.ids["invoice_id"]
