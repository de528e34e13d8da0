"""Paying for a customer who calls: their invoices, with a method they saved. Staff never see a card number."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.statuses import method_state, skip_reason
from tallyport.common.v1.money_pb2 import Money
from tallyport.invoicing.v1.customers_pb2 import Customer, GetCustomerRequest
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceFilter, ListInvoicesRequest
from tallyport.payments.v1.payment_methods_pb2 import (
    ListPaymentMethodsRequest,
    PaymentMethod,
    PaymentMethodState,
)
from tallyport.payments.v1.payments_pb2 import (
    CreatePaymentRequest,
    CreditOnly,
    Payment,
    PaymentPart,
    PaymentPreview,
    PaymentStatus,
    PreviewPaymentRequest,
    SavedMethod,
)

_MOST_INVOICES = 100
_USABLE = (
    PaymentMethodState.PAYMENT_METHOD_STATE_ACTIVE,
    PaymentMethodState.PAYMENT_METHOD_STATE_COOLING_OFF,
)
_CHANGED = ("PREVIEW_CHANGED", "INVOICE_CHANGED", "CREDIT_CHANGED")


@dataclass(frozen=True, slots=True)
class Counter:
    """What can be paid for this customer, and with what."""

    customer: Customer
    invoices: Sequence[Invoice]
    methods: Sequence[PaymentMethod]

    def method(self, payment_method_id: str) -> PaymentMethod | None:
        """A method that can be used."""
        return next((one for one in self.methods if one.payment_method_id == payment_method_id), None)


async def _open(page: Page, customer_id: str) -> Counter:
    require(page, "payments.create")
    customer, invoices, methods = await asyncio.gather(
        page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id)),
        page.call(
            page.to.invoices.ListInvoices,
            ListInvoicesRequest(
                customer_id=customer_id,
                filter=InvoiceFilter.INVOICE_FILTER_PAYABLE,
                page_size=_MOST_INVOICES,
            ),
        ),
        page.call(
            page.to.payment_methods.ListPaymentMethods, ListPaymentMethodsRequest(customer_id=customer_id)
        ),
    )
    usable = [one for one in methods.payment_methods if one.state in _USABLE]
    return Counter(customer, sorted(invoices.invoices, key=lambda one: one.due_date), usable)


def _form(
    page: Page, counter: Counter, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    form = page.form
    usual = next((one.payment_method_id for one in counter.methods if one.is_default), "")
    first = counter.methods[0].payment_method_id if counter.methods else ""
    return page.render(
        "console_pay_for.html",
        status=422 if errors or refused else 200,
        customer=counter.customer,
        invoices=counter.invoices,
        methods=counter.methods,
        method_state=method_state,
        picked=form.all("invoice") if form.values else [one.invoice_id for one in counter.invoices],
        chosen=form.text("method") or usual or first,
        caller=form.text("on_behalf_of"),
        errors=errors or FieldErrors(),
        refused=refused,
    )


@get("/customers/{customer_id:str}/pay", name="console.pay_for")
async def show(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Everything that is open, with the customer's usual method."""
    return _form(page, await _open(page, customer_id))


@post("/customers/{customer_id:str}/pay", name="console.pay_for.submit")
async def submit(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """review: what will be charged; change: back to the form; pay: do it."""
    counter = await _open(page, customer_id)
    action = page.form.text("action")
    if action == "change":
        return _form(page, counter)
    wrong, chosen = _mistakes(page.form, counter), counter.method(page.form.text("method"))
    if wrong or chosen is None:
        return _form(page, counter, errors=wrong)
    if action == "pay":
        return await _pay(page, counter, chosen)
    return await _review(page, counter, chosen)


def _mistakes(form: Form, counter: Counter) -> FieldErrors:
    wrong = FieldErrors()
    if not form.all("invoice"):
        wrong["invoice"] = _("Please choose at least one invoice.")
    if counter.method(form.text("method")) is None:
        wrong["method"] = _("Please choose a method that the customer has saved.")
    if not form.text("on_behalf_of"):
        wrong["on_behalf_of"] = _("Please write who called; the audit log keeps it.")
    return wrong


async def _review(page: Page, counter: Counter, chosen: PaymentMethod, *, refused: str = "") -> Response[str]:
    """A new preview, and a new key for it."""
    request = PreviewPaymentRequest(
        customer_id=counter.customer.customer_id, invoice_ids=page.form.all("invoice"), method=chosen.type
    )
    try:
        preview = await page.call(page.to.payments.PreviewPayment, request)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return _form(page, counter, errors=FieldErrors.of(error), refused=problems.sentence(error))
    return page.render(
        "console_pay_for_review.html",
        status=422 if refused else 200,
        customer=counter.customer,
        chosen=chosen,
        preview=preview,
        shown=[_written(part) for part in preview.parts],
        skip_reason=skip_reason,
        not_offered=_refused_method(preview, chosen),
        caller=page.form.text("on_behalf_of"),
        refused=refused,
        key=page.new_key(),
    )


def _refused_method(preview: PaymentPreview, chosen: PaymentMethod) -> bool:
    """Whether the policy does not let this be paid so."""
    offered = {one.method: one.refused for one in preview.methods}
    return bool(offered.get(chosen.type, "not_offered"))


def _written(part: PaymentPart) -> str:
    """A part as the form carries it, so that what was shown is what is paid."""
    return f"{part.invoice_id}:{part.amount.minor_units}:{part.invoice_version}"


def _read(text: str, currency: str) -> PaymentPart:
    invoice_id, _colon, rest = text.partition(":")
    units, _colon, version = rest.partition(":")
    return PaymentPart(
        invoice_id=invoice_id,
        amount=Money(minor_units=_number(units), currency=currency),
        invoice_version=_number(version),
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 18 else 0


async def _pay(page: Page, counter: Counter, chosen: PaymentMethod) -> Response[str]:
    form = page.form
    currency = form.text("currency")
    credit, amount = _number(form.text("credit")), _number(form.text("amount"))
    request = CreatePaymentRequest(
        customer_id=counter.customer.customer_id,
        on_behalf_of=form.text("on_behalf_of")[:200],
        parts=[_read(text, currency) for text in form.all("part")],
        expected_amount=Money(minor_units=amount, currency=currency),
    )
    if credit:
        request.credit.CopyFrom(Money(minor_units=credit, currency=currency))
    if amount:
        back = f"{page.site.settings.public_url.rstrip('/')}/pay/return/%7Bpayment_id%7D"
        request.saved_method.CopyFrom(
            SavedMethod(payment_method_id=chosen.payment_method_id, return_url=back)
        )
    else:
        request.credit_only.CopyFrom(CreditOnly())
    try:
        payment = await page.call(page.to.payments.CreatePayment, request, idempotency_key=form.text("key"))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        if error.reason in _CHANGED:
            return await _review(page, counter, chosen, refused=problems.sentence(error))
        return _form(page, counter, refused=problems.sentence(error))
    page.flash(*_outcome(payment))
    return page.redirect(f"/console/payments/{payment.payment_id}")


def _outcome(payment: Payment) -> tuple[str, str]:
    if payment.status == PaymentStatus.PAYMENT_STATUS_SUCCEEDED:
        return "good", _("Paid. The receipt is on its way to the customer.")
    if payment.status == PaymentStatus.PAYMENT_STATUS_FAILED:
        return "bad", problems.failure(payment.failure_code, payment.failure_message)
    if payment.status == PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION:
        return "warn", _("The bank wants the payer’s own confirmation. Ask them to pay from their portal.")
    return "info", _("The payment is on its way and settles by itself.")
