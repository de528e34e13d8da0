"""What staff decide about a customer besides its data: a hold, the company above, its labels; and its history."""

import json
from collections.abc import Sequence

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS, if_found
from services.gateway.console.customer_entries import labels
from services.gateway.web import billing, problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import (
    CustomerLabels,
    CustomerVersion,
    GetCustomerRequest,
    ListCustomersRequest,
    ListCustomerVersionsRequest,
    SetCustomerHoldRequest,
    SetCustomerParentRequest,
    UpdateCustomerRequest,
)
from tallyport.payments.v1.policies_pb2 import GetCustomerSegmentRequest, SetCustomerSegmentRequest

_REFUSALS = (*REFUSALS, Kind.NOT_FOUND)
_VERSIONS = 25


async def segments_of(page: Page, customer_id: str, known: list[str]) -> list[str]:
    """The customer's labels, and one that was set in payments before there were labels."""
    request = GetCustomerSegmentRequest(customer_id=customer_id)
    found = await if_found(page.call(page.to.policies.GetCustomerSegment, request))
    return list(dict.fromkeys([*known, *([found.segment] if found and found.segment else [])]))


@post("/customers/{customer_id:str}/hold", name="console.customer.hold")
async def hold(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Nothing new is invoiced until the hold is taken away."""
    require(page, "customers.write")
    wanted = page.form.text("do") == "hold"
    reason = page.form.text("reason")[:500]
    if not reason:
        page.flash("bad", _("Please say why."))
        return page.redirect(f"/console/customers/{customer_id}")
    request = SetCustomerHoldRequest(customer_id=customer_id, on_hold=wanted, reason=reason)
    try:
        await page.call(page.to.customers.SetCustomerHold, request)
    except ServiceError as error:
        return _refused(page, customer_id, error)
    words = _("The customer is on hold.") if wanted else _("The hold is taken away.")
    page.flash("good", words)
    return page.redirect(f"/console/customers/{customer_id}")


@post("/customers/{customer_id:str}/parent", name="console.customer.parent")
async def move(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """The company above, by its id or own number; empty for none."""
    require(page, "customers.write")
    named = page.form.text("parent")[:100]
    try:
        parent_id = await _id_of(page, named)
        request = SetCustomerParentRequest(
            customer_id=customer_id, parent_customer_id=parent_id, reason=page.form.text("reason")[:500]
        )
        await page.call(page.to.customers.SetCustomerParent, request)
    except ServiceError as error:
        return _refused(page, customer_id, error)
    page.flash("good", _("The company above is saved."))
    return page.redirect(f"/console/customers/{customer_id}")


async def _id_of(page: Page, named: str) -> str:
    if not named or named.startswith("cus_"):
        return named
    listed = await page.call(
        page.to.customers.ListCustomers, ListCustomersRequest(external_id=named, page_size=1)
    )
    if not listed.customers:
        raise ServiceError(Kind.NOT_FOUND, "CUSTOMER_NOT_FOUND", _("No customer has this number."))
    return listed.customers[0].customer.customer_id


@post("/customers/{customer_id:str}/segment", name="console.customer.segment")
async def label(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Labels, parted by commas; one that payments kept by itself goes over to them."""
    require(page, "customers.write")
    wanted = labels(page.form.text("segment"))
    request = UpdateCustomerRequest(customer_id=customer_id, segments=CustomerLabels(values=wanted))
    try:
        await page.call(page.to.customers.UpdateCustomer, request)
        await if_found(
            page.call(
                page.to.policies.SetCustomerSegment,
                SetCustomerSegmentRequest(customer_id=customer_id, segment=""),
            )
        )
    except ServiceError as error:
        return _refused(page, customer_id, error)
    page.flash("good", _("The segment is saved."))
    return page.redirect(f"/console/customers/{customer_id}")


@get("/customers/{customer_id:str}/history", name="console.customer.history")
async def history(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Every change: who, when, why, before and after."""
    customer = await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))
    answer = await page.call(
        page.to.customers.ListCustomerVersions,
        ListCustomerVersionsRequest(
            customer_id=customer_id, page_size=_VERSIONS, page_token=page.query("page")
        ),
    )
    parents = await _names_of_parents(page, answer.versions)
    return page.render(
        "console_customer_history.html",
        customer=customer,
        versions=[(one, billing.change_rows(one.changes, parents)) for one in answer.versions],
        next_token=answer.next_page_token,
        zone=(await page.organization()).time_zone or "UTC",
    )


async def _names_of_parents(page: Page, versions: Sequence[CustomerVersion]) -> dict[str, str]:
    """Names of the companies above that the versions tell of, by id."""
    changes = [one for version in versions for one in version.changes if one.field == "parent_customer_id"]
    documents = {document for one in changes for document in (one.before, one.after) if document}
    ids = [found for found in map(json.loads, documents) if found]
    customers = [
        await if_found(page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=one)))
        for one in ids
    ]
    return {one.customer_id: one.name for one in customers if one is not None}


def _refused(page: Page, customer_id: str, error: ServiceError) -> Response[str]:
    if error.kind not in _REFUSALS:
        raise error
    page.flash("bad", problems.sentence(error))
    return page.redirect(f"/console/customers/{customer_id}")
