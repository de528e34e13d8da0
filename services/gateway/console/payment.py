"""One payment: what is certain about it, what it paid, what went back, its receipt, how it was booked."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from services.gateway.console.asking import if_found, if_there
from services.gateway.console.going_back import BACK_WORDS
from services.gateway.console.refund import REFUNDABLE
from services.gateway.console.words import WORDS, method_words, staff_status, truth
from services.gateway.web import problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import GetCustomerRequest
from tallyport.notifications.v1.messages_pb2 import ListMessagesRequest
from tallyport.payments.v1.books_pb2 import LedgerEntry, ListLedgerEntriesRequest
from tallyport.payments.v1.chargebacks_pb2 import ListChargebacksRequest
from tallyport.payments.v1.payments_pb2 import (
    CancelPaymentRequest,
    GetPaymentRequest,
    GetReceiptPdfRequest,
    Payment,
    PaymentStatus,
    RefreshPaymentRequest,
)
from tallyport.payments.v1.refunds_pb2 import ListRefundsRequest

_MOST_BACK = 50
_CANCELABLE = (
    PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION,
    PaymentStatus.PAYMENT_STATUS_SCHEDULED,
    PaymentStatus.PAYMENT_STATUS_AWAITING_APPROVAL,
)
_BACK = (
    PaymentStatus.PAYMENT_STATUS_RETURNED,
    PaymentStatus.PAYMENT_STATUS_DISPUTED,
    PaymentStatus.PAYMENT_STATUS_CHARGED_BACK,
)
_UNFINISHED = (
    PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION,
    PaymentStatus.PAYMENT_STATUS_PROCESSING,
    PaymentStatus.PAYMENT_STATUS_UNKNOWN,
)


def _started_by(payment: Payment) -> str:
    """`initiated_by` names an actor: a person, a pay link, an API key."""
    kind = payment.initiated_by.partition(":")[0]
    words = {
        "person": _("A person who signed in"),
        "pay_link": _("Somebody with a pay link"),
        "service": _("An import"),
        "import": _("An import"),
        "api_key": _("A program"),
        "matching": _("A bank statement"),
        "autopay": _("Automatic payment"),
    }
    return words.get(kind, payment.initiated_by or "–")


@get("/payments/{payment_id:str}", name="console.payment")
async def show(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """The truth as the payments service knows it now."""
    payment, mails, refunds, chargebacks, entries, organization = await asyncio.gather(
        page.call(page.to.payments.GetPayment, GetPaymentRequest(payment_id=payment_id)),
        if_there(page.call(page.to.messages.ListMessages, ListMessagesRequest(about_id=payment_id))),
        page.call(
            page.to.refunds.ListRefunds, ListRefundsRequest(payment_id=payment_id, page_size=_MOST_BACK)
        ),
        page.call(
            page.to.chargebacks.ListChargebacks,
            ListChargebacksRequest(payment_id=payment_id, page_size=_MOST_BACK),
        ),
        _entries(page, payment_id),
        page.organization(),
    )
    customer = await if_found(
        page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=payment.customer_id))
    )
    applied = sum(part.amount.minor_units for part in payment.parts)
    net = payment.amount.minor_units - payment.surcharge.minor_units + payment.credit_used.minor_units
    return page.render(
        "console_payment.html",
        payment=payment,
        state=staff_status(payment),
        truth=truth(payment),
        tone=_tone(payment),
        method=method_words(payment),
        started_by=_started_by(payment),
        customer=customer,
        messages=mails.messages if mails else [],
        refunds=refunds.refunds,
        chargebacks=chargebacks.chargebacks,
        entries=entries,
        zone=organization.time_zone or "UTC",
        refundable=payment.status in REFUNDABLE and payment.amount.minor_units > 0,
        unfinished=payment.status in _UNFINISHED,
        cancelable=payment.status in _CANCELABLE,
        failure=problems.failure(payment.failure_code, payment.failure_message)
        if payment.status == PaymentStatus.PAYMENT_STATUS_FAILED
        else "",
        returned=problems.return_reason(payment.return_code) if payment.return_code else "",
        rest=net - applied,
        **WORDS,
        **BACK_WORDS,
    )


async def _entries(page: Page, payment_id: str) -> list[LedgerEntry]:
    """How it stands in the books, the oldest first; nothing for those who may not see the books."""
    if not page.may("books.read"):
        return []
    answer = await page.call(
        page.to.books.ListLedgerEntries,
        ListLedgerEntriesRequest(payment_id=payment_id, page_size=_MOST_BACK),
    )
    return list(reversed(answer.entries))


def _tone(payment: Payment) -> str:
    """Of the notice that says what is certain."""
    if payment.status == PaymentStatus.PAYMENT_STATUS_SUCCEEDED:
        return "good"
    if payment.status == PaymentStatus.PAYMENT_STATUS_FAILED or payment.status in _BACK:
        return "bad"
    return "warn" if payment.status in _UNFINISHED else "info"


@get("/payments/{payment_id:str}/receipt", name="console.payment.receipt")
async def receipt(page: Page, payment_id: FromPath[str]) -> Response[Any]:
    """The receipt to save."""
    pdf = await page.call(page.to.payments.GetReceiptPdf, GetReceiptPdfRequest(payment_id=payment_id))
    return page.document(pdf.content, media_type=pdf.media_type, file_name=pdf.file_name)


@post("/payments/{payment_id:str}/refresh", name="console.payment.refresh")
async def refresh(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """Asks the provider now instead of waiting for the next round."""
    payment = await page.call(page.to.payments.RefreshPayment, RefreshPaymentRequest(payment_id=payment_id))
    page.flash("info", _("The provider was asked. %(state)s.") % {"state": staff_status(payment).word})
    return page.redirect(f"/console/payments/{payment_id}")


@post("/payments/{payment_id:str}/cancel", name="console.payment.cancel")
async def cancel(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """Gives it up, unless it turns out paid."""
    payment = await page.call(page.to.payments.CancelPayment, CancelPaymentRequest(payment_id=payment_id))
    if payment.status == PaymentStatus.PAYMENT_STATUS_SUCCEEDED:
        page.flash("info", _("It turned out to be paid already, so it was booked instead of given up."))
    else:
        page.flash("good", _("The payment is given up. Nothing was charged."))
    return page.redirect(f"/console/payments/{payment_id}")
