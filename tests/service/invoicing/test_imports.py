"""Imports: preview, batches, idempotent by external id, settled rows reported."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chassis.errors import ServiceError
from services.invoicing.domain.invoice_import import BATCH_ROWS
from services.invoicing.operations.run_imports import run_imports
from tallyport.invoicing.v1 import events_pb2, imports_pb2, invoices_pb2
from tests.service.invoicing.office import Office

HISTORIES = Path(__file__).parents[3] / "devstack" / "data" / "late-payment-histories.csv"
SMALL = b"""Invoice No;Customer ID;Customer name;Email;Invoice date;Due date;Amount;Disputed;Paid date
A-1;C-1;Blue Anchor;ap@blue.example;2026-10-01;2026-10-31;100.50;no;2026-11-02
A-2;C-1;Blue Anchor;ap@blue.example;2026-10-05;2026-11-04;20;yes;
A-3;C-2;;;2026-11-20;2026-12-20;7.00;;
"""


async def create(
    office: Office, content: bytes, *, key: str | None = None, **fields: object
) -> imports_pb2.Import:
    request = imports_pb2.CreateImportRequest(file_name="old.csv", content=content, **fields)  # type: ignore[arg-type]
    return await office.call(office.imports.CreateImport, request, key=key)


async def get(office: Office, import_id: str) -> imports_pb2.Import:
    return await office.call(office.imports.GetImport, imports_pb2.GetImportRequest(import_id=import_id))


async def run_to_end(office: Office, import_id: str) -> imports_pb2.Import:
    while (found := await get(office, import_id)).state == imports_pb2.IMPORT_STATE_RUNNING:
        await run_imports(office.db)
    return found


async def test_an_import_makes_customers_and_final_invoices_at_their_own_dates(office: Office) -> None:
    imported = await run_to_end(office, (await create(office, SMALL)).import_id)
    assert (imported.state, imported.created_rows) == (imports_pb2.IMPORT_STATE_DONE, 3)
    assert (imported.total_rows, imported.handled_rows, imported.failed_rows) == (3, 3, 0)
    found = {invoice.number: invoice for invoice in (await office.list_invoices()).invoices}
    first, second, third = found["A-1"], found["A-2"], found["A-3"]
    assert (first.invoice_date, first.due_date, first.total.minor_units) == (
        "2026-10-01",
        "2026-10-31",
        10_050,
    )
    assert first.finalized_at.ToDatetime(UTC) == datetime(2026, 10, 1, 4, tzinfo=UTC)
    assert (second.disputed, second.days_overdue, first.disputed) == (True, 17, False)
    assert (first.customer_id, first.customer_name) == (second.customer_id, "Blue Anchor")
    assert third.customer_name == "C-2"
    assert (await office.read(third.invoice_id)).lines[0].description == "Invoice A-3"
    assert await office.balance("receivable", first.customer_id) == 12_050
    assert await office.balance("revenue") == -12_750


async def test_settled_rows_are_reported_and_nobody_is_told_of_history(office: Office) -> None:
    await run_to_end(office, (await create(office, SMALL)).import_id)
    (reported,) = await office.events(events_pb2.ExternalPaymentReported)
    assert (reported.number, reported.received_on, reported.amount.minor_units) == (
        "A-1",
        "2026-11-02",
        10_050,
    )
    assert not any(event.notify for event in await office.events(events_pb2.InvoiceFinalized))
    assert len(await office.events(events_pb2.CustomerChanged)) == 2


async def test_a_partly_paid_invoice_is_open_for_the_rest_once_payments_has_recorded_it(
    office: Office,
) -> None:
    content = (
        b"Invoice No;Customer ID;Invoice date;Due date;Amount;Paid;Paid date\n"
        b"A-1;C-1;2026-10-01;2026-10-31;100.50;40.25;2026-10-20\n"
    )
    preview = await create(office, content, dry_run=True, kind=imports_pb2.IMPORT_KIND_OPEN_INVOICES)
    assert preview.sample[0].paid.minor_units == 4_025
    start = imports_pb2.StartImportRequest(import_id=preview.import_id)
    await office.call(office.imports.StartImport, start)
    assert (await run_to_end(office, preview.import_id)).created_rows == 1
    (invoice,) = (await office.list_invoices()).invoices
    (reported,) = await office.events(events_pb2.ExternalPaymentReported)
    assert (reported.received_on, reported.amount.minor_units) == ("2026-10-20", 4_025)
    await office.paid(
        "pay_old", invoice.customer_id, 4_025, {reported.invoice_id: 4_025}, received_on="2026-10-20",
        notify=False,
    )  # fmt: skip
    after = await office.read(invoice.invoice_id)
    assert (after.amount_paid.minor_units, after.amount_due.minor_units) == (4_025, 6_025)
    assert after.status == invoices_pb2.INVOICE_STATUS_PARTLY_PAID
    assert await office.wrongs() == []


async def test_new_invoices_are_mailed_when_asked(office: Office) -> None:
    await run_to_end(office, (await create(office, SMALL, notify=True)).import_id)
    assert all(event.notify for event in await office.events(events_pb2.InvoiceFinalized))


async def test_importing_twice_adds_nothing(office: Office) -> None:
    await run_to_end(office, (await create(office, SMALL)).import_id)
    events = len(await office.events(events_pb2.InvoiceFinalized))
    again = await run_to_end(office, (await create(office, SMALL)).import_id)
    assert (again.created_rows, again.unchanged_rows) == (0, 3)
    assert await office.count("invoices") == 3
    assert len(await office.events(events_pb2.InvoiceFinalized)) == events


async def test_the_same_key_starts_one_import(office: Office) -> None:
    first = await create(office, SMALL, key="k")
    assert (await create(office, SMALL, key="k")).import_id == first.import_id


async def test_a_preview_changes_nothing_and_can_be_started(office: Office) -> None:
    bad = SMALL + b"A-4;C-2;;;2026-13-01;2026-12-20;7.00;;\nA-1;C-2;;;2026-11-01;2026-12-20;7.00;;\n"
    preview = await create(office, bad, dry_run=True)
    assert (preview.state, preview.total_rows) == (imports_pb2.IMPORT_STATE_PREVIEW, 5)
    assert (preview.created_rows, preview.failed_rows) == (3, 2)
    assert [(error.line, error.column) for error in preview.errors] == [
        (5, "invoice_date"),
        (6, "external_id"),
    ]
    assert [row.external_id for row in preview.sample] == ["A-1", "A-2", "A-3"]
    await run_imports(office.db)
    assert await office.count("invoices") == 0
    start = imports_pb2.StartImportRequest(import_id=preview.import_id)
    assert (await office.call(office.imports.StartImport, start)).handled_rows == 2
    done = await run_to_end(office, preview.import_id)
    assert (done.created_rows, done.failed_rows, done.handled_rows) == (3, 2, 5)
    with pytest.raises(ServiceError, match="IMPORT_ALREADY_STARTED"):
        await office.call(office.imports.StartImport, start)


async def test_a_number_of_ours_is_not_taken_over_and_ours_steps_aside(office: Office) -> None:
    customer = await office.customer()
    await office.invoice(customer.customer_id)
    header = SMALL.split(b"\n", 1)[0]
    rows = b"\nINV-000001;C-1;;;2026-10-01;2026-10-31;1;;\nINV-000002;C-1;;;2026-10-01;2026-10-31;1;;\n"
    imported = await run_to_end(office, (await create(office, header + rows)).import_id)
    assert (imported.created_rows, imported.failed_rows) == (1, 1)
    assert imported.errors[0].message == "Another invoice has this number."
    assert imported.errors[0].code == "number_taken"
    assert (await office.invoice(customer.customer_id)).number == "INV-000003"


async def test_a_file_that_is_no_csv_is_refused_whole(office: Office) -> None:
    for content in (b"\xff\xfe\x00", b"just one line", b"a,b\n1,2\n", b"PK\x03\x04\x00"):
        with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
            await create(office, content)


async def test_an_import_of_another_organization_does_not_exist(office: Office, other_office: Office) -> None:
    imported = await create(office, SMALL)
    with pytest.raises(ServiceError, match="IMPORT_NOT_FOUND"):
        await get(other_office, imported.import_id)
    await run_to_end(office, imported.import_id)


async def test_the_public_data_set_is_imported_whole(office: Office) -> None:
    content = HISTORIES.read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    created = await create(office, content, date_order=imports_pb2.DATE_ORDER_DAY_MONTH_YEAR)
    assert await run_imports(office.db) == BATCH_ROWS
    assert (await get(office, created.import_id)).handled_rows == BATCH_ROWS
    done = await run_to_end(office, created.import_id)
    assert (done.created_rows, done.failed_rows) == (len(rows), 0)
    assert await office.count("customers") == len({row["customerID"] for row in rows})
    reported = await office.events(events_pb2.ExternalPaymentReported)
    assert len(reported) == len(rows)
    assert await office.balance("revenue") == -sum(event.amount.minor_units for event in reported)
    disputed = await office.list_invoices(filter=invoices_pb2.INVOICE_FILTER_DISPUTED, page_size=100)
    assert len(disputed.invoices) == 100
    assert Counter(row["Disputed"] for row in rows)["Yes"] == 561
