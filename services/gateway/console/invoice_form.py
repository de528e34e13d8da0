"""Writing an invoice: choose the customer, fill the lines, look at what will be sent, send it."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from chassis.money import exponent_of
from services.gateway.console import invoice_entries as entries
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.console.choosing import choose_customer
from services.gateway.console.invoice import get_invoice, is_draft
from services.gateway.console.invoice_entries import InvoiceEntry, LineEntry
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import plain_number
from tallyport.invoicing.v1.customers_pb2 import Customer, GetCustomerRequest
from tallyport.invoicing.v1.invoices_pb2 import (
    CreateInvoiceRequest,
    FinalizeInvoiceRequest,
    Invoice,
    UpdateInvoiceRequest,
)
from tallyport.invoicing.v1.items_pb2 import ListItemsRequest
from tallyport.invoicing.v1.taxes_pb2 import ListTaxRatesRequest, TaxRate

_MOST_ITEMS = 100


async def _customer(page: Page, customer_id: str) -> Customer:
    return await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))


async def _form(
    page: Page,
    customer: Customer,
    entry: InvoiceEntry,
    *,
    invoice: Invoice | None = None,
    errors: FieldErrors | None = None,
    refused: str = "",
    key: str = "",
) -> Response[str]:
    items, rates = await asyncio.gather(
        page.call(page.to.items.ListItems, ListItemsRequest(page_size=_MOST_ITEMS)),
        page.call(page.to.taxes.ListTaxRates, ListTaxRatesRequest()),
    )
    prices = {
        item.item_id: next(
            (one for one in (item.unit_price, *item.other_prices) if one.currency == customer.currency), None
        )
        for item in items.items
    }
    return page.render(
        "console_invoice_form.html",
        status=422 if errors or refused else 200,
        customer=customer,
        currency=customer.currency,
        digits=exponent_of(customer.currency),
        entry=entry,
        invoice=invoice,
        items=items.items,
        prices=prices,
        rates=_rates(rates.tax_rates, entry.invoice_date or await page.today()),
        errors=errors or FieldErrors(),
        refused=refused,
        key=key or page.new_key(),
        action=f"/console/invoices/{invoice.invoice_id}/edit" if invoice else "/console/invoices/new",
    )


def _rates(rates: Iterable[TaxRate], day: str) -> dict[str, str]:
    """What each tax code comes to on a day, in percent: own codes after the built-in ones, which they replace."""
    known = sorted(rates, key=lambda one: (not one.built_in, one.valid_from))
    return {
        one.code: str(sum(Decimal(tax.rate_percent or "0") for tax in one.taxes))
        for one in known
        if one.valid_from <= day
    }


@get("/invoices/new", name="console.invoice.new")
async def new(page: Page) -> Response[str]:
    """First the customer, then the lines."""
    require(page, "invoices.write")
    customer_id = page.query("customer")
    if not customer_id:
        return await choose_customer(page, purpose="invoice")
    customer, today = await asyncio.gather(_customer(page, customer_id), page.today())
    entry = InvoiceEntry(invoice_date=today, lines=[LineEntry(quantity="1")])
    return await _form(page, customer, entry)


@post("/invoices/new", name="console.invoice.create")
async def create(page: Page) -> Response[str]:
    """Adds a line, or saves the draft."""
    customer = await _customer(page, page.form.text("customer_id"))
    return await _submitted(page, customer, None)


@get("/invoices/{invoice_id:str}/edit", name="console.invoice.edit")
async def edit(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Only drafts can be changed; anything else leads back to the invoice."""
    require(page, "invoices.write")
    invoice = await get_invoice(page, invoice_id)
    if not is_draft(invoice):
        page.flash("info", _("A finalized invoice cannot be changed."))
        return page.redirect(f"/console/invoices/{invoice_id}")
    customer = await _customer(page, invoice.customer_id)
    return await _form(page, customer, entries.from_invoice(invoice), invoice=invoice)


