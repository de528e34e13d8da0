"""Imports of customers and items, of other formats; mappings that are remembered; imports that are undone."""

from typing import Any

import pytest
from sqlalchemy import text

from chassis.book_checks import SIGNED
from chassis.errors import ServiceError
from services.invoicing.domain.invoice_import import BATCH_ROWS
from services.invoicing.operations.run_imports import run_imports
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import customers_pb2, imports_pb2, items_pb2
from tests.service.invoicing.office import Office
from tests.unit.invoicing.imports.files import xlsx_of

CUSTOMERS = imports_pb2.IMPORT_KIND_CUSTOMERS
ITEMS = imports_pb2.IMPORT_KIND_ITEMS
INVOICES = b"""Invoice No;Customer ID;Invoice date;Due date;Amount;Paid date
A-1;C-1;2026-10-01;2026-10-31;100.50;
A-2;C-1;2026-10-05;2026-11-04;20;
A-3;C-2;2026-10-20;2026-12-20;7.00;
"""


async def create(office: Office, content: bytes, **fields: Any) -> imports_pb2.Import:
    request = imports_pb2.CreateImportRequest(file_name="old", content=content, **fields)
    return await office.call(office.imports.CreateImport, request)


async def finished(office: Office, import_id: str) -> imports_pb2.Import:
    """The import after all of its batches."""
    request = imports_pb2.GetImportRequest(import_id=import_id)
    at_work = (imports_pb2.IMPORT_STATE_RUNNING, imports_pb2.IMPORT_STATE_UNDOING)
    while (found := await office.call(office.imports.GetImport, request)).state in at_work:
        await run_imports(office.db)
    return found


async def undo(office: Office, import_id: str) -> imports_pb2.Import:
    request = imports_pb2.UndoImportRequest(import_id=import_id, reason="Wrong file")
    await office.call(office.imports.UndoImport, request)
    return await finished(office, import_id)


async def trial_balance(office: Office) -> dict[tuple[str, str], int]:
    """Debits less credits by account and owner, without accounts at zero."""
    async with office.db.read(office.organization_id) as tx:
        rows = await tx.execute(
            text(
                f"SELECT account, owner, sum({SIGNED}) AS amount"
                " FROM ledger_lines WHERE organization_id = :id GROUP BY 1, 2"
            ),
            {"id": office.organization_id},
        )
        return {(row.account, row.owner): int(row.amount) for row in rows if row.amount}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_items_with_an_unknown_tax_code_are_wrong(office: Office, dry_run: bool) -> None:
    content = b"SKU;Name;Price;Tax code\nR-1;Rope;1.50;zero\nR-2;Rope;1.50;nonsense\n"
    made = await create(office, content, kind=ITEMS, dry_run=dry_run)
    assert [(one.line, one.column, one.code) for one in made.errors] == [(3, "tax_code", "no_tax_code")]
    assert (made.created_rows if dry_run else (await finished(office, made.import_id)).created_rows) == 1


async def test_customers_of_a_workbook_are_made_once(office: Office) -> None:
    sheet = xlsx_of(
        [
            ["Kundennummer", "Firma", "E-Mail", "PLZ", "Ort", "Land", "Zahlungsziel"],
            [4711, "Hafen GmbH", "kasse@hafen.example", "20457", "Hamburg", "Deutschland", 14],
            [4712, "Werft KG", "kein@", "", "", "", None],
        ]
    )
    first = await finished(office, (await create(office, sheet, kind=CUSTOMERS)).import_id)
    assert (first.created_rows, first.failed_rows, first.format) == (1, 1, imports_pb2.IMPORT_FORMAT_XLSX)
    assert (first.errors[0].line, first.errors[0].column) == (3, "email")
    request = customers_pb2.ListCustomersRequest(external_id="4711")
    (found,) = (await office.call(office.customers.ListCustomers, request)).customers
    customer = found.customer
    assert (customer.name, customer.payment_terms_days, customer.billing_address.country) == (
        "Hafen GmbH", 14, "DE",
    )  # fmt: skip
    again = await finished(office, (await create(office, sheet, kind=CUSTOMERS)).import_id)
    assert (again.created_rows, again.unchanged_rows) == (0, 1)


async def test_items_of_json_are_made_and_removed_again(office: Office) -> None:
    content = b'[{"sku": "S-1", "name": "Rope", "price": 12.5, "vat": "8.875"}, {"sku": "S-2", "name": "", "price": 1}]'
    done = await finished(office, (await create(office, content, kind=ITEMS)).import_id)
    assert (done.created_rows, done.failed_rows) == (1, 1)
    (item,) = (await office.call(office.items.ListItems, items_pb2.ListItemsRequest())).items
    assert (item.sku, item.unit_price, item.tax_rate_percent) == (
        "S-1", money_pb2.Money(minor_units=1250, currency="USD"), "8.875",
    )  # fmt: skip
    undone = await undo(office, done.import_id)
    assert (undone.undone_records, undone.kept_records) == (1, 0)
    assert await office.count("items") == 0
    again = await finished(office, (await create(office, content, kind=ITEMS)).import_id)
    assert again.created_rows == 1


