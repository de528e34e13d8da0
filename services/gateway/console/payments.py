"""All payments, by state, whatever way the money took."""

import asyncio

from litestar import Response, get

from services.gateway.console.names import customer_names
from services.gateway.console.words import WORDS
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.payments.v1.payments_pb2 import ListPaymentsRequest, PaymentStatus

_STATES = {
    "all": PaymentStatus.PAYMENT_STATUS_UNSPECIFIED,
    "succeeded": PaymentStatus.PAYMENT_STATUS_SUCCEEDED,
    "checking": PaymentStatus.PAYMENT_STATUS_UNKNOWN,
    "processing": PaymentStatus.PAYMENT_STATUS_PROCESSING,
    "waiting": PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION,
    "scheduled": PaymentStatus.PAYMENT_STATUS_SCHEDULED,
    "failed": PaymentStatus.PAYMENT_STATUS_FAILED,
    "canceled": PaymentStatus.PAYMENT_STATUS_CANCELED,
}
_PAGE_SIZE = 50


@get("/payments", name="console.payments")
async def show(page: Page) -> Response[str]:
    """The newest first."""
    chosen = page.query("show", "all")
    chosen = chosen if chosen in _STATES else "all"
    request = ListPaymentsRequest(status=_STATES[chosen], page_size=_PAGE_SIZE, page_token=page.query("page"))
    answer, organization = await asyncio.gather(
        page.call(page.to.payments.ListPayments, request), page.organization()
    )
    tabs = {
        "all": _("All"),
        "succeeded": _("Received"),
        "checking": _("Being checked"),
        "processing": _("On their way"),
        "waiting": _("At the payer"),
        "scheduled": _("Scheduled"),
        "failed": _("Failed"),
        "canceled": _("Canceled"),
    }
    return page.render(
        "console_payments.html",
        payments=answer.payments,
        next_token=answer.next_page_token,
        names=await customer_names(page, [one.customer_id for one in answer.payments]),
        chosen=chosen,
        tabs=[(page.with_query(show=name, page=""), word, name == chosen) for name, word in tabs.items()],
        zone=organization.time_zone or "UTC",
        **WORDS,
    )