@post("/invoices/{invoice_id:str}/edit", name="console.invoice.update")
async def update(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Adds a line, or saves the draft again."""
    invoice = await get_invoice(page, invoice_id)
    customer = await _customer(page, invoice.customer_id)
    return await _submitted(page, customer, invoice)


async def _submitted(page: Page, customer: Customer, invoice: Invoice | None) -> Response[str]:
    entry, key, action = entries.from_form(page.form), page.form.text("key"), page.form.text("action")
    lines = entries.changed_lines(entry, action)
    if lines is not None:
        return await _form(page, customer, replace(entry, lines=lines), invoice=invoice, key=key)
    wrong = FieldErrors(entries.mistakes(entry, customer.currency))
    if wrong:
        return await _form(page, customer, entry, invoice=invoice, errors=wrong, key=key)
    try:
        if invoice is None:
            saved = await _create(page, customer, entry, key)
        else:
            saved = await _update(page, customer, entry, invoice)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        fields = FieldErrors(entries.refused(FieldErrors.of(error), entry))
        words = "" if fields else problems.sentence(error)
        return await _form(page, customer, entry, invoice=invoice, errors=fields, refused=words)
    if action == "review":
        return page.redirect(f"/console/invoices/{saved.invoice_id}/review")
    page.flash("good", _("The draft is saved. Nothing was sent."))
    return page.redirect(f"/console/invoices/{saved.invoice_id}")


async def _create(page: Page, customer: Customer, entry: InvoiceEntry, key: str) -> Invoice:
    request = CreateInvoiceRequest(
        customer_id=customer.customer_id,
        lines=entries.to_lines(entry, customer.currency),
        invoice_date=entry.invoice_date,
        due_date=entry.due_date,
        purchase_order_number=entry.purchase_order_number[:100],
        memo=entry.memo[:2000],
        discount_percent=plain_number(entry.discount_percent),
        prices_include_tax=entry.prices_include_tax,
    )
    return await page.call(page.to.invoices.CreateInvoice, request, idempotency_key=key)


async def _update(page: Page, customer: Customer, entry: InvoiceEntry, before: Invoice) -> Invoice:
    days: dict[str, Any] = {"invoice_date": entry.invoice_date, "due_date": entry.due_date}
    percent = plain_number(entry.discount_percent)
    if percent or before.discount_percent:  # an amount that only the API sets stays
        days["discount_percent"] = percent or "0"
    request = UpdateInvoiceRequest(
        invoice_id=before.invoice_id,
        lines=entries.to_lines(entry, customer.currency, before.lines),
        prices_include_tax=entry.prices_include_tax,
        purchase_order_number=entry.purchase_order_number[:100],
        memo=entry.memo[:2000],
        **{name: day for name, day in days.items() if day},
    )
    return await page.call(page.to.invoices.UpdateInvoice, request)


@get("/invoices/{invoice_id:str}/review", name="console.invoice.review")
async def review(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Exactly what will be sent, to whom, before it is."""
    require(page, "invoices.write")
    invoice = await get_invoice(page, invoice_id)
    if not is_draft(invoice):
        return page.redirect(f"/console/invoices/{invoice_id}")
    return await _review(page, invoice)


async def _review(
    page: Page, invoice: Invoice, *, refused: str = "", over_limit: bool = False
) -> Response[str]:
    customer, organization = await asyncio.gather(_customer(page, invoice.customer_id), page.organization())
    return page.render(
        "console_invoice_review.html",
        status=422 if refused else 200,
        invoice=invoice,
        customer=customer,
        organization=organization,
        refused=refused,
        over_limit=over_limit,
        key=page.new_key(),
    )


@post("/invoices/{invoice_id:str}/finalize", name="console.invoice.finalize")
async def finalize(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Numbers, books and mails it."""
    request = FinalizeInvoiceRequest(
        invoice_id=invoice_id, credit_limit_override_reason=page.form.text("override_reason")[:500]
    )
    try:
        invoice = await page.call(
            page.to.invoices.FinalizeInvoice, request, idempotency_key=page.form.text("key")
        )
    except ServiceError as error:
        if error.kind not in (Kind.FAILED_PRECONDITION, Kind.INVALID_ARGUMENT):
            raise
        draft = await get_invoice(page, invoice_id)
        if not is_draft(draft):
            page.flash("info", problems.sentence(error))
            return page.redirect(f"/console/invoices/{invoice_id}")
        over_limit = error.reason == "CREDIT_LIMIT_EXCEEDED"
        return await _review(page, draft, refused=problems.sentence(error), over_limit=over_limit)
    page.flash(
        "good", _("%(number)s is finalized and on its way to the customer.") % {"number": invoice.number}
    )
    return page.redirect(f"/console/invoices/{invoice_id}")
