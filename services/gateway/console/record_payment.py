"""Recording money that came another way: cash, a cheque, a transfer."""

import asyncio
from dataclasses import replace
from typing import cast

from litestar import Response, get, post

from chassis.errors import ServiceError
from chassis.money import Money, exponent_of
from services.gateway.console import record_entries as entries
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.console.choosing import choose_customer
from services.gateway.console.record_entries import Record
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import amount_field, to_message
from tallyport.invoicing.v1.customers_pb2 import Customer, GetCustomerRequest
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceFilter, ListInvoicesRequest
from tallyport.payments.v1.payments_pb2 import PaymentMethodType, RecordPaymentRequest

_MOST_INVOICES = 100


def method_choices() -> list[tuple[str, str]]:
    """For the select field."""
    words = {"2": _("Cash"), "3": _("Cheque"), "4": _("Bank transfer"), "5": _("Recorded elsewhere")}
    return [(number, words[number]) for number in entries.METHODS]


def _wanted(page: Page) -> str:
    """The invoice somebody came from; it is filled before the older ones."""
    return page.form.text("invoice") or page.query("invoice")


async def _open(page: Page, customer_id: str) -> tuple[Customer, list[Invoice]]:
    """The customer and their open invoices in their own currency, the earliest due first."""
    customer, answer = await asyncio.gather(
        page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id)),
        page.call(
            page.to.invoices.ListInvoices,
            ListInvoicesRequest(
                customer_id=customer_id,
                filter=InvoiceFilter.INVOICE_FILTER_PAYABLE,
                page_size=_MOST_INVOICES,
            ),
        ),
    )
    invoices = [one for one in answer.invoices if one.amount_due.currency == customer.currency]
    return customer, sorted(invoices, key=lambda one: one.due_date)


def _form(
    page: Page,
    customer: Customer,
    record: Record,
    *,
    errors: FieldErrors | None = None,
    refused: str = "",
    key: str = "",
) -> Response[str]:
    total = sum((share.open for share in record.shares), Money.zero(record.currency))
    return page.render(
        "console_record_payment.html",
        status=422 if errors or refused else 200,
        customer=customer,
        record=record,
        total=total,
        digits=exponent_of(record.currency),
        methods=method_choices(),
        wanted=_wanted(page),
        errors=errors or FieldErrors(),
        refused=refused,
        key=key or page.new_key(),
    )


@get("/payments/record", name="console.payment.record")
async def show(page: Page) -> Response[str]:
    """First the customer; `?invoice=` proposes that invoice, otherwise everything open, the oldest first."""
    require(page, "payments.record")
    customer_id = page.query("customer")
    if not customer_id:
        return await choose_customer(page, purpose="payment")
    (customer, invoices), today = await asyncio.gather(_open(page, customer_id), page.today())
    wanted = _wanted(page)
    proposed = [one for one in invoices if one.invoice_id == wanted] or invoices
    total = sum((entries.open_part(one) for one in proposed), Money.zero(customer.currency))
    filled = {share.invoice.invoice_id: share.entered for share in entries.spread(total, proposed)}
    record = Record(
        currency=customer.currency,
        entered="" if total.is_zero else amount_field(total),
        received_on=today,
        shares=[entries.Share(one, filled.get(one.invoice_id, "")) for one in invoices],
    )
    return _form(page, customer, record)


@post("/payments/record", name="console.payment.record.submit")
async def submit(page: Page) -> Response[str]:
    """spread: fill the parts; review: say what will be booked; record: book it."""
    customer, invoices = await _open(page, page.form.text("customer_id"))
    record = entries.from_form(page.form, customer.currency, invoices)
    action, key = page.form.text("action"), page.form.text("key")
    if action == "spread" and record.amount is not None:
        wanted = _wanted(page)
        order = sorted(invoices, key=lambda one: one.invoice_id != wanted)
        filled = {share.invoice.invoice_id: share for share in entries.spread(record.amount, order)}
        record = replace(record, shares=[filled[one.invoice_id] for one in invoices])
        return _form(page, customer, record, key=key)
    if action == "change":
        return _form(page, customer, record, key=key)
    if action == "record" and record.amount is not None:
        return await _record(page, customer, record, key)
    wrong = FieldErrors(entries.mistakes(record))
    if wrong:
        return _form(page, customer, record, errors=wrong, key=key)
    return _review(page, customer, record, key)


def _review(page: Page, customer: Customer, record: Record, key: str) -> Response[str]:
    return page.render(
        "console_record_review.html",
        customer=customer,
        record=record,
        method=dict(method_choices())[record.method],
        key=key,
    )


async def _record(page: Page, customer: Customer, record: Record, key: str) -> Response[str]:
    amount = cast("Money", record.amount)
    request = RecordPaymentRequest(
        customer_id=customer.customer_id,
        amount=to_message(amount),
        parts=entries.confirmed_parts(page.form, record.currency),
        method=cast("PaymentMethodType.ValueType", int(record.method)),
        received_on=record.received_on,
        note=record.note,
    )
    try:
        payment = await page.call(page.to.payments.RecordPayment, request, idempotency_key=key)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return _form(page, customer, record, refused=problems.sentence(error))
    page.flash("good", _("The payment is recorded: receipt %(number)s.") % {"number": payment.receipt_number})
    if payment.kept_as_credit_because:
        page.flash(
            "warn",
            _(
                "Another payment of these invoices is on its way or done: what they do not take is kept as credit."
            ),
        )
    return page.redirect(f"/console/payments/{payment.payment_id}")
