"""Staff pages: who may open them, what they show, and that they stand when a service is away."""

import pytest

from tests.support.back_office.books import ACCOUNTANT, AUDITOR, PASSWORD
from tests.support.back_office.money_back import Ledger, ReceivablesLedger
from tests.support.back_office.office import Office, value_of
from tests.support.documents import WITHOUT_EINVOICE

PAGES = (
    "/console",
    "/console/invoices",
    "/console/invoices?show=overdue&q=anchor",
    "/console/invoices/inv_285",
    "/console/einvoices/inv_285",
    "/console/einvoices/inv_3",
    "/console/invoices/new",
    "/console/invoices/new?customer=cus_3",
    "/console/customers",
    "/console/customers/cus_3?show=all",
    "/console/customers/cus_3/history",
    "/console/customers/proposals",
    "/console/customers/new",
    "/console/customers/cus_3/edit",
    "/console/payments",
    "/console/payments?show=checking",
    "/console/payments/pay_7",
    "/console/payments/pay_7/refund",
    "/console/payments/record?customer=cus_13",
    "/console/chargebacks",
    "/console/books",
    "/console/customers/cus_3/pay",
    "/console/messages",
    "/console/import",
    "/console/items",
    "/console/items/new",
    "/console/items/itm_1/edit",
    "/console/settings/taxes",
    "/console/account",
)
WRITING = (
    "/console/invoices/new",
    "/console/customers/new",
    "/console/customers/cus_3/edit",
    "/console/payments/record",
    "/console/import",
)


@pytest.mark.parametrize("language", ["en-US", "de", "ar"])
async def test_every_page_opens_for_the_owner(house: Office, language: str) -> None:
    browser = await house.signed_in(**{"accept-language": language})
    for address in PAGES:
        answer = await browser.get(address)
        assert answer.status_code == 200, (address, answer.text[:300])
        assert f'<html lang="{language}"' in answer.text


async def test_every_page_says_when_the_books_are_frozen(
    house: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ledger, "frozen", True)
    browser = await house.signed_in()
    for address in PAGES:
        assert "no new money is moved" in (await browser.get(address)).text, address
    answer = await browser.get("/console/books")
    assert "Books of receivables" not in answer.text
    assert "trial balance is not zero" in answer.text
    assert "Lift the freeze" in answer.text


async def test_nobody_sees_a_page_without_signing_in(house: Office) -> None:
    browser = house.browser()
    for address in PAGES:
        answer = await browser.get(address)
        assert answer.status_code == 303, address
        assert answer.headers["location"].startswith("/console/login")


async def test_a_customer_cannot_sign_in_to_the_console(house: Office) -> None:
    browser = house.browser()
    csrf = value_of((await browser.get("/console/login")).text, "csrf")
    form = {"csrf": csrf, "email": "buyer@anchor.test", "password": PASSWORD}
    answer = await browser.post("/console/login", data=form)
    assert answer.status_code == 422
    assert "This is the staff" in answer.text
    assert (await browser.get("/console")).status_code == 303


async def test_signing_in_never_leads_out_of_the_console(house: Office) -> None:
    browser = house.browser()
    csrf = value_of((await browser.get("/console/login")).text, "csrf")
    form = {"csrf": csrf, "email": ACCOUNTANT, "password": PASSWORD, "next": "//evil.test/console/x"}
    answer = await browser.post("/console/login", data=form)
    assert answer.headers["location"] == "/console"


async def test_an_auditor_reads_everything_and_is_offered_nothing(house: Office) -> None:
    browser = await house.signed_in(AUDITOR)
    for address in ("/console", "/console/invoices", "/console/customers", "/console/payments"):
        text = (await browser.get(address)).text
        assert "/console/invoices/new" not in text, address
        assert "/console/payments/record" not in text, address
    assert "Your role may look" in (await browser.get("/console/invoices")).text
    assert "Void this invoice" not in (await browser.get("/console/invoices/inv_285")).text


