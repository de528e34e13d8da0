"""Credit notes from a file: on invoices that are here, with their own numbers and days."""

from services.invoicing.operations.run_imports import run_imports
from tallyport.invoicing.v1 import credit_notes_pb2, events_pb2, imports_pb2, statements_pb2
from tests.service.invoicing.office import Office
from tests.service.invoicing.test_imports import create, run_to_end

INVOICES = b"""Invoice No;Customer ID;Invoice date;Due date;Amount;Paid;Paid date
A-1;C-1;2026-10-01;2026-10-31;100.00;40.00;2026-10-20
A-2;C-1;2026-10-05;2026-11-04;20.00;;
"""
NOTES = b"""Credit note;Invoice;Date;Amount;Reason
CN-000001;A-1;2026-10-10;-30.00;Too many
G-2;A-2;2026-10-12;25.00;
G-3;A-9;2026-10-12;1.00;
G-4;A-2;2026-10-01;1.00;
G-5;A-2;2026-12-01;1.00;
"""
KIND = imports_pb2.IMPORT_KIND_CREDIT_NOTES


async def test_credit_notes_are_booked_on_their_days_and_nobody_is_mailed(office: Office) -> None:
    await run_to_end(office, (await create(office, INVOICES)).import_id)
    found = {one.number: one for one in (await office.list_invoices()).invoices}
    (reported,) = await office.events(events_pb2.ExternalPaymentReported)
    await office.paid(
        "pay_old", reported.customer_id, 4_000, {reported.invoice_id: 4_000}, received_on="2026-10-20",
        notify=False,
    )  # fmt: skip
    imported = await run_to_end(office, (await create(office, NOTES, kind=KIND)).import_id)
    assert (imported.created_rows, imported.failed_rows) == (1, 4)
    assert sorted((error.line, error.column, error.code) for error in imported.errors) == [
        (3, "amount", ""), (4, "invoice_number", "no_such_invoice"), (5, "issued_on", "credited_before_invoice"),
        (6, "issued_on", "in_future"),
    ]  # fmt: skip
    listed = await office.call(office.credit_notes.ListCreditNotes, credit_notes_pb2.ListCreditNotesRequest())
    (note,) = listed.credit_notes
    assert (note.number, note.issued_on, note.total.minor_units, note.reason) == (
        "CN-000001", "2026-10-10", 3_000, "Too many",
    )  # fmt: skip
    after = await office.read(found["A-1"].invoice_id)
    assert (after.amount_credited.minor_units, after.amount_due.minor_units) == (3_000, 3_000)
    (told,) = await office.events(events_pb2.CreditNoteIssued)
    assert told.silent
    request = statements_pb2.GetStatementRequest(
        customer_id=after.customer_id, first_day="2026-10-01", last_day="2026-10-15"
    )
    statement = await office.call(office.statements.GetStatement, request)
    assert statement.accounts[0].closing.minor_units == 9_000
    ours = await office.credit_note(found["A-2"].invoice_id, 500)
    assert ours.number == "CN-000002", "ours steps over the imported one"
    assert await office.wrongs() == []


async def test_importing_twice_adds_nothing_and_undoing_says_what_stays(office: Office) -> None:
    await run_to_end(office, (await create(office, INVOICES)).import_id)
    first = await run_to_end(office, (await create(office, NOTES, kind=KIND)).import_id)
    again = await run_to_end(office, (await create(office, NOTES, kind=KIND)).import_id)
    assert (again.created_rows, again.unchanged_rows) == (0, 1)
    undo = imports_pb2.UndoImportRequest(import_id=first.import_id, reason="Wrong file")
    await office.call(office.imports.UndoImport, undo)
    while await run_imports(office.db):
        pass
    request = imports_pb2.GetImportRequest(import_id=first.import_id)
    undone = await office.call(office.imports.GetImport, request)
    assert undone.kept_records == 1
    assert undone.errors[-1].message == "Credit note CN-000001 stays: it is booked."
    assert await office.wrongs() == []


async def test_a_number_that_another_note_has_is_an_error_and_not_a_row_that_is_known(office: Office) -> None:
    await run_to_end(office, (await create(office, INVOICES)).import_id)
    found = {one.number: one for one in (await office.list_invoices()).invoices}
    ours = await office.credit_note(found["A-1"].invoice_id, 500)
    rows = f"""Credit note;Invoice;Date;Amount;Reason
{ours.number};A-2;2026-10-12;5.00;
G-1;A-2;2026-10-12;3.00;
""".encode()
    imported = await run_to_end(office, (await create(office, rows, kind=KIND)).import_id)
    assert (imported.created_rows, imported.unchanged_rows, imported.failed_rows) == (1, 0, 1)
    assert [(one.line, one.column, one.code) for one in imported.errors] == [
        (2, "external_id", "number_taken")
    ]
    other = rows.replace(b"A-2;2026-10-12;5.00", b"A-1;2026-10-12;5.00").replace(b"3.00", b"4.00")
    again = await run_to_end(office, (await create(office, other, kind=KIND)).import_id)
    assert (again.created_rows, again.unchanged_rows, again.failed_rows) == (0, 1, 1)
    assert [(one.line, one.code) for one in again.errors] == [(3, "number_taken")]
