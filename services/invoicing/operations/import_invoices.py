"""Make final invoices of rows: with customers that are missing, and bookings at their own dates."""

from collections.abc import Mapping, Sequence

from chassis import audit
from chassis.database import WriteTx
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.billing import DEFAULT_PAYMENT_TERMS_DAYS
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import FIRST_VERSION, Invoice, Status
from services.invoicing.domain.invoice_import import (
    Import,
    Making,
    Row,
    RowError,
    imported_lines,
    imported_totals,
)
from services.invoicing.domain.organization import Organization
from services.invoicing.formats.import_problems import PROBLEMS
from services.invoicing.operations.note_customer_changes import note_customer_changes
from services.invoicing.store import customers, invoices, ledger
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import events


async def import_invoices(
    tx: WriteTx, imported: Import, rows: Sequence[Row]
) -> tuple[list[Making], list[RowError]]:
    """What was made, and which rows were refused. Rows whose external id is known change nothing."""
    known = await invoices.taken_external_ids(tx, [row.external_id for row in rows])
    taken = await invoices.taken_numbers(tx, [row.external_id for row in rows])
    new = [row for row in rows if row.external_id not in known]
    refused = [row for row in new if row.external_id in taken]
    wanted = [row for row in new if row.external_id not in taken]
    made = await _create_invoices(tx, imported, wanted) if wanted else []
    return made, [
        RowError(row.line, "external_id", PROBLEMS["number_taken"], "number_taken") for row in refused
    ]


async def _create_invoices(tx: WriteTx, imported: Import, rows: Sequence[Row]) -> list[Making]:
    organization = await get_organization(tx)
    owners, missing = await _customers_of(tx, rows, organization)
    made = [_invoice(tx, row, owners[row.customer_external_id], organization) for row in rows]
    await invoices.insert_invoices(tx, made)
    await ledger.post(
        tx, [books.finalization(invoice, organization.start_of(invoice.invoice_date)) for invoice in made]
    )
    for row, invoice in zip(rows, made, strict=True):
        events.invoice_finalized(tx, invoice, owners[row.customer_external_id], notify=imported.notify)
        if row.settled_date is not None:
            events.external_payment_reported(tx, invoice, row, row.received)
        audit.record(tx, "invoice.imported", invoice.invoice_id, reason=imported.import_id)
    lines = {row.customer_external_id: row.line for row in reversed(rows)}
    return [
        *(
            Making(row.line, "invoice", one.invoice_id, one.version)
            for row, one in zip(rows, made, strict=True)
        ),
        *(Making(lines[one.external_id or ""], "customer", one.customer_id, one.version) for one in missing),
    ]


async def _customers_of(
    tx: WriteTx, rows: Sequence[Row], organization: Organization
) -> tuple[Mapping[str, Customer], Sequence[Customer]]:
    """Customers by external id, and those that were missing: they are made from the first row that names them."""
    found = await customers.customers_by_external_id(tx, {row.customer_external_id for row in rows})
    missing: dict[str, Customer] = {}
    for row in rows:
        if row.customer_external_id not in found and row.customer_external_id not in missing:
            missing[row.customer_external_id] = _customer(tx, row, organization)
    new = list(missing.values())
    await customers.insert_customers(tx, new)
    await note_customer_changes(tx, [(None, one) for one in new], action="customer.imported")
    return {**found, **missing}, new


def _customer(tx: WriteTx, row: Row, organization: Organization) -> Customer:
    return Customer(
        customer_id=new_id("cus"),
        name=row.customer_name,
        email=row.customer_email,
        external_id=row.customer_external_id,
        currency=row.total.currency,
        locale=organization.locale,
        address_lines=(),
        country="",
        tax_id="",
        payment_terms_days=DEFAULT_PAYMENT_TERMS_DAYS,
        created_at=tx.now(),
    )


def _invoice(tx: WriteTx, row: Row, customer: Customer, organization: Organization) -> Invoice:
    """Final at once, with the file's number, at its own date."""
    nothing = Money.zero(row.total.currency)
    sums = imported_totals(row)
    return Invoice(
        invoice_id=new_id("inv"),
        customer_id=customer.customer_id,
        status=Status.OPEN,
        number=row.external_id,
        invoice_date=row.invoice_date,
        due_date=row.due_date,
        subtotal=sums.subtotal,
        tax_total=sums.tax_total,
        total=row.total,
        paid=nothing,
        reserved=nothing,
        credited=nothing,
        buyer=customer.as_buyer(),
        purchase_order_number="",
        memo="",
        external_id=row.external_id,
        disputed=row.total if row.disputed else nothing,
        version=FIRST_VERSION,
        event_version=1,
        created_at=tx.now(),
        finalized_at=organization.start_of(row.invoice_date),
        paid_at=None,
        lines=imported_lines(row),
    )