async def test_an_auditor_who_types_the_address_is_told_in_words(house: Office) -> None:
    browser = await house.signed_in(AUDITOR)
    for address in WRITING:
        answer = await browser.get(address)
        assert answer.status_code == 403, address
        assert "Your role does not allow this." in answer.text


async def test_the_services_refuse_an_auditor_who_makes_a_form_of_their_own(house: Office) -> None:
    browser = await house.signed_in(AUDITOR)
    csrf = value_of((await browser.get("/console")).text, "csrf")
    answer = await browser.post(
        "/console/invoices/inv_285/void", data={"csrf": csrf, "key": "k" * 20, "reason": "Because"}
    )
    assert answer.status_code == 403
    assert "VoidInvoice" not in house.books.calls


async def test_a_form_without_the_token_changes_nothing(house: Office) -> None:
    browser = await house.signed_in()
    answer = await browser.post("/console/invoices/inv_285/void", data={"reason": "Because"})
    assert answer.status_code == 403
    assert "VoidInvoice" not in house.books.calls


async def test_the_dashboard_stands_while_a_service_is_away(house: Office) -> None:
    browser = await house.signed_in()
    house.books.away = {"payments"}
    answer = await browser.get("/console")
    assert answer.status_code == 200
    assert "Payments cannot be reached just now" in answer.text
    assert "Open by age" in answer.text


async def test_pictures_have_their_figures_in_words_and_as_a_table(house: Office) -> None:
    text = (await (await house.signed_in()).get("/console")).text
    assert "Money came in on " in text
    assert text.count("Show as a table") == 2
    assert "Over 90 days late" in text


async def test_lists_go_on_from_page_to_page_and_keep_their_tab(house: Office) -> None:
    browser = await house.signed_in()
    first = (await browser.get("/console/invoices?show=paid")).text
    assert "/console/invoices?show=paid&amp;page=50" in first
    second = (await browser.get("/console/invoices?show=paid&page=50")).text
    assert "To the first page" in second


async def test_a_foreign_invoice_looks_like_none(house: Office) -> None:
    answer = await (await house.signed_in()).get("/console/invoices/inv_foreign")
    assert answer.status_code == 404


async def test_a_document_is_handed_over_as_a_file(house: Office) -> None:
    answer = await (await house.signed_in()).get("/console/invoices/inv_285/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_an_einvoice_is_a_file_and_where_there_is_none_the_page_says_so(house: Office) -> None:
    browser = await house.signed_in()
    answer = await browser.get("/console/invoices/inv_285/xml")
    assert answer.headers["content-type"] == "application/xml"
    assert 'filename="inv_285.xml"' in answer.headers["content-disposition"]
    assert "/console/invoices/inv_285/xml" in (await browser.get("/console/invoices/inv_285")).text
    refused = await browser.get(f"/console/invoices/{WITHOUT_EINVOICE}/xml")
    assert (refused.status_code, refused.headers["location"]) == (
        303,
        f"/console/invoices/{WITHOUT_EINVOICE}",
    )
    assert "There is no e-invoice of this invoice" in (await browser.get("/console/invoices/inv_285")).text
    note = await browser.get("/console/credit-notes/crn_1/pdf")
    assert note.headers["content-type"] == "application/pdf"


async def test_a_freeze_of_the_receivables_is_lifted_on_the_books_page(
    house: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReceivablesLedger, "frozen", True)
    browser = await house.signed_in()
    page = (await browser.get("/console/books")).text
    assert "I5 paid is not the sum of allocations" in page
    form = {"csrf": value_of(page, "csrf"), "key": "k1", "receivables_reason": ""}
    answer = await browser.post("/console/books/lift_receivables", data=form)
    assert (answer.status_code, 'id="receivables_reason-error"' in answer.text) == (422, True)
    form["receivables_reason"] = "Put right"
    answer = await browser.post("/console/books/lift_receivables", data=form)
    assert answer.status_code == 303
    assert "Books of receivables" not in (await browser.get("/console/books")).text
