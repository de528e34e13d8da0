"""Columns by many names, dates and amounts however they are written, rows with errors that say what to do."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.invoice_import import (
    DateOrder,
    DecimalSign,
    How,
    ImportKind,
    Record,
    Row,
    UnderstoodFile,
    imported_totals,
)
from services.invoicing.formats.einvoice import Syntax, einvoice, missing, of_invoice
from services.invoicing.formats.import_file import understand
from services.invoicing.formats.import_values import (
    find_date_order,
    find_decimal_sign,
    plain_amount,
    read_date,
)
from services.invoicing.formats.sources.detection import read_source
from services.invoicing.translate.import_records import imported_customer, imported_item, wrong_record
from tests.unit.invoicing.einvoice.test_einvoice import SELLER, SLIP, documents
from tests.unit.invoicing.imports.files import csv_of, pdf_with, zip_of

TODAY = date(2026, 11, 21)
DATEV = "Rechnungsnummer;Kundennummer;Kundenname;Rechnungsdatum;Fälligkeit;Betrag;WKZ;bezahlt am\n"


def read(
    content: str | bytes, kind: ImportKind = ImportKind.INVOICES, how: How | None = None
) -> UnderstoodFile:
    _, source = read_source(content if isinstance(content, bytes) else content.encode())
    return understand(source, kind, how or How(), currency="EUR", today=TODAY)


def test_a_german_file_is_understood_without_a_word() -> None:
    found = read(
        DATEV
        + "R-1;4711;Hafen GmbH;03.02.2026;17.02.2026;1.234,50;EUR;\n"
        + "R-2;4711;Hafen GmbH;28.02.2026;14.03.2026;7,00;;15.03.2026\n"
    )
    assert found.errors == []
    first, second = found.rows
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.total, first.invoice_date, first.due_date) == (
        Money(123_450, "EUR"), date(2026, 2, 3), date(2026, 2, 17),
    )  # fmt: skip
    assert (second.settled_date, second.customer_name) == (date(2026, 3, 15), "Hafen GmbH")
    how = found.understanding
    assert (how.date_order, how.decimal_sign) == (DateOrder.DAY_MONTH_YEAR, DecimalSign.COMMA)
    assert how.mapping["invoice_date"] == "Rechnungsdatum"


def test_what_can_be_read_in_two_ways_is_asked_about_and_not_guessed() -> None:
    text = "invoice number,customer id,invoice date,due date,amount\nA,C,01/02/2026,03/02/2026,1.234\n"
    found = read(text.replace("1.234", '"1,234"'))
    assert (found.understanding.date_order, found.understanding.decimal_sign) == (None, None)
    assert "Say how dates are written" in found.errors[0].message
    how = How(date_order=DateOrder.MONTH_DAY_YEAR)
    assert "two ways" in read(text.replace("1.234", '"1,234"'), how=how).errors[0].message
    for sign, wanted in ((DecimalSign.COMMA, 123), (DecimalSign.POINT, 123_400)):
        how = How(date_order=DateOrder.MONTH_DAY_YEAR, decimal_sign=sign)
        found = read(text.replace("1.234", '"1,23"' if sign is DecimalSign.COMMA else '"1,234"'), how=how)
        (row,) = found.rows
        assert isinstance(row, Row)
        assert (row.total.minor_units, row.invoice_date) == (wanted, date(2026, 1, 2))


def test_columns_that_were_chosen_come_before_columns_that_are_guessed() -> None:
    text = "Nr;Wer;invoice date;due date;amount;total\nA;C;2026-01-01;2026-01-02;1;2\n"
    found = read(text)
    assert found.understanding.missing == ("external_id", "customer_external_id")
    assert (found.rows, found.total_rows) == ([], 1)
    chosen = {"external_id": "Nr", "customer_external_id": "Wer", "amount": "total", "due_date": "no such"}
    found = read(text, how=How(mapping=chosen))
    (row,) = found.rows
    assert isinstance(row, Row)
    assert (row.total.minor_units, row.external_id, row.due_date) == (200, "A", date(2026, 1, 2))
    without = read(text, how=How(mapping={**chosen, "amount": ""}))
    assert without.understanding.missing == ("amount",)


def test_open_invoices_and_history_are_told_apart() -> None:
    row = "R-1;1;;03.02.2026;17.02.2026;5,00;;"
    assert read(DATEV + row, ImportKind.OPEN_INVOICES).errors == []
    assert read(DATEV + row, ImportKind.HISTORY).errors[0].column == "settled_date"
    assert read(DATEV + row + "20.02.2026", ImportKind.HISTORY).errors == []
    error = read(DATEV + row + "20.02.2026", ImportKind.OPEN_INVOICES).errors[0]
    assert "Import it as history" in error.message


CUSTOMER = {
    "Kundennummer": "4711", "Firma": "Hafen GmbH", "E-Mail": "a@hafen.example; b@hafen.example",
    "Straße": "Am Kai 1", "PLZ": "20457", "Ort": "Hamburg", "Land": "Deutschland", "USt-IdNr": "DE136695976",
    "Zahlungsziel": "14 Tage", "Kreditlimit": "10.000,00", "Sprache": "de-DE", "Kundengruppe": "A; VIP",
}  # fmt: skip


def customer(changes: Mapping[str, str]) -> Record:
    found = read(csv_of([{**CUSTOMER, **changes}], ";"), ImportKind.CUSTOMERS)
    assert found.errors == []
    (record,) = found.rows
    assert isinstance(record, Record)
    return record


def test_a_customer_has_all_that_the_file_says() -> None:
    draft = imported_customer(customer({}))
    assert (draft.name, draft.external_id, draft.locale) == ("Hafen GmbH", "4711", "de-DE")
    assert {
        "email": "a@hafen.example", "address_lines": ("Am Kai 1",), "city": "Hamburg", "country": "DE",
        "postal_code": "20457", "payment_terms_days": 14, "credit_limit": Money(1_000_000, "EUR"),
        "segments": ("A", "VIP"), "tax_id": "DE136695976",
    }.items() <= draft.values.items()  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell", "field"),
    [
        ("Land", "Atlantis", "country"),
        ("E-Mail", "nobody", "email"),
        ("Zahlungsziel", "bald", "payment_terms_days"),
        ("Zahlungsziel", "400", "payment_terms_days"),
        ("Kreditlimit", "viel", "credit_limit"),
        ("Firma", "", "name"),
        ("PLZ", "1" * 21, "postal_code"),
    ],
)
def test_a_wrong_cell_of_a_customer_is_named(column: str, cell: str, field: str) -> None:
    found = read(csv_of([{**CUSTOMER, column: cell}], ";"), ImportKind.CUSTOMERS)
    assert [(error.line, error.column) for error in found.errors] == [(2, field)]


def test_what_only_the_contract_knows_to_be_wrong_is_told_by_row_too() -> None:
    error = wrong_record(ImportKind.CUSTOMERS, customer({"Sprache": "Klingonisch"}))
    assert error is not None
    assert (error.line, error.column) == (2, "locale")


@pytest.mark.parametrize(
    ("cell", "country", "ids"),
    [
        ("DE 136 695 976", "", [("DE", "vat", "DE136695976")]),
        ("EL 094259216", "Germany", [("GR", "vat", "EL094259216")]),
        ("136695976", "Germany", [("DE", "vat", "DE136695976")]),
        ("22/815/08156", "Germany", [("DE", "other", "22/815/08156")]),
        ("04-1234567", "US", [("US", "other", "04-1234567")]),
        ("04-1234567", "", []),
        ("", "Germany", []),
    ],
)
def test_a_tax_id_is_kept_with_its_kind(cell: str, country: str, ids: list[tuple[str, str, str]]) -> None:
    draft = imported_customer(customer({"USt-IdNr": cell, "Land": country}))
    found = draft.values.get("tax_ids", ())
    assert isinstance(found, tuple)
    assert [(one.country, one.kind, one.value) for one in found] == ids
    assert draft.values["tax_id"] == (ids[0][2] if ids else cell)


@pytest.mark.parametrize("cell", ["DE136695977", "hello"])
def test_a_wrong_tax_id_is_named(cell: str) -> None:
    error = wrong_record(ImportKind.CUSTOMERS, customer({"USt-IdNr": cell}))
    assert error is not None
    assert (error.column, error.code, error.params) == ("tax_id", "not_tax_id", {"text": repr(cell)})


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9999-12-31"])
def test_days_of_other_ages_are_none(day: str) -> None:
    row = f"R-1;1;;{day};{day};5,00;;"
    assert [one.code for one in read(DATEV + row, ImportKind.OPEN_INVOICES).errors] == ["day_too_far"]


def test_an_item_has_all_that_the_file_says() -> None:
    found = read(
        "Artikelnummer;Bezeichnung;Einzelpreis;MwSt;Einheit;brutto\nS-1;Seil;1.200,50 €;19 %;Stk;ja\n",
        ImportKind.ITEMS,
    )
    (record,) = found.rows
    assert isinstance(record, Record)
    item = imported_item(record)
    assert (item.sku, item.name, item.unit_price, str(item.tax_rate_percent)) == (
        "S-1", "Seil", Money(120_050, "EUR"), "19",
    )  # fmt: skip
    assert (item.unit_code, item.price_includes_tax) == ("C62", True)


@settings(max_examples=40, deadline=None)
@given(documents())
def test_invoices_that_we_write_as_e_invoices_are_imported_to_the_same_totals(invoice: Invoice) -> None:
    if missing(of_invoice(invoice), SELLER):
        return
    files = [einvoice(of_invoice(invoice), SELLER, syntax, SLIP) for syntax in Syntax]
    files += [pdf_with(files[0]), zip_of({"a.xml": files[0], "__MACOSX/a.xml": b"", "b.txt": b""})]
    for content in files:
        found = read(content)
        if invoice.total.minor_units <= 0:
            assert [error.column for error in found.errors] == ["amount"]
            continue
        (row,) = found.rows
        assert isinstance(row, Row)
        sums = imported_totals(row)
        assert (row.total, row.external_id) == (invoice.total, invoice.number)
        assert sums.total == invoice.total
        assert (row.invoice_date, row.due_date) == (invoice.invoice_date, invoice.due_date)
        if row.taxes:
            assert sums.tax_total == invoice.tax_total


def test_taxes_of_an_e_invoice_are_kept_apart() -> None:
    content = csv_of(
        [
            {
                "invoice number": "A", "customer id": "C", "date": "2026-01-01", "due": "2026-01-01",
                "amount": amount, "taxes": "S 19 100.00 19.00\nS 7 10.00 0.70",
            }
            for amount in ("129.70",)
        ]
    )  # fmt: skip
    (row,) = read(content).rows
    assert isinstance(row, Row)
    assert [str(part.tax) for part in row.taxes] == ["19.00 EUR", "0.70 EUR"]
    (row,) = read(content.replace("129.70", "129.71")).rows
    assert isinstance(row, Row)
    assert row.taxes == ()


@given(st.dates(date(1990, 1, 1), date(2089, 12, 31)), st.sampled_from(DateOrder), st.sampled_from("-/."))
def test_every_day_is_read_as_it_was_written(day: date, order: DateOrder, sign: str) -> None:
    forms = {
        DateOrder.YEAR_MONTH_DAY: "%Y{0}%m{0}%d",
        DateOrder.DAY_MONTH_YEAR: "%d{0}%m{0}%Y",
        DateOrder.MONTH_DAY_YEAR: "%m{0}%d{0}%Y",
    }
    text = day.strftime(forms[order].format(sign))
    assert read_date(text, order) == day
    found = find_date_order([text])
    if order is DateOrder.YEAR_MONTH_DAY:
        assert found is DateOrder.YEAR_MONTH_DAY
    elif day.day > 12:
        assert found is order


@given(st.integers(0, 10**9), st.sampled_from(DecimalSign), st.booleans())
def test_every_amount_is_read_as_it_was_written(cents: int, sign: DecimalSign, grouped: bool) -> None:
    whole = f"{cents // 100:,}" if grouped else str(cents // 100)
    if sign is DecimalSign.COMMA:
        whole = whole.replace(",", ".")
    text = f"{whole}{sign.value}{cents % 100:02}"
    assert find_decimal_sign([text]) is sign
    assert Money.parse(plain_amount(text, sign), "EUR").minor_units == cents


@given(st.text(max_size=40), st.sampled_from([*DecimalSign, None]), st.sampled_from([*DateOrder, None]))
def test_no_text_breaks_dates_and_amounts(
    text: str, sign: DecimalSign | None, order: DateOrder | None
) -> None:
    find_date_order([text])
    find_decimal_sign([text])
    with suppress(ValueError):
        assert plain_amount(text, sign)
    with suppress(ValueError):
        assert read_date(text, order)