async def test_a_preview_is_revised_and_its_columns_are_remembered(office: Office) -> None:
    content = b"Nr;Wer;Tag;Ziel;Summe\nR-1;C-1;01.02.2026;03.02.2026;1.234,50\n"
    preview = await create(office, content, dry_run=True)
    assert set(preview.missing_fields) == {"external_id", "customer_external_id", "invoice_date", "due_date"}
    start = imports_pb2.StartImportRequest(import_id=preview.import_id)
    with pytest.raises(ServiceError, match="IMPORT_COLUMNS_MISSING"):
        await office.call(office.imports.StartImport, start)
    columns = {"external_id": "Nr", "customer_external_id": "Wer", "invoice_date": "Tag", "due_date": "Ziel"}
    mapping = [imports_pb2.ColumnMapping(field=field, column=column) for field, column in columns.items()]
    revise = imports_pb2.ReviseImportRequest(import_id=preview.import_id, mapping=mapping)
    revised = await office.call(office.imports.ReviseImport, revise)
    assert (revised.created_rows, list(revised.missing_fields)) == (1, [])
    assert revised.sample[0].invoice_date == "2026-02-01"
    await office.call(office.imports.StartImport, start)
    assert (await finished(office, preview.import_id)).created_rows == 1
    with pytest.raises(ServiceError, match="IMPORT_ALREADY_STARTED"):
        await office.call(office.imports.ReviseImport, revise)
    assert await office.count("import_files") == 0
    next_one = await create(office, content.replace(b"R-1", b"R-2"), dry_run=True)
    assert (next_one.mapping_remembered, next_one.created_rows) == (True, 1)
    saved = await office.call(office.imports.ListImportMappings, imports_pb2.ListImportMappingsRequest())
    assert list(saved.mappings[0].columns) == ["Nr", "Wer", "Tag", "Ziel", "Summe"]


async def test_undoing_an_import_restores_the_books_and_the_file_can_come_again(office: Office) -> None:
    customer = await office.customer()
    await office.invoice(customer.customer_id, 12_345)
    before = await trial_balance(office)
    done = await finished(office, (await create(office, INVOICES)).import_id)
    assert await trial_balance(office) != before
    undone = await undo(office, done.import_id)
    assert (undone.state, undone.undone_records, undone.kept_records) == (
        imports_pb2.IMPORT_STATE_UNDONE, 5, 0,
    )  # fmt: skip
    assert await trial_balance(office) == before
    assert await office.wrongs() == []
    with pytest.raises(ServiceError, match="IMPORT_NOT_DONE"):
        await undo(office, done.import_id)
    again = await finished(office, (await create(office, INVOICES)).import_id)
    assert (again.created_rows, again.failed_rows) == (3, 0)
    assert await office.wrongs() == []


async def test_what_was_paid_or_used_since_stays_and_says_why(office: Office) -> None:
    done = await finished(office, (await create(office, INVOICES)).import_id)
    paid = next(one for one in (await office.list_invoices()).invoices if one.number == "A-1")
    await office.reserve("pay_1", paid.customer_id, {paid.invoice_id: 5_000})
    await office.paid("pay_1", paid.customer_id, 5_000, {paid.invoice_id: 5_000})
    undone = await undo(office, done.import_id)
    assert (undone.undone_records, undone.kept_records) == (3, 2)
    why = {(error.line, error.column): error.message for error in undone.errors}
    assert set(why) == {(2, "undo")}
    assert {
        one.number
        for one in (await office.list_invoices(page_size=50)).invoices
        if one.amount_due.minor_units
    } == {"A-1"}
    assert await office.wrongs() == []
    once_more = await undo(office, done.import_id)
    assert (once_more.undone_records, once_more.kept_records) == (3, 2)
    await office.reversed("pay_1", paid.customer_id, 5_000, parts={paid.invoice_id: 5_000})
    at_last = await undo(office, done.import_id)
    assert (at_last.undone_records, at_last.kept_records) == (4, 1)
    assert "payments" in at_last.errors[0].message
    assert await office.wrongs() == []


async def test_large_imports_are_undone_batch_by_batch(office: Office) -> None:
    rows = b"".join(b"B-%d;C-%d;2026-10-01;2026-10-31;1;\n" % (at, at % 3) for at in range(BATCH_ROWS + 10))
    header = INVOICES.split(b"\n", 1)[0] + b"\n"
    done = await finished(office, (await create(office, header + rows)).import_id)
    undone = await undo(office, done.import_id)
    assert (undone.undone_records, undone.kept_records) == (BATCH_ROWS + 13, 0)
    assert await trial_balance(office) == {}


async def test_imports_are_listed_the_newest_first(office: Office, other_office: Office) -> None:
    for _ in range(3):
        await create(office, INVOICES, dry_run=True)
    page = await office.call(office.imports.ListImports, imports_pb2.ListImportsRequest(page_size=2))
    rest = imports_pb2.ListImportsRequest(page_size=2, page_token=page.next_page_token)
    last = await office.call(office.imports.ListImports, rest)
    assert (len(page.imports), len(last.imports), last.next_page_token) == (2, 1, "")
    assert len({one.import_id for one in (*page.imports, *last.imports)}) == 3
    others = await other_office.call(other_office.imports.ListImports, imports_pb2.ListImportsRequest())
    assert list(others.imports) == []
