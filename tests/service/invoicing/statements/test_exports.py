"""Exports come to what the screens show, in every format, and hold little of it in memory at once."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader

from chassis.caller import Call, Caller, call_scope
from chassis.errors import ServiceError
from tallyport.invoicing.v1 import exports_pb2, invoices_pb2, statements_pb2
from tests.service.invoicing.customers.test_families import put_below
from tests.service.invoicing.office import Office

CSV = exports_pb2.EXPORT_FORMAT_CSV


async def exported(
    office: Office, kind: str, *, as_: Caller | None = None, **fields: Any
) -> tuple[invoices_pb2.Document, bytes]:
    """The first piece, which names the file, and all of its bytes."""
    staff = replace(office.staff(), permissions=frozenset({"customers.read", "books.read"}))
    request = exports_pb2.ExportReceivablesRequest(
        **{"kind": exports_pb2.ExportKind.Value(f"EXPORT_KIND_{kind}"), "format": CSV, **fields}
    )
    call = Call(
        caller=as_ or staff, method="/export", request_id="req", idempotency_key=None, fingerprint=b""
    )
    with call_scope(call):
        pieces = [piece async for piece in office.exports.ExportReceivables(request, None)]
    return pieces[0], b"".join(piece.content for piece in pieces)


async def rows(office: Office, kind: str, **fields: Any) -> list[dict[str, str]]:
    _, content = await exported(office, kind, **fields)
    return list(csv.DictReader(io.StringIO(content.decode())))


def total(found: Sequence[dict[str, str]], column: str) -> int:
    """In cents."""
    return int(sum(Decimal(row[column] or 0) for row in found) * 100)


async def a_business(office: Office) -> str:
    """Invoices of every state; returns the customer."""
    customer_id = (await office.customer(name="=cmd|' /C calc'!A0")).customer_id
    first = await office.invoice(customer_id, 10_000, 2_550)
    second = await office.invoice(customer_id, 4_000)
    await office.invoice(customer_id, 999)
    await office.draft(customer_id, 77_700)
    await office.paid("pay_1", customer_id, 15_000, {first.invoice_id: 12_550, second.invoice_id: 1_000})
    await office.credit_note(second.invoice_id, 500)
    voided = await office.invoice(customer_id, 333)
    await office.call(
        office.invoices.VoidInvoice,
        invoices_pb2.VoidInvoiceRequest(invoice_id=voided.invoice_id, reason="Wrong"),
    )
    return customer_id


async def test_what_is_due_comes_to_what_the_overview_says_is_open(office: Office) -> None:
    await a_business(office)
    overview = await office.call(
        office.invoices.GetReceivablesOverview, invoices_pb2.GetReceivablesOverviewRequest()
    )
    screen = overview.currencies[0]
    found = await rows(office, "INVOICES", filter=invoices_pb2.INVOICE_FILTER_PAYABLE)
    assert total(found, "due") == screen.open.minor_units == 3_499
    assert len(found) == screen.open_invoices
    everything = await rows(office, "INVOICES")
    assert total(everything, "due") == screen.open.minor_units
    assert "draft" not in {row["status"] for row in everything}


async def test_lines_payments_and_credit_notes_add_up_to_their_invoices(office: Office) -> None:
    await a_business(office)
    invoices = await rows(office, "INVOICES")
    assert total(await rows(office, "INVOICE_LINES"), "amount") == total(invoices, "subtotal")
    assert total(await rows(office, "PAYMENTS"), "amount") == total(invoices, "paid")
    assert total(await rows(office, "CREDIT_NOTES"), "total") == total(invoices, "credited")


async def test_the_ledger_comes_out_balanced_and_customers_as_they_are(office: Office) -> None:
    customer_id = await a_business(office)
    ledger = await rows(office, "LEDGER")
    assert total(ledger, "debit") == total(ledger, "credit") > 0
    receivable = [row for row in ledger if row["account"] == "receivable"]
    assert total(receivable, "debit") - total(receivable, "credit") == await office.balance(
        "receivable", customer_id
    )
    assert [row["customer_id"] for row in await rows(office, "CUSTOMERS")] == [customer_id]


async def test_a_statement_comes_out_as_it_is_shown(office: Office) -> None:
    customer_id = await a_business(office)
    request = statements_pb2.GetStatementRequest(customer_id=customer_id)
    shown = (await office.call(office.statements.GetStatement, request)).accounts[0]
    found = await rows(office, "STATEMENT", customer_id=customer_id)
    assert (found[0]["kind"], found[-1]["kind"]) == ("opening", "closing")
    assert total(found[-1:], "balance") == shown.closing.minor_units
    assert [total([row], "amount") for row in found[1:-1]] == [row.amount.minor_units for row in shown.rows]


async def test_all_formats_say_the_same(office: Office) -> None:
    await a_business(office)
    in_csv = await rows(office, "INVOICES")
    first, lines = await exported(office, "INVOICES", format=exports_pb2.EXPORT_FORMAT_JSON_LINES)
    assert (first.file_name, first.media_type) == ("invoices.jsonl", "application/x-ndjson")
    in_json = [json.loads(line) for line in lines.splitlines()]
    assert [row["total"] for row in in_json] == [row["total"] for row in in_csv]
    assert in_json[0]["customer_name"] == "=cmd|' /C calc'!A0"
    _, workbook = await exported(office, "INVOICES", format=exports_pb2.EXPORT_FORMAT_XLSX)
    sheet = openpyxl.load_workbook(io.BytesIO(workbook), read_only=True).worksheets[0]
    head, *cells = sheet.iter_rows(values_only=True)
    in_xlsx = [dict(zip(head, row, strict=True)) for row in cells]
    assert [Decimal(str(row["total"])) for row in in_xlsx] == [Decimal(row["total"]) for row in in_csv]
    assert in_xlsx[0]["customer_name"] == "=cmd|' /C calc'!A0"


async def test_a_text_that_a_spreadsheet_would_work_out_is_marked_and_amounts_are_not(office: Office) -> None:
    await a_business(office)
    first, content = await exported(office, "INVOICES", byte_order_mark=True)
    assert (first.file_name, content[:3]) == ("invoices.csv", b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == 5
    assert b"'=cmd|" in content
    assert b",=cmd|" not in content
    ledger = await rows(office, "STATEMENT", customer_id=(await rows(office, "CUSTOMERS"))[0]["customer_id"])
    assert any(row["amount"].startswith("-") for row in ledger)


async def test_people_get_their_own_and_what_belongs_to_those_below(office: Office) -> None:
    parent, child, stranger = [(await office.customer()).customer_id for _ in range(3)]
    await put_below(office, child, parent)
    for one in (parent, child, stranger):
        await office.invoice(one, 1_000)
    person = office.person_of(parent)
    assert {row["customer_id"] for row in await rows(office, "INVOICES", as_=person)} == {parent}
    family = await rows(office, "INVOICES", as_=person, include_children=True)
    assert {row["customer_id"] for row in family} == {parent, child}
    with pytest.raises(ServiceError, match="customer"):
        await rows(office, "INVOICES", as_=person, customer_id=stranger)
    for kind in ("CUSTOMERS", "LEDGER"):
        with pytest.raises(ServiceError, match="role"):
            await rows(office, kind, as_=person)
        with pytest.raises(ServiceError, match="role"):
            await rows(office, kind, as_=office.staff())


async def test_pages_neither_lose_nor_repeat_a_row(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    customer_id = (await office.customer()).customer_id
    for _ in range(5):
        await office.invoice(customer_id, 100, 200)
    whole = {kind: await rows(office, kind) for kind in ("INVOICES", "INVOICE_LINES", "LEDGER")}
    monkeypatch.setattr("services.invoicing.operations.export_receivables.PAGE_ROWS", 2)
    for kind, expected in whole.items():
        assert await rows(office, kind) == expected


async def test_the_documents_of_a_period_come_in_an_archive(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    inside = await office.invoice(customer_id, 4_200)
    await office.invoice(customer_id, 100, invoice_date="2026-10-31", due_date="2026-11-30")
    first, content = await exported(
        office, "INVOICES", format=exports_pb2.EXPORT_FORMAT_ZIP_OF_PDFS, first_day="2026-11-01"
    )
    assert first.file_name == "invoices-2026-11-01.zip"
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    assert archive.namelist() == [f"invoice-{inside.number}.pdf"]
    pdf = PdfReader(io.BytesIO(archive.read(archive.namelist()[0])))
    assert inside.number in pdf.pages[0].extract_text()
    with pytest.raises(ServiceError, match="documents"):
        await exported(office, "PAYMENTS", format=exports_pb2.EXPORT_FORMAT_ZIP_OF_PDFS)
