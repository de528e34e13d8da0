"""The company's billing details: as they are, what is proposed, and a form to have them changed."""

import asyncio
from collections.abc import Mapping

from litestar import Response, get, post

from chassis.errors import Kind, ServiceError
from services.gateway.web import billing, problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.statuses import Status
from tallyport.invoicing.v1.customer_proposals_pb2 import (
    CustomerProposal,
    CustomerProposalState,
    ListCustomerProposalsRequest,
    ProposeCustomerChangeRequest,
    ProposedCustomerData,
    WithdrawCustomerProposalRequest,
)
from tallyport.invoicing.v1.customers_pb2 import Customer, CustomerTaxIdList, GetCustomerRequest

_PERMISSION = "account.write"
_SHOWN = 5
_REFUSALS = (Kind.INVALID_ARGUMENT, Kind.FAILED_PRECONDITION, Kind.ABORTED, Kind.NOT_FOUND)


async def _known(page: Page) -> tuple[Customer, list[CustomerProposal]]:
    customer, listed = await asyncio.gather(
        page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=page.session.customer_id)),
        page.call(
            page.to.customer_proposals.ListCustomerProposals, ListCustomerProposalsRequest(page_size=_SHOWN)
        ),
    )
    return customer, list(listed.proposals)


def _status(proposal: CustomerProposal) -> Status:
    """Where a proposal stands, for who made it."""
    return {
        CustomerProposalState.CUSTOMER_PROPOSAL_STATE_OPEN: Status(_("Being looked at"), "clock", "info"),
        CustomerProposalState.CUSTOMER_PROPOSAL_STATE_ACCEPTED: Status(_("Accepted"), "check-circle", "good"),
        CustomerProposalState.CUSTOMER_PROPOSAL_STATE_REJECTED: Status(_("Turned down"), "ban", "bad"),
    }.get(proposal.state, Status(_("Taken back"), "ban", "neutral"))


async def _render(
    page: Page,
    known: tuple[Customer, list[CustomerProposal]],
    values: Mapping[str, str],
    *,
    errors: FieldErrors | None = None,
    refused: str = "",
) -> Response[str]:
    customer, proposals = known
    return page.render(
        "billing_details.html",
        status=422 if errors or refused else 200,
        customer=customer,
        proposals=[(one, _status(one), billing.change_rows(one.changes)) for one in proposals],
        open_state=CustomerProposalState.CUSTOMER_PROPOSAL_STATE_OPEN,
        values=values,
        locales=billing.locale_choices(values["locale"]),
        order_kinds=billing.order_kinds(),
        order_words=billing.order_words,
        tax_id_rows=billing.tax_id_rows(values),
        may_change=page.may(_PERMISSION),
        organization=await page.organization(),
        key=page.new_key(),
        errors=errors or FieldErrors(),
        refused=refused,
    )


@get("/billing", name="portal.billing")
async def show(page: Page) -> Response[str]:
    """Everything that stands on invoices; the form for who may ask for other details."""
    known = await _known(page)
    return await _render(page, known, billing.billing_values(known[0]) | {"note": ""})


@post("/billing", name="portal.billing.propose")
async def propose(page: Page) -> Response[str]:
    """What needs nobody's leave is taken at once, the rest waits."""
    known = await _known(page)
    values = billing.entered_values(page.form, [*billing.billing_values(known[0]), "note"])
    wrong = billing.mistakes(values)
    if wrong:
        return await _render(page, known, values, errors=wrong)
    request = ProposeCustomerChangeRequest(
        customer_id=page.session.customer_id, data=_data(known[0], values), note=values["note"][:500]
    )
    try:
        made = await page.call(
            page.to.customer_proposals.ProposeCustomerChange,
            request,
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in _REFUSALS:
            raise
        fields = billing.by_form_field(FieldErrors.of(error))
        return await _render(
            page, known, values, errors=fields, refused="" if fields else problems.sentence(error)
        )
    if made.HasField("proposal"):
        page.flash("good", _("Thank you. We look at what you want changed and tell you here."))
    elif made.taken_fields:
        page.flash("good", _("Your billing details are changed."))
    else:
        page.flash("info", _("Nothing is different from what we have."))
    return page.redirect("/billing")


@post("/billing/withdraw", name="portal.billing.withdraw")
async def withdraw(page: Page) -> Response[str]:
    """Takes the proposal back."""
    request = WithdrawCustomerProposalRequest(proposal_id=page.form.text("proposal")[:60])
    try:
        await page.call(page.to.customer_proposals.WithdrawCustomerProposal, request)
    except ServiceError as error:
        if error.kind not in _REFUSALS:
            raise
        page.flash("warn", problems.sentence(error))
    else:
        page.flash("good", _("Your proposal is taken back."))
    return page.redirect("/billing")


def _data(customer: Customer, values: Mapping[str, str]) -> ProposedCustomerData:
    data = ProposedCustomerData(
        legal_name=values["legal_name"][:200],
        locale=values["locale"],
        time_zone=values["time_zone"][:60],
        billing_address=billing.address_of(values, "billing"),
        shipping_address=billing.address_of(values, "shipping"),
        purchase_order_number=values["purchase_order_number"][:100],
        purchase_order_rule=billing.order_rule_of(values),
    )
    if values["email"]:
        data.email = values["email"]
    tax_ids = billing.tax_ids_of(values)
    if tax_ids or customer.tax_ids:
        data.tax_ids.CopyFrom(CustomerTaxIdList(values=tax_ids))
    return data
