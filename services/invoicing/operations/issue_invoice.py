"""Make a draft, and make it final, within a transaction that does more: also for schedules, events and fees."""

from dataclasses import replace
from datetime import date

from chassis import audit, closing
from chassis.database import ReadTx, WriteTx
from chassis.ids import new_id
from services.invoicing.domain import ledger as books
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice, InvoiceKind, Terms, new_draft
from services.invoicing.domain.invoice_draft import InvoiceDraft, fill_lines, must_be_dated
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.period_close import must_be_open
from services.invoicing.domain.taxation import Taxation
from services.invoicing.operations.check_customer_credit import must_take_invoice
from services.invoicing.operations.tax_desk import tax_desk
from services.invoicing.store import invoices, ledger
from services.invoicing.store.customers import get_customer
from services.invoicing.store.items import get_items
from services.invoicing.store.numbers import free_number
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import events
from services.invoicing.translate.invoices import to_proto_invoice
from tallyport.invoicing.v1 import invoices_pb2 as pb


async def draft_invoice(
    tx: WriteTx, draft: InvoiceDraft, *, to_wait: bool = False
) -> tuple[Invoice, pb.Invoice]:
    """The new draft as we have it and as it is told. CUSTOMER_ON_HOLD, unless it is made to wait for the end of it."""
    organization = await get_organization(tx)
    invoice = await compose_draft(tx, organization, draft, to_wait=to_wait)
    if invoice.external_id:
        await invoices.must_be_new(tx, invoice.external_id)
    await invoices.insert_invoices(tx, [invoice])
    told = to_proto_invoice(invoice, organization.date_of(tx.now()))
    audit.record(tx, "invoice.created", invoice.invoice_id, after=told.SerializeToString(deterministic=True))
    return invoice, told


async def compose_draft(
    tx: ReadTx, organization: Organization, draft: InvoiceDraft, *, to_wait: bool = False
) -> Invoice:
    """A draft with items, taxes, terms and dates filled in, which is nowhere yet."""
    customer = await get_customer(tx, draft.customer_id)
    if not to_wait:
        customer.must_take_invoices()
    items = await get_items(tx, {line.item_id for line in draft.lines if line.item_id})
    today = organization.date_of(tx.now())
    invoice_date = draft.invoice_date or today
    due_date = draft.due_date or customer.terms.due_date(invoice_date)
    empty = replace(
        new_draft(
            invoice_id=new_id("inv"),
            customer_id=customer.customer_id,
            currency=customer.currency,
            buyer=customer.as_buyer(),
            invoice_date=invoice_date,
            due_date=due_date,
            created_at=tx.now(),
        ),
        purchase_order_number=draft.purchase_order_number or customer.purchase_order_number,
        memo=draft.memo,
        external_id=draft.external_id,
        terms=_with_early_discount(draft.terms, customer, invoice_date, due_date),
    )
    must_be_dated(empty, today)
    return empty.with_lines(
        fill_lines(
            draft.lines, items, customer.currency,
            await taxation_of(tx, organization, customer, invoice_date),
            prices_include_tax=draft.terms.prices_include_tax,
        )
    )  # fmt: skip


async def issue_invoice(
    tx: WriteTx, draft: Invoice, *, override_reason: str = ""
) -> tuple[Invoice, pb.Invoice]:
    """A locked draft with its number, booked and announced. INVOICE_NOT_DRAFT if it is final already.

    INVOICE_DATE_CLOSED, CUSTOMER_ON_HOLD, PURCHASE_ORDER_REQUIRED, PURCHASE_ORDER_INVALID, CREDIT_LIMIT_EXCEEDED unless
    `override_reason` says why not.
    """
    draft.must_be_draft()
    today = (await get_organization(tx)).date_of(tx.now())
    if draft.invoice_date < today:  # only days that are over are ever closed
        must_be_open(draft.invoice_date, await closing.period_lock(tx))
    customer: Customer = await get_customer(tx, draft.customer_id)
    draft.must_be_finalizable()
    must_be_dated(draft, today)
    if draft.terms.kind is InvoiceKind.INVOICE:
        await must_take_invoice(tx, customer, draft, override_reason=override_reason)
    # From here on nobody else gets a number: nothing is asked any more.
    number = await free_number(tx, draft.terms.series)
    invoice = draft.finalized(number, customer.as_buyer(), tx.now())
    invoices.put_final(tx, invoice)
    await ledger.post(tx, [books.finalization(invoice, tx.now())])
    told = to_proto_invoice(invoice, today)
    events.invoice_finalized(tx, invoice, customer, notify=True)
    audit.record(
        tx, "invoice.finalized", invoice.invoice_id,
        before=to_proto_invoice(draft, today).SerializeToString(deterministic=True),
        after=told.SerializeToString(deterministic=True),
    )  # fmt: skip
    return invoice, told


def _with_early_discount(terms: Terms, customer: Customer, invoice_date: date, due_date: date) -> Terms:
    """What paying early earns by the customer's terms, at the latest when it is due, unless the invoice has its own."""
    until = customer.terms.early_discount_until(invoice_date)
    if until is None or terms.early_discount_percent or terms.early_discount_until is not None:
        return terms
    return replace(
        terms,
        early_discount_percent=customer.early_discount_percent,
        early_discount_until=min(until, due_date),
    )


async def taxation_of(tx: ReadTx, organization: Organization, customer: Customer, day: date) -> Taxation:
    """How an invoice of the day to the customer is taxed."""
    return (await tax_desk(tx, organization)).taxation(customer, day)
