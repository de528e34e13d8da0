"""What customers want changed of their billing data, and what they may change by themselves."""

import asyncio

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import billing, problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customer_proposals_pb2 import (
    AcceptCustomerProposalRequest,
    CustomerDataGroup,
    CustomerPolicy,
    CustomerProposalState,
    GetCustomerPolicyRequest,
    ListCustomerProposalsRequest,
    RejectCustomerProposalRequest,
    UpdateCustomerPolicyRequest,
)

_PAGE = "/console/customers/proposals"
_PAGE_SIZE = 25


def groups() -> list[tuple["CustomerDataGroup.ValueType", str]]:
    """Data that customers may be let to change by themselves."""
    return [
        (CustomerDataGroup.CUSTOMER_DATA_GROUP_ADDRESS, _("Billing and shipping address")),
        (CustomerDataGroup.CUSTOMER_DATA_GROUP_PURCHASE_ORDER, _("Order numbers")),
        (CustomerDataGroup.CUSTOMER_DATA_GROUP_CONTACT, _("E-mail address, language and time zone")),
        (CustomerDataGroup.CUSTOMER_DATA_GROUP_LEGAL, _("Legal name and tax ids")),
    ]


@get("/customers/proposals", name="console.proposals")
async def show(page: Page) -> Response[str]:
    """Those that wait, or all with `?show=all`."""
    everything = page.query("show") == "all"
    state = (
        CustomerProposalState.CUSTOMER_PROPOSAL_STATE_UNSPECIFIED
        if everything
        else CustomerProposalState.CUSTOMER_PROPOSAL_STATE_OPEN
    )
    request = ListCustomerProposalsRequest(
        state=state, page_size=_PAGE_SIZE, page_token=page.query("page"), customer_id=page.query("customer")
    )
    answer, policy, organization = await asyncio.gather(
        page.call(page.to.customer_proposals.ListCustomerProposals, request),
        page.call(page.to.customer_proposals.GetCustomerPolicy, GetCustomerPolicyRequest()),
        page.organization(),
    )
    return page.render(
        "console_proposals.html",
        proposals=[(one, billing.change_rows(one.changes)) for one in answer.proposals],
        next_token=answer.next_page_token,
        everything=everything,
        groups=groups(),
        taken=list(policy.taken_at_once),
        states=_states(),
        zone=organization.time_zone or "UTC",
    )


def _states() -> dict[int, tuple[str, str]]:
    """Word and tone of each state."""
    return {
        CustomerProposalState.CUSTOMER_PROPOSAL_STATE_OPEN: (_("Waiting"), "info"),
        CustomerProposalState.CUSTOMER_PROPOSAL_STATE_ACCEPTED: (_("Accepted"), "good"),
        CustomerProposalState.CUSTOMER_PROPOSAL_STATE_REJECTED: (_("Turned down"), "bad"),
        CustomerProposalState.CUSTOMER_PROPOSAL_STATE_WITHDRAWN: (_("Taken back"), "neutral"),
    }


@post("/customers/proposals/{proposal_id:str}/decide", name="console.proposals.decide")
async def decide(page: Page, proposal_id: FromPath[str]) -> Response[str]:
    """Accepts it, or turns it down with the reason that the customer reads."""
    require(page, "customers.write")
    reason = page.form.text("reason")[:500]
    to = page.to.customer_proposals
    try:
        if page.form.text("do") == "accept":
            await page.call(
                to.AcceptCustomerProposal,
                AcceptCustomerProposalRequest(proposal_id=proposal_id, reason=reason),
            )
            page.flash("good", _("The changes are made."))
        elif not reason:
            page.flash("bad", _("Please say why. The customer reads it."))
        else:
            await page.call(
                to.RejectCustomerProposal,
                RejectCustomerProposalRequest(proposal_id=proposal_id, reason=reason),
            )
            page.flash("good", _("It is turned down, and the customer can read why."))
    except ServiceError as error:
        if error.kind not in (*REFUSALS, Kind.NOT_FOUND):
            raise
        page.flash("bad", problems.sentence(error))
    return page.redirect(_PAGE)


@post("/customers/proposals/policy", name="console.proposals.policy")
async def set_policy(page: Page) -> Response[str]:
    """What is ticked is taken at once from now on."""
    require(page, "organization.write")
    known = {str(group): group for group, _word in groups()}
    ticked = [known[one] for one in page.form.all("group") if one in known]
    request = UpdateCustomerPolicyRequest(policy=CustomerPolicy(taken_at_once=ticked))
    await page.call(page.to.customer_proposals.UpdateCustomerPolicy, request)
    page.flash("good", _("Saved. It holds for what customers change from now on."))
    return page.redirect(_PAGE)
