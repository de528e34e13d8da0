"""Chargebacks: which need an answer, until when, and answering or giving in."""

import asyncio

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS, if_found
from services.gateway.console.going_back import BACK_WORDS, chargeback_status
from services.gateway.console.names import customer_names
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import GetCustomerRequest
from tallyport.payments.v1.chargebacks_pb2 import (
    AcceptChargebackRequest,
    ChargebackStatus,
    GetChargebackRequest,
    ListChargebacksRequest,
    SubmitEvidenceRequest,
)
from tallyport.payments.v1.payments_pb2 import GetPaymentRequest

_PAGE_SIZE = 50
_MOST_EVIDENCE = 5_000
_ANSWERABLE = (ChargebackStatus.CHARGEBACK_STATUS_OPEN,)


@get("/chargebacks", name="console.chargebacks")
async def show(page: Page) -> Response[str]:
    """Those that need an answer come first, the nearest deadline on top; `?show=all` has the others too."""
    everything = page.query("show") == "all"
    request = ListChargebacksRequest(
        open_only=not everything, page_size=_PAGE_SIZE, page_token=page.query("page")
    )
    answer, organization = await asyncio.gather(
        page.call(page.to.chargebacks.ListChargebacks, request), page.organization()
    )
    found = sorted(
        answer.chargebacks,
        key=lambda one: (
            one.status not in _ANSWERABLE,
            one.evidence_due_at.seconds if one.status in _ANSWERABLE else -one.created_at.seconds,
        ),
    )
    return page.render(
        "console_chargebacks.html",
        chargebacks=found,
        next_token=answer.next_page_token,
        names=await customer_names(page, [one.customer_id for one in found]),
        everything=everything,
        answerable=_ANSWERABLE,
        zone=organization.time_zone or "UTC",
        **BACK_WORDS,
    )


@get("/chargebacks/{chargeback_id:str}", name="console.chargeback")
async def one(page: Page, chargeback_id: FromPath[str]) -> Response[str]:
    """What the bank wants, and what can be answered."""
    return await _show(page, chargeback_id)


async def _show(
    page: Page, chargeback_id: str, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    chargeback, organization = await asyncio.gather(
        page.call(page.to.chargebacks.GetChargeback, GetChargebackRequest(chargeback_id=chargeback_id)),
        page.organization(),
    )
    payment, customer = await asyncio.gather(
        if_found(page.call(page.to.payments.GetPayment, GetPaymentRequest(payment_id=chargeback.payment_id))),
        if_found(
            page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=chargeback.customer_id))
        ),
    )
    return page.render(
        "console_chargeback.html",
        status=422 if errors or refused else 200,
        chargeback=chargeback,
        state=chargeback_status(chargeback),
        payment=payment,
        customer=customer,
        answerable=chargeback.status in _ANSWERABLE,
        evidence=page.form.text("evidence"),
        errors=errors or FieldErrors(),
        refused=refused,
        key=page.new_key(),
        zone=organization.time_zone or "UTC",
        **BACK_WORDS,
    )


@post("/chargebacks/{chargeback_id:str}/evidence", name="console.chargeback.evidence")
async def submit_evidence(page: Page, chargeback_id: FromPath[str]) -> Response[str]:
    """Sends the bank what speaks for us."""
    evidence = page.form.text("evidence")[:_MOST_EVIDENCE]
    if not evidence:
        errors = FieldErrors(evidence=_("Please write what the bank should know."))
        return await _show(page, chargeback_id, errors=errors)
    try:
        await page.call(
            page.to.chargebacks.SubmitEvidence,
            SubmitEvidenceRequest(chargeback_id=chargeback_id, evidence=evidence),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _show(
            page, chargeback_id, errors=FieldErrors.of(error), refused=problems.sentence(error)
        )
    page.flash("good", _("The evidence is sent. The bank decides now."))
    return page.redirect(f"/console/chargebacks/{chargeback_id}")


@post("/chargebacks/{chargeback_id:str}/accept", name="console.chargeback.accept")
async def accept(page: Page, chargeback_id: FromPath[str]) -> Response[str]:
    """Gives in: it is lost at once."""
    try:
        await page.call(
            page.to.chargebacks.AcceptChargeback,
            AcceptChargebackRequest(chargeback_id=chargeback_id),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _show(page, chargeback_id, refused=problems.sentence(error))
    page.flash("info", _("The chargeback is accepted. The invoices stay open."))
    return page.redirect(f"/console/chargebacks/{chargeback_id}")
