"""Giving money back: how much, where to, what becomes of the invoices; a look at it before it is done."""

import asyncio

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS, if_found
from services.gateway.console.refund_sheet import DESTINATIONS, EFFECTS, Sheet, sheet_of
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import to_message
from tallyport.invoicing.v1.invoices_pb2 import GetInvoiceRequest, Invoice
from tallyport.payments.v1.payments_pb2 import GetPaymentRequest, Payment, PaymentStatus
from tallyport.payments.v1.refunds_pb2 import (
    CreateRefundRequest,
    ListRefundsRequest,
    Refund,
    RefundLine,
    RefundPart,
    RefundStatus,
)

REFUNDABLE = (PaymentStatus.PAYMENT_STATUS_SUCCEEDED, PaymentStatus.PAYMENT_STATUS_PARTLY_REFUNDED)
_MOST_INVOICES = 10
"""Of more invoices, lines are not offered: staff name the invoice then."""


async def _open(page: Page, payment_id: str) -> tuple[Payment, list[Refund], list[Invoice]]:
    require(page, "payments.refund")
    payment, refunds = await asyncio.gather(
        page.call(page.to.payments.GetPayment, GetPaymentRequest(payment_id=payment_id)),
        page.call(page.to.refunds.ListRefunds, ListRefundsRequest(payment_id=payment_id, page_size=100)),
    )
    if payment.status not in REFUNDABLE:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "PAYMENT_NOT_REFUNDABLE",
            _("Nothing of this payment can be given back."),
        )
    holding = [one for one in refunds.refunds if one.status != RefundStatus.REFUND_STATUS_FAILED]
    return payment, holding, await _invoices(page, payment)


async def _invoices(page: Page, payment: Payment) -> list[Invoice]:
    """What the payment paid, with lines; less of it while invoicing is away."""
    if len(payment.parts) > _MOST_INVOICES:
        return []
    found = await asyncio.gather(
        *(
            if_found(page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=part.invoice_id)))
            for part in payment.parts
        )
    )
    return [one for one in found if one is not None]


def _form(
    page: Page, sheet: Sheet, *, key: str = "", errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    return page.render(
        "console_refund.html",
        status=422 if errors or refused else 200,
        sheet=sheet,
        payment=sheet.payment,
        errors=errors or FieldErrors(),
        refused=refused,
        key=key or page.new_key(),
    )


@get("/payments/{payment_id:str}/refund", name="console.refund")
async def show(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """All of it, back the way it came, is proposed."""
    payment, refunds, invoices = await _open(page, payment_id)
    return _form(page, sheet_of(payment, refunds, invoices, Form()))


@post("/payments/{payment_id:str}/refund", name="console.refund.submit")
async def submit(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """review: say what will happen; change: back to the form; refund: do it."""
    payment, refunds, invoices = await _open(page, payment_id)
    sheet = sheet_of(payment, refunds, invoices, page.form)
    action, key = page.form.text("action"), page.form.text("key")
    if action == "change":
        return _form(page, sheet, key=key)
    if wrong := sheet.mistakes():
        return _form(page, sheet, key=key, errors=wrong)
    if action == "refund":
        return await _refund(page, sheet, key)
    return page.render("console_refund_review.html", sheet=sheet, payment=payment, key=key)


async def _refund(page: Page, sheet: Sheet, key: str) -> Response[str]:
    amount = sheet.amount
    assert amount is not None  # looked at before
    request = CreateRefundRequest(
        payment_id=sheet.payment.payment_id,
        amount=None if sheet.what == "lines" else to_message(amount),
        lines=[
            RefundLine(invoice_id=line.invoice_id, line_no=line.line_no, quantity=f"{line.quantity:f}")
            for line in sheet.chosen_lines
        ],
        parts=[
            RefundPart(invoice_id=share.invoice_id, amount=to_message(part)) for share, part in sheet.parts
        ],
        destination=DESTINATIONS[sheet.destination],
        invoice_effect=EFFECTS[sheet.effect],
        reason=sheet.reason,
    )
    try:
        refund = await page.call(page.to.refunds.CreateRefund, request, idempotency_key=key)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return _form(page, sheet, errors=FieldErrors.of(error), refused=problems.sentence(error))
    page.flash(*_outcome(refund))
    return page.redirect(f"/console/payments/{refund.payment_id}")


def _outcome(refund: Refund) -> tuple[str, str]:
    if refund.status == RefundStatus.REFUND_STATUS_FAILED:
        return "bad", _("The provider could not send the refund. The payment is as before.")
    if refund.status == RefundStatus.REFUND_STATUS_SUCCEEDED:
        return "good", _("The money is given back.")
    if refund.status == RefundStatus.REFUND_STATUS_UNKNOWN:
        return "info", _(
            "The provider did not answer in time. It is asked until it is certain; do not refund again."
        )
    return "good", _("The refund is on its way.")
