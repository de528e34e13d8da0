"""The segment of a customer: by it the settings of payments tell customers apart."""

from litestar import Response, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS, if_found
from services.gateway.web import problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.payments.v1.policies_pb2 import GetCustomerSegmentRequest, SetCustomerSegmentRequest


async def segment_of(page: Page, customer_id: str) -> str:
    """Empty for none, and while payments is away or has not heard of the customer yet."""
    request = GetCustomerSegmentRequest(customer_id=customer_id)
    found = await if_found(page.call(page.to.policies.GetCustomerSegment, request))
    return found.segment if found else ""


@post("/customers/{customer_id:str}/segment", name="console.customer.segment")
async def save(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Empty takes the customer out."""
    require(page, "customers.write")
    request = SetCustomerSegmentRequest(customer_id=customer_id, segment=page.form.text("segment")[:50])
    try:
        await page.call(page.to.policies.SetCustomerSegment, request)
    except ServiceError as error:
        if error.kind not in (*REFUSALS, Kind.NOT_FOUND):
            raise
        page.flash("bad", problems.sentence(error))
    else:
        page.flash("good", _("The segment is saved."))
    return page.redirect(f"/console/customers/{customer_id}")
