"""Payments that wait until somebody of the same company approves them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.web import problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import money_text
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from tallyport.invoicing.v1.invoices_pb2 import GetInvoiceRequest
from tallyport.payments.v1.payer_rules_pb2 import (
    Approval,
    ApprovePaymentRequest,
    DeclinePaymentRequest,
    ListApprovalsRequest,
)
from tallyport.payments.v1.payments_pb2 import Payment, PaymentStatus

_REFUSED = (Kind.FAILED_PRECONDITION, Kind.ABORTED, Kind.NOT_FOUND, Kind.PERMISSION_DENIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One payment as this visitor sees it. `why_not` is empty for who may approve it."""

    payment: Payment
    approved_by: list[str]
    missing: int
    why_not: str
    own: bool
    key: str


def _waiting(page: Page, approval: Approval) -> Waiting:
    approved, why_not, own = list(approval.approved_by), "", False
    if not approval.may_approve:
        if page.session.name in approved:
            why_not = _("You have approved it. Somebody else must approve it as well.")
        elif approval.payment.initiated_by == page.session.name:
            why_not, own = _("You started this payment, so somebody else must approve it."), True
        else:
            why_not = _(
                "Your role does not approve payments. Whoever sets the company's rules can change that."
            )
    return Waiting(
        payment=approval.payment,
        approved_by=approved,
        missing=max(0, approval.approvals_needed - len(approved)),
        why_not=why_not,
        own=own,
        key=page.new_key(),
    )


async def _numbers(page: Page, approvals: Sequence[Approval]) -> dict[str, str]:
    """Invoice id to number: payments learns numbers only when it begins; who approves wants to know them before."""
    wanted = {part.invoice_id: part.invoice_number for one in approvals for part in one.payment.parts}
    unknown = [invoice_id for invoice_id, number in wanted.items() if not number]
    asked = (page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=one)) for one in unknown)
    return wanted | {invoice.invoice_id: invoice.number for invoice in await asyncio.gather(*asked)}


async def _page(page: Page, *, refused: str = "") -> Response[str]:
    answer = await page.call(page.to.payer_rules.ListApprovals, ListApprovalsRequest())
    return page.render(
        "approvals.html",
        status=409 if refused else 200,
        waiting=[_waiting(page, one) for one in answer.approvals],
        numbers=await _numbers(page, answer.approvals),
        organization=await page.organization(),
        refused=refused,
    )


@get("/approvals", name="portal.approvals")
async def show(page: Page) -> Response[str]:
    """The oldest first."""
    return await _page(page)


@post("/approvals/{payment_id:str}/approve", name="portal.approvals.approve")
async def approve(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """The last approval starts the payment: then on to it."""
    request = ApprovePaymentRequest(payment_id=payment_id)
    key = page.form.text("key")[:100]
    try:
        payment = await page.call(page.to.payer_rules.ApprovePayment, request, idempotency_key=key)
    except ServiceError as error:
        return await _refused(page, error)
    amount = money_text(money_of(payment.amount))
    if payment.status == PaymentStatus.PAYMENT_STATUS_AWAITING_APPROVAL:
        page.flash("good", _("Approved: %(amount)s. It waits for one more colleague.") % {"amount": amount})
        return page.redirect("/approvals")
    page.flash("good", _("Approved: %(amount)s.") % {"amount": amount})
    return page.redirect(f"/payments/{payment.payment_id}")


@post("/approvals/{payment_id:str}/decline", name="portal.approvals.decline")
async def decline(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """With a reason: whoever started it wants to know why."""
    reason = page.form.text("reason")[:500]
    if not reason:
        return await _page(page, refused=_("Please say why, so that your colleague knows."))
    request = DeclinePaymentRequest(payment_id=payment_id, reason=reason)
    try:
        await page.call(
            page.to.payer_rules.DeclinePayment, request, idempotency_key=page.form.text("key")[:100]
        )
    except ServiceError as error:
        return await _refused(page, error)
    page.flash("info", _("Declined. Nothing was charged; the invoices stay open."))
    return page.redirect("/approvals")


async def _refused(page: Page, error: ServiceError) -> Response[str]:
    if error.kind not in _REFUSED:
        raise error
    return await _page(page, refused=problems.sentence(error))
