"""Every method of the mesh refuses whom its contract does not name; the cases are made from the descriptors.

A foreign id looks like one that does not exist, whoever asks: same status, same reason, same words.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from chassis.caller import Audience
from chassis.contract import SERVICES, access_of
from chassis.errors import Kind
from chassis.ids import new_id
from tallyport.invoicing.v1 import customers_pb2
from tests.conformance.requests import filled
from tests.conformance.things import a_proposal, another_organization, other_customer, real_things
from tests.conformance.world import (
    ID_FIELDS,
    METHODS,
    USERS,
    World,
    all_permissions,
    for_users,
    with_foreign_id,
)
from tests.support.stack import RunningStack

pytestmark = pytest.mark.xdist_group("stack")


@pytest_asyncio.fixture(scope="module")
async def world(stack: RunningStack) -> AsyncIterator[World]:
    with stack.api("Owner") as api:
        ids = await real_things(stack, api)
        other = other_customer(api)
        organization_id = api.get("/v1/organization").raise_for_status().json()["organization_id"]
    found = World(stack, organization_id, ids, other, "", {})
    ids["proposal_id"] = await a_proposal(found)
    found.other_organization_id = await another_organization(found)
    yield found
    for channel in found.channels.values():
        await channel.close()


def test_the_contracts_have_methods_for_every_kind_of_caller() -> None:
    assert len(for_users()) > 40
    assert all(len(with_foreign_id(audience)) > 3 for audience in USERS)


def test_every_thing_that_a_request_names_first_is_known() -> None:
    first = {
        METHODS[path].input_type.fields[0].name for path in for_users() if METHODS[path].input_type.fields
    }
    assert {name for name in first if name.endswith("_id")} - {"external_id"} <= set(ID_FIELDS)


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
