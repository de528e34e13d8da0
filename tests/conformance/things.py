"""Real things of the demo organization, one of every kind that a request can name, and a second organization."""

import uuid
from typing import Any

import httpx

from chassis.caller import Audience
from chassis.errors import ServiceError
from chassis.ids import new_id
from devstack.demo import payments as demo_payments
from tallyport.identity.v1 import organizations_pb2
from tallyport.invoicing.v1 import customer_proposals_pb2
from tests.conformance.requests import filled
from tests.conformance.world import ID_FIELDS, METHODS, World, all_permissions
from tests.support.stack import PASSWORD, RunningStack
from tests.support.wait import until

_LISTED = {
    "item_id": ("/v1/items", "items"),
    "message_id": ("/v1/messages", "messages"),
    "session_id": ("/v1/sessions", "sessions"),
    "schedule_id": ("/v1/schedules", "schedules"),
    "credit_note_id": ("/v1/credit_notes", "credit_notes"),
    "plan_id": ("/v1/instalment_plans", "plans"),
    "promise_id": ("/v1/payment_promises", "promises"),
    "refund_id": ("/v1/refunds", "refunds"),
    "bank_line_id": ("/v1/bank_lines", "lines"),
    "dispute_id": ("/v1/disputes", "disputes"),
}
"""What the demo has of its own."""
_OTHER = "EUR-1"
"""External id of a customer with none of these things."""


def _post(api: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(path, json=body, headers={"Idempotency-Key": new_id("key")})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def _rows(api: httpx.Client, path: str, noun: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(path).raise_for_status().json()[noun]
    return found


def _has_paid(api: httpx.Client, person: dict[str, Any]) -> bool:
    """And themselves: a company above may have."""
    whose = f"customer_id={person['customer_id']}&page_size=1"
    paid = _rows(api, f"/v1/invoices?{whose}&filter=paid", "invoices")
    return bool(paid and _rows(api, f"/v1/payments?{whose}", "payments"))


def other_customer(api: httpx.Client) -> str:
    """Somebody of the same organization who has nothing to do with the real things."""
    found: str = _rows(api, f"/v1/customers?external_id={_OTHER}", "customers")[0]["customer"]["customer_id"]
    return found


async def real_things(stack: RunningStack, api: httpx.Client) -> dict[str, str]:
    """Ids by the name of the field; of what cannot be had here, an id that nothing has."""
    other = other_customer(api)
    people = _rows(api, "/v1/people", "people")
    payer = next(one for one in people if one["customer_id"] not in ("", other) and _has_paid(api, one))
    customer_id = payer["customer_id"]
    chargebacks: list[dict[str, Any]] = []

    def is_disputed() -> bool:
        chargebacks[:] = _rows(api, "/v1/chargebacks", "chargebacks")
        return bool(chargebacks)

    await until(is_disputed)
    with stack.api(demo_payments.LOGIN) as somebody:
        methods = _rows(somebody, "/v1/payment_methods", "payment_methods")
    paid = _rows(api, f"/v1/invoices?customer_id={customer_id}&filter=paid", "invoices")
    payments = _rows(api, f"/v1/payments?customer_id={customer_id}", "payments")
    file = {"file_name": "none.csv", "content": "YQ==", "dry_run": True}
    answer = api.post("/v1/imports", json=file, headers={"Idempotency-Key": new_id("key")})
    trigger = {"name": "Refusals", "event_name": "refusals", "customer_id": customer_id}
    line = {"description": "Nothing", "unit_price": {"minor_units": 100, "currency": "USD"}}
    pause = {"customer_id": customer_id, "until": "2099-01-01", "reason": "Refusals"}
    known = {name: _rows(api, path, noun)[0][name] for name, (path, noun) in _LISTED.items()}
    return {name: new_id(prefix) for name, prefix in ID_FIELDS.items()} | {
        **known,
        "customer_id": customer_id,
        "invoice_id": paid[0]["invoice_id"],
        "document_id": paid[0]["invoice_id"],
        "payment_id": payments[0]["payment_id"],
        "person_id": payer["person_id"],
        "chargeback_id": chargebacks[0]["chargeback_id"],
        "payment_method_id": methods[0]["payment_method_id"],
        "import_id": answer.json().get("import_id") or new_id("imp"),
        "trigger_id": _post(api, "/v1/invoice_triggers", {**trigger, "lines": [line]})["trigger_id"],
        "pause_id": _post(api, "/v1/dunning_pauses", pause)["pause_id"],
        "api_key_id": _post(api, "/v1/api_keys", {"name": "refusals", "role": "auditor"})["api_key"][
            "api_key_id"
        ],
    }


async def a_proposal(world: World) -> str:
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


async def another_organization(world: World) -> str:
    """A second business on the same mesh, known to all services when this returns."""
    path = "/tallyport.identity.v1.Organizations/CreateOrganization"
    word = uuid.uuid4().hex[:8]
    request = organizations_pb2.CreateOrganizationRequest(
        slug=f"rival-{word}",
        name="Rival Inc.",
        currency="USD",
        time_zone="UTC",
        locale="en",
        contact_email="billing@rival.example",
        owner_name="Rita",
        owner_email=f"rita-{word}@rival.example",
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
