"""One payment: coming back from the provider's page, and what is true about it."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.portal import owing, ways
from services.gateway.web import problems
from services.gateway.web.page import Page
from tallyport.invoicing.v1.invoices_pb2 import GetInvoiceRequest, Invoice
from tallyport.payments.v1.payments_pb2 import (
    CancelPaymentRequest,
    GetPaymentRequest,
    GetReceiptPdfRequest,
    Payment,
    PaymentStatus,
    RefreshPaymentRequest,
)

_SETTLING = (PaymentStatus.PAYMENT_STATUS_PROCESSING, PaymentStatus.PAYMENT_STATUS_UNKNOWN)
_MAY_FAIL = (Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED, Kind.ABORTED)
_MOST_INVOICES = 20


async def ask_provider(page: Page, payment_id: str) -> None:
    """The address the payer comes back by proves nothing: the provider is asked, or else the result page tells."""
    try:
        await page.call(page.to.payments.RefreshPayment, RefreshPaymentRequest(payment_id=payment_id))
    except ServiceError as error:
        if error.kind not in _MAY_FAIL:
            raise


async def result_page(page: Page, payment_id: str, *, base: str, invoice_base: str) -> Response[str]:
    """`base` is where payments live for this visitor, `invoice_base` where invoices do."""
    payment = await page.call(page.to.payments.GetPayment, GetPaymentRequest(payment_id=payment_id))
    organization = await page.organization()
    return page.render(
        "payment.html",
        payment=payment,
        invoices=await _invoices(page, payment),
        payable=owing.left,
        reason=problems.failure(payment.failure_code, payment.failure_message),
        returned=problems.return_reason(payment.return_code),
        way=ways.kind_name(payment.method),
        settling=payment.status in _SETTLING,
        base=base,
        invoice_base=invoice_base,
        organization=organization,
        states=PaymentStatus,
    )


async def _invoices(page: Page, payment: Payment) -> list[Invoice]:
    """What is left on each; the page also does without, since the payment itself is what matters."""
    wanted = [part.invoice_id for part in payment.parts][:_MOST_INVOICES]
    asked = (page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=one)) for one in wanted)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    return [answer for answer in answers if isinstance(answer, Invoice)]


async def state_of(page: Page, payment_id: str) -> Response[Any]:
    """For the script that watches: asks the provider again and tells the state, nothing else."""
    await ask_provider(page, payment_id)
    payment = await page.call(page.to.payments.GetPayment, GetPaymentRequest(payment_id=payment_id))
    return Response({"state": PaymentStatus.Name(payment.status)}, media_type="application/json")


async def give_up(page: Page, payment_id: str) -> None:
    """Cancels what waits for the payer; the result page tells if it turned out paid."""
    await page.call(page.to.payments.CancelPayment, CancelPaymentRequest(payment_id=payment_id))


async def receipt_pdf(page: Page, payment_id: str) -> Response[bytes]:
    """For everybody who may see the payment."""
    file = await page.call(page.to.payments.GetReceiptPdf, GetReceiptPdfRequest(payment_id=payment_id))
    return page.document(file.content, media_type=file.media_type, file_name=file.file_name)


@get("/pay/return/{payment_id:str}", name="portal.pay.return")
async def come_back(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """From the provider's page."""
    await ask_provider(page, payment_id)
    return page.redirect(f"/payments/{payment_id}")


@get("/payments/{payment_id:str}", name="portal.payment")
async def show(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """The result, also weeks later."""
    return await result_page(page, payment_id, base="/payments", invoice_base="/invoices")


@get("/payments/{payment_id:str}/state", name="portal.payment.state")
async def state(page: Page, payment_id: FromPath[str]) -> Response[Any]:
    """Watched by the script."""
    return await state_of(page, payment_id)


@post("/payments/{payment_id:str}/cancel", name="portal.payment.cancel")
async def cancel(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """Given up by the payer."""
    await give_up(page, payment_id)
    return page.redirect(f"/payments/{payment_id}")


@get("/payments/{payment_id:str}/receipt.pdf", name="portal.payment.receipt")
async def receipt(page: Page, payment_id: FromPath[str]) -> Response[bytes]:
    """The receipt to save."""
    return await receipt_pdf(page, payment_id)
