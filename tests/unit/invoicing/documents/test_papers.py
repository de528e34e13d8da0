"""What documents say, page by page, in every language; and that they come out whatever people wrote."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pikepdf
import pytest
from pypdf import PdfReader
from structlog.testing import capture_logs

from chassis.papers.writing import catalogue, languages
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.dunning import Notice
from services.invoicing.domain.invoice import Buyer, Invoice
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line
from services.invoicing.formats.credit_note_pdf import credit_note_pdf
from services.invoicing.formats.dunning_letter_pdf import dunning_letter_pdf
from services.invoicing.formats.invoice_pdf import ShownReduction, document, invoice_pdf
from services.invoicing.formats.wording import WORDS, Writer, legal_language
from tests.unit.invoicing.documents.samples import (
    BUYER,
    SAUDI_SELLER,
    SELLER,
    SLIP,
    TODAY,
    american,
    credit_note_paper,
    discounted,
    eur,
    final,
    long,
    plain,
    reverse_charge,
    saudi,
)
from tests.unit.invoicing.test_invoice import NOW

NAUGHTY = Path(__file__).parents[3] / "data" / "text" / "naughty-strings.json"


def pages_of(pdf: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


async def pages(
    one: Invoice, locale: str, organization: Organization = SELLER, reductions: Sequence[ShownReduction] = ()
) -> list[str]:
    return pages_of(
        await invoice_pdf(one, organization, locale=locale, today=TODAY, slip=SLIP, reductions=reductions)
    )


def holds(page: str, *wanted: str) -> None:
    for text in wanted:
        assert text in page, text


async def test_an_invoice_in_german_offers_its_discount_and_names_periods_and_articles() -> None:
    (page,) = await pages(plain(), "de-DE")
    holds(
        page, "Rechnung", "RECHNUNG AN", "Blue Anchor GmbH", "22765 Hamburg", "1. Dezember 2026", "ROPE-12",
        "01.11.2026 – 30.11.2026", "USt. 19 % auf 475,00 €", "90,25 €", "Gesamtbetrag", "565,25 €",
        "bis zum 25. Dezember 2026", "2 % Skonto (11,31 €)", "553,94 €", "VERWENDUNGSZWECK".title(), "Seite 1 von 1",
    )  # fmt: skip


async def test_a_line_that_cannot_be_broken_stays_on_the_page_and_out_of_its_neighbours() -> None:
    wide = replace(plain(), buyer=replace(BUYER, address_lines=("W" * 200,)))
    pdf = await invoice_pdf(wide, SELLER, locale="de-DE", today=TODAY, slip=SLIP)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        width = float(opened.pages[0].mediabox[2])
    found: list[tuple[float, str]] = []

    def look(text: str, _cm: list[float], tm: list[float], _font: object, size: float) -> None:
        if set(text.strip("\n\u200b ")) == {"W"}:
            found.append((tm[4] + len(text.strip()) * size * 0.5, text))

    PdfReader(io.BytesIO(pdf)).pages[0].extract_text(visitor_text=look)
    assert sum(text.count("W") for _, text in found) == 200
    assert max(end for end, _ in found) < width / 2


async def test_a_letter_greets_says_how_to_pay_and_closes_in_the_language_of_its_text() -> None:
    due = Notice(
        notice_id="dun_1", invoice_id="inv_1", customer_id="cus_1", level=2, title="1. Mahnung",
        text="auf Rechnung INV-000042 haben wir 565,25 € noch nicht erhalten.", locale="de",
        amount=eur(56_525), issued_on=TODAY, deadline_on=TODAY, fee_invoice_id="", letter=True, mail=True,
        invoice_number="INV-000042", interest=eur(700), fees=eur(0),
    )  # fmt: skip
    owner = Customer(
        customer_id="cus_1", name="Blue Anchor", email="", external_id=None, currency="EUR", locale="de-DE",
        address_lines=("Elbchaussee 7",), country="DE", tax_id="", payment_terms_days=14, created_at=NOW,
    )  # fmt: skip
    (page,) = pages_of(await dunning_letter_pdf(due, plain(), SELLER, owner, fee=None))
    holds(
        page, "Guten Tag, auf Rechnung INV-000042", "Online bezahlen Sie im Kundenportal von Hafen",
        "geben Sie bitte INV-000042 an", "eigene Rechnungen", "7,00 €", "572,25 €", "Mit freundlichen Grüßen",
    )  # fmt: skip
    (page,) = pages_of(await dunning_letter_pdf(due, plain(), SELLER, owner, fee=None, slip=SLIP))
    holds(page, "Per Überweisung bezahlen".upper(), "IBAN")
    theirs = replace(due, locale="nb", text="Vi kan ikke se å ha mottatt pengene.")
    (page,) = pages_of(await dunning_letter_pdf(theirs, plain(), SELLER, owner, fee=None))
    assert "Guten Tag" not in page


async def test_discounts_taxes_payments_and_credit_notes_add_up_on_the_page() -> None:
    shown = [ShownReduction("credit_note_numbered", eur(1_000), "CN-000003")]
    text = " ".join(await pages(discounted(), "en-GB", reductions=shown))
    holds(
        text, "10 %", "€90.00", "€5.00", "Sum of lines €145.00", "Discount 5 % − €7.25", "Subtotal €137.75",
        "Tax 7 % on €52.25 €3.66", "Tax 19 % on €85.50 €16.25", "Total €157.66", "Paid − €30.00",
        "Credit note CN-000003 − €10.00", "Credited − €5.00", "Amount due €112.66", "PO-2026-7788",
        "Delivered to the boat house.",
    )  # fmt: skip


async def test_what_bears_no_tax_says_why_in_the_readers_words() -> None:
    holds((await pages(reverse_charge(), "fr-FR"))[0], "Autoliquidation : la taxe est due par le client.")
    holds((await pages(reverse_charge(), "de-DE"))[0], "Steuerschuldnerschaft des Leistungsempfängers.")
    holds(
        (await pages(american(), "en-US"))[0],
        "State 4.5 %", "County 3.875 % on $960.00", "On $50.00: Exempt from tax. Certificate 4711",
    )  # fmt: skip


async def test_where_law_wants_its_language_it_stands_beside_the_readers() -> None:
    data = document(saudi(), SAUDI_SELLER, locale="en-US", today=TODAY)
    assert data["words"]["invoice"] == ["Invoice", "فاتورة"]
    assert data["language"] == "en"
    arabic = document(saudi(), SAUDI_SELLER, locale="ar-SA", today=TODAY)
    assert (arabic["words"]["invoice"], arabic["right_to_left"]) == (["فاتورة"], True)
    quebec = replace(SELLER, country="CA", region="QC")
    assert legal_language(quebec) == "fr"
    assert Writer(quebec, "en-CA").say("paid") == ["Paid", "Payé"]
    assert len(await pages(saudi(), "en-US", SAUDI_SELLER)) == len(await pages(saudi(), "ar", SAUDI_SELLER))


async def test_long_invoices_number_their_pages_and_repeat_their_head() -> None:
    found = await pages(long(70), "en-GB")
    assert len(found) == 3
    for at, page in enumerate(found, start=1):
        holds(page, f"Page {at} of 3", "DESCRIPTION")
    holds(found[1], "Hafen Invoice INV-000042")


async def test_a_credit_note_says_what_it_takes_off_which_invoice_and_where_the_money_is() -> None:
    (page,) = pages_of(await credit_note_pdf(credit_note_paper()))
    holds(
        page, "Rechnungskorrektur", "CN-000003", "INV-000042", "20. November 2026", "Two ropes and a book",
        "22,97 €", "USt. 19 % auf 19,32 €", "3,65 €", "27,98 €", "Ihr Guthaben, da schon bezahlt", "10,00 €",
    )  # fmt: skip
    assert len(pages_of(await credit_note_pdf(credit_note_paper(locale="ar")))) == 1


def test_every_language_has_every_text_with_the_same_places_for_values() -> None:
    english = catalogue(WORDS, "en")
    assert languages(WORDS) >= {"en", "de", "fr", "ar"}
    for language in languages(WORDS):
        texts = catalogue(WORDS, language)
        assert texts.keys() == english.keys(), language
        for key, text in texts.items():
            assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", english[key])), (
                language,
                key,
            )


def test_what_people_wrote_is_never_taken_for_a_place_for_a_value() -> None:
    texts = Writer(SELLER, "en").say("pay_online", seller="{day} {seller}", day="today")
    assert texts[0].endswith("portal of {day} {seller}. Please pay by today.") or "today {seller}" in texts[0]


def naughty_texts() -> list[str]:
    texts = [text for text in json.loads(NAUGHTY.read_text()) if text]
    assert len(texts) > 400
    return ["\n".join(texts[at : at + 130]) for at in range(0, len(texts), 130)]


@pytest.mark.parametrize("locale", ["en-US", "ar"])
async def test_naughty_strings_lose_no_invoice(locale: str) -> None:
    for text in naughty_texts():
        odd = replace(
            final([Line(text, Decimal(1), eur(100), Decimal(0))]), memo=text, purchase_order_number=text[:40],
            buyer=Buyer(text[:80], (text[:80],), "JP", text[:20]),
        )  # fmt: skip
        seller = replace(SELLER, name=text[:60], display_name=text[:60])
        pdf = await invoice_pdf(odd, seller, locale=locale, today=TODAY, slip=SLIP)
        assert pdf.startswith(b"%PDF-")


@pytest.mark.parametrize("text", ["日本語の請求書", "한국어 청구서", "发票", "فاتورة", "Счёт", "Τιμολόγιο"])
async def test_common_scripts_have_a_font_so_that_the_document_stays_archivable(text: str) -> None:
    pdf = await invoice_pdf(
        final([Line(text, Decimal(1), eur(100), Decimal(0))]), SELLER, locale="en", today=TODAY
    )
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert b"pdfaid" in opened.Root.Metadata.read_bytes()


@pytest.mark.parametrize(
    "name", ["บริษัท ท่าเรือ จำกัด", "नमस्ते व्यापार", "שלום סחר", "Ελλάς", "Привет", "株式会社", "안녕"]
)
async def test_a_name_in_another_script_is_on_the_paper_and_costs_nothing(name: str) -> None:
    buyer = replace(plain().buyer, name=name, legal_name="")
    with capture_logs() as logs:
        await pages(replace(plain(), buyer=buyer), "en-GB")
    assert [one for one in logs if one["event"] == "pdf.simplified"] == []
