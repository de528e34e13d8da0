"""Saved cards and bank accounts: add, choose the default, remove."""

import asyncio
from urllib.parse import urlsplit

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.http_status import page_status_of
from services.gateway.portal import ways
from services.gateway.web import problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.payments.v1.payment_methods_pb2 import (
    CompletePaymentMethodSetupRequest,
    ListPaymentMethodsRequest,
    PaymentMethodSetupStatus,
    PaymentMethodState,
    RemovePaymentMethodRequest,
    SetDefaultPaymentMethodRequest,
    StartPaymentMethodSetupRequest,
)

SETUP_ID_PLACE = "%7Bsetup_id%7D"
"""Where payments puts the id into the return address."""
_SAVED, _FAILED = (
    PaymentMethodSetupStatus.PAYMENT_METHOD_SETUP_STATUS_SUCCEEDED,
    PaymentMethodSetupStatus.PAYMENT_METHOD_SETUP_STATUS_FAILED,
)
_REFUSALS = (
    Kind.FAILED_PRECONDITION,
    Kind.NOT_FOUND,
    Kind.UNAVAILABLE,
    Kind.RESOURCE_EXHAUSTED,
    Kind.ABORTED,
)


@get("/methods", name="portal.methods")
async def show(page: Page) -> Response[str]:
    """The list, and the way to add another one."""
    return await _list(page)


async def _list(page: Page, *, refused: str = "", in_use: str = "", status: int = 200) -> Response[str]:
    answer, organization = await asyncio.gather(
        page.call(page.to.payment_methods.ListPaymentMethods, ListPaymentMethodsRequest()),
        page.organization(),
    )
    return page.render(
        "methods.html",
        status=status,
        methods=answer.payment_methods,
        suggested=answer.suggested_payment_method_id,
        usable=[one for one in answer.payment_methods if ways.is_usable(one)],
        cooling=PaymentMethodState.PAYMENT_METHOD_STATE_COOLING_OFF,
        organization=organization,
        ways=ways,
        key=page.new_key(),
        refused=refused,
        in_use=in_use,
    )


@post("/methods/add", name="portal.methods.add")
async def add(page: Page) -> Response[str]:
    """Leads to the provider's page, where the number is typed."""
    kind = ways.BANK_DEBIT if page.form.text("kind") == "bank_debit" else ways.CARD
    base = page.site.settings.public_url.rstrip("/")
    request = StartPaymentMethodSetupRequest(
        type=kind,
        return_url=f"{base}/methods/return/{SETUP_ID_PLACE}",
        make_default=page.form.checked("make_default"),
    )
    key = f"{page.form.text('key')[:60]}.{ways.key_of(kind)}"
    try:
        setup = await page.call(page.to.payment_methods.StartPaymentMethodSetup, request, idempotency_key=key)
    except ServiceError as error:
        return await _refused(page, error)
    return page.redirect(setup.redirect_url or f"/methods/return/{setup.setup_id}")


@get("/methods/return/{setup_id:str}", name="portal.methods.return")
async def come_back(page: Page, setup_id: FromPath[str]) -> Response[str]:
    """From the provider's page: the method, and in one action what is due with it."""
    setup = await page.call(
        page.to.payment_methods.CompletePaymentMethodSetup,
        CompletePaymentMethodSetupRequest(setup_id=setup_id),
    )
    leads_out = urlsplit(setup.redirect_url).scheme in ("http", "https")
    return page.render(
        "method_added.html",
        setup=setup,
        saved=setup.status == _SAVED,
        failed=setup.status == _FAILED,
        reason=problems.failure(setup.failure_code, ""),
        again=setup.redirect_url if leads_out else "",
        cooling=setup.payment_method.state == PaymentMethodState.PAYMENT_METHOD_STATE_COOLING_OFF,
        organization=await page.organization(),
        ways=ways,
    )


@post("/methods/{payment_method_id:str}/default", name="portal.methods.default")
async def make_default(page: Page, payment_method_id: FromPath[str]) -> Response[str]:
    """Used when nothing else is chosen."""
    request = SetDefaultPaymentMethodRequest(payment_method_id=payment_method_id)
    try:
        method = await page.call(page.to.payment_methods.SetDefaultPaymentMethod, request)
    except ServiceError as error:
        return await _refused(page, error)
    page.flash("good", _("%(method)s is your default now.") % {"method": method.summary})
    return page.redirect("/methods")


@post("/methods/{payment_method_id:str}/remove", name="portal.methods.remove")
async def remove(page: Page, payment_method_id: FromPath[str]) -> Response[str]:
    """Gone here and at the provider; autopay goes on with the one that takes its place."""
    request = RemovePaymentMethodRequest(
        payment_method_id=payment_method_id, replacement_payment_method_id=page.form.text("replacement")[:60]
    )
    try:
        await page.call(page.to.payment_methods.RemovePaymentMethod, request)
    except ServiceError as error:
        in_use = payment_method_id if error.reason == "PAYMENT_METHOD_IN_USE" else ""
        return await _refused(page, error, in_use=in_use)
    page.flash("good", _("Removed. It cannot be charged any more."))
    return page.redirect("/methods")


async def _refused(page: Page, error: ServiceError, *, in_use: str = "") -> Response[str]:
    if error.kind not in _REFUSALS:
        raise error
    status = page_status_of(error)
    return await _list(page, refused=problems.sentence(error), in_use=in_use, status=status)
