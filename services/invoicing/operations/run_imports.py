"""Import waiting rows, a batch a transaction: customers that are missing, final invoices, their bookings."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chassis import audit
from chassis.caller import call_scope, service_call
from chassis.database import Database, WriteTx
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.billing import DEFAULT_PAYMENT_TERMS_DAYS
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import FIRST_VERSION, Invoice, Status
from services.invoicing.domain.invoice_import import (
    BATCH_ROWS,
    MAX_ERRORS,
    Import,
    ImportState,
    Row,
    RowError,
    imported_line,
)
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line
from services.invoicing.operations.note_customer_changes import note_customer_changes
from services.invoicing.operations.open_dispute import note_imported_disputes
from services.invoicing.store import customers, imports, invoices, ledger
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import events

IMPORTS_AT_ONCE = 10


async def run_imports(db: Database) -> int:
    """One batch of each running import, the oldest first; returns how many rows were handled."""
    async with db.sweep() as tx:
        running = await imports.running_imports(tx, limit=IMPORTS_AT_ONCE)
    handled = 0
    for organization_id, import_id in running:
        with call_scope(service_call("invoicing", organization_id)):
            handled += await db.run_write(organization_id, _batch_of(import_id))
    return handled


def _batch_of(import_id: str) -> Callable[[WriteTx], Coroutine[Any, Any, int]]:
    async def work(tx: WriteTx) -> int:
        imported = await imports.get_import(tx, import_id, for_update=True)
        if imported.state is not ImportState.RUNNING:
            return 0
        rows = await imports.waiting_rows(tx, import_id, limit=BATCH_ROWS)
        await imports.update_import(tx, await _import_rows(tx, imported, rows))
        return len(rows)

    return work


async def _import_rows(tx: WriteTx, imported: Import, rows: Sequence[Row]) -> Import:
    """Import rows and return the import's new counters; fewer rows than a batch are the last ones."""
    known = await invoices.taken_external_ids(tx, [row.external_id for row in rows])
    taken = await invoices.taken_numbers(tx, [row.external_id for row in rows])
    new = [row for row in rows if row.external_id not in known]
    refused = [row for row in new if row.external_id in taken]
    wanted = [row for row in new if row.external_id not in taken]
    if wanted:
        await _create_invoices(tx, imported, wanted)
    await imports.mark_handled(tx, imported.import_id, rows)
    errors = [RowError(row.line, "external_id", "Another invoice has this number.") for row in refused]
    is_last = len(rows) < BATCH_ROWS
    if is_last:
        audit.record(tx, "import.done", imported.import_id)
    return replace(
        imported,
        state=ImportState.DONE if is_last else ImportState.RUNNING,
        handled_rows=imported.handled_rows + len(rows),
        created_rows=imported.created_rows + len(wanted),
        unchanged_rows=imported.unchanged_rows + len(rows) - len(new),
        failed_rows=imported.failed_rows + len(refused),
        errors=[*imported.errors, *errors][:MAX_ERRORS],
        finished_at=tx.now() if is_last else None,
    )


async def _create_invoices(tx: WriteTx, imported: Import, rows: Sequence[Row]) -> None:
    organization = await get_organization(tx)
    owners = await _customers_of(tx, rows, organization)
    made = [_invoice(tx, row, owners[row.customer_external_id], organization) for row in rows]
    await invoices.insert_invoices(tx, made)
    unsettled = [one for row, one in zip(rows, made, strict=True) if row.settled_date is None]
    await note_imported_disputes(tx, unsettled)
    await ledger.post(
        tx, [books.finalization(invoice, organization.start_of(invoice.invoice_date)) for invoice in made]
    )
    for row, invoice in zip(rows, made, strict=True):
        events.invoice_finalized(tx, invoice, owners[row.customer_external_id], notify=imported.notify)
        if row.settled_date is not None:
            events.external_payment_reported(tx, invoice, row, invoice.total)
        audit.record(tx, "invoice.imported", invoice.invoice_id, reason=imported.import_id)


async def _customers_of(
    tx: WriteTx, rows: Sequence[Row], organization: Organization
) -> Mapping[str, Customer]:
    """Customers by external id; those that are missing are made from the first row that names them."""
    found = await customers.customers_by_external_id(tx, {row.customer_external_id for row in rows})
    missing: dict[str, Customer] = {}
    for row in rows:
        if row.customer_external_id not in found and row.customer_external_id not in missing:
            missing[row.customer_external_id] = _customer(tx, row, organization)
    await customers.insert_customers(tx, list(missing.values()))
    await note_customer_changes(tx, [(None, one) for one in missing.values()], action="customer.imported")
    return {**found, **missing}


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
    line: Line = imported_line(row)
    return Invoice(
        invoice_id=new_id("inv"),
        customer_id=customer.customer_id,
        status=Status.OPEN,
        number=row.external_id,
        invoice_date=row.invoice_date,
        due_date=row.due_date,
        subtotal=row.total,
        tax_total=nothing,
        total=row.total,
        paid=nothing,
        reserved=nothing,
        credited=nothing,
        buyer=customer.as_buyer(),
        purchase_order_number="",
        memo="",
        external_id=row.external_id,
        disputed=row.total if row.disputed else Money.zero(row.total.currency),
        version=FIRST_VERSION,
        event_version=1,
        created_at=tx.now(),
        finalized_at=organization.start_of(row.invoice_date),
        paid_at=None,
        lines=(line,),
    )
