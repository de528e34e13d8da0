"""The document: whatever people wrote, an invoice comes out."""

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import segno
from pypdf import PdfReader

from chassis.money import Money
from services.invoicing.domain.invoice import Buyer, Invoice
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line
from services.invoicing.domain.transfer_slip import TransferSlip
from services.invoicing.formats.invoice_pdf import document, file_name_of, invoice_pdf
from tests.unit.invoicing.test_invoice import BUYER, NOW, invoice, usd

TODAY = date(2026, 12, 15)
SELLER = Organization(
    organization_id="org_1", name="Harbor Supply Company, Inc.", display_name="Harbor Supply", currency="USD",
    time_zone="America/New_York", locale="en-US", address_lines=("88 Commercial Wharf",), city="Boston",
    region="MA", postal_code="02110", country="US", tax_id="04-1234567",
    contact_email="billing@harbor.example", contact_phone="", brand_color="#0b6e69", logo=b"",
    logo_media_type="", version=1,
)  # fmt: skip


def final(*lines: Line) -> Invoice:
    return invoice().with_lines(lines).finalized("INV-000042", BUYER, NOW)


def text_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


async def test_the_document_tells_what_is_owed_to_whom_and_when() -> None:
    rope = Line("Rope, 12 mm", Decimal("2.5"), usd(1_000), Decimal("6.25"))
    (page,) = text_of(await invoice_pdf(final(rope), SELLER, locale="en-US", today=TODAY))
    for wanted in ("INV-000042", "Blue Anchor", "Rope, 12 mm", "$26.56", "Tax 6.25", "December 1, 2026",
                   "14 days overdue", "Page 1 of 1", "Harbor Supply Company, Inc."):  # fmt: skip
        assert wanted in page, wanted


async def test_long_invoices_repeat_their_head_and_number_their_pages() -> None:
    lines = [Line(f"Item {at}", Decimal(1), usd(100), Decimal(0)) for at in range(120)]
    pages = text_of(await invoice_pdf(final(*lines), SELLER, locale="en-US", today=TODAY))
    assert len(pages) >= 4
    for at, page in enumerate(pages, start=1):
        assert f"Page {at} of {len(pages)}" in page
        assert "DESCRIPTION" in page
    assert all(any(f"Item {at}\n" in page or f"Item {at} " in page for page in pages) for at in (0, 60, 119))


@pytest.mark.parametrize(
    "text",
    [
        "日本語 العربية 🚢 \u200b\u202e",
        "#pagebreak() *bold* @ref $x$ \\ `raw` <b>",
        '"]; panic("',
        "a" * 500,
        "\t\n",
    ],
)
async def test_no_text_keeps_the_invoice_from_coming_out(text: str) -> None:
    odd = replace(
        final(Line(text, Decimal(1), usd(100), Decimal(0))),
        memo=text, purchase_order_number=text, buyer=Buyer(text, (text,), "JP", text),
    )  # fmt: skip
    pdf = await invoice_pdf(odd, replace(SELLER, name=text, display_name=text), locale="ja", today=TODAY)
    assert pdf.startswith(b"%PDF-")


async def test_a_logo_that_cannot_be_drawn_is_left_out() -> None:
    for logo, kind in ((b"junk", "image/png"), (b"<svg", "image/svg+xml"), (b"x", "image/gif")):
        seller = replace(SELLER, logo=logo, logo_media_type=kind)
        assert (await invoice_pdf(final(rope()), seller, locale="en-US", today=TODAY)).startswith(b"%PDF-")


def rope() -> Line:
    return Line("Rope", Decimal(1), usd(100), Decimal(0))


async def test_the_same_invoice_gives_the_same_bytes() -> None:
    one = await invoice_pdf(final(rope()), SELLER, locale="en-US", today=TODAY)
    assert await invoice_pdf(final(rope()), SELLER, locale="en-US", today=TODAY) == one


@pytest.mark.parametrize(
    ("locale", "due"),
    [
        ("de-DE", "1.234,56\xa0€"),
        ("fr", "1\u202f234,56\xa0€"),
        ("ja", "€1,234.56"),
        ("xx-nowhere", "€1,234.56"),
        ("", "€1,234.56"),
    ],
)
def test_amounts_are_written_for_the_reader_as_far_as_the_font_can(locale: str, due: str) -> None:
    euros = replace(
        final(rope()), subtotal=Money(123_456, "EUR"), tax_total=Money(0, "EUR"),
        total=Money(123_456, "EUR"), paid=Money(0, "EUR"), credited=Money(0, "EUR"), lines=(),
    )  # fmt: skip
    assert document(euros, SELLER, locale=locale, today=TODAY)["due"] == due


SLIP = TransferSlip(
    account_holder="Harbor Supply Company, Inc.", account_number="DE02120300000000202051", bic="BYLADEM1001",
    bank_name="", reference="RF29INV000042", epc_qr_payload="BCD\n002\n1\nSCT\nBYLADEM1001\nHarbor Supply",
)  # fmt: skip


async def test_an_invoice_with_a_slip_tells_where_to_transfer_to_and_shows_the_code() -> None:
    pdf = await invoice_pdf(final(rope()), SELLER, locale="en-US", today=TODAY, slip=SLIP)
    (page,) = text_of(pdf)
    for wanted in ("PAY BY BANK TRANSFER", "DE02 1203 0000 0000 2020 51", "BYLADEM1001", "RF29 INV0 0004 2",
                   "Scan with your banking app"):  # fmt: skip
        assert wanted in page, wanted
    data = document(final(rope()), SELLER, locale="en-US", today=TODAY, slip=SLIP)
    code = segno.make_qr(SLIP.epc_qr_payload.encode(), error="m", boost_error=False)
    picture = io.BytesIO()
    code.save(picture, kind="svg", border=4, xmldecl=False, light="#fff", omitsize=True)
    assert data["transfer"]["qr"] == picture.getvalue().decode()


async def test_an_account_without_an_iban_has_no_code_and_is_named_for_what_it_is() -> None:
    slip = replace(SLIP, account_number="000123456789", bic="021000021", epc_qr_payload="")
    (page,) = text_of(await invoice_pdf(final(rope()), SELLER, locale="en-US", today=TODAY, slip=slip))
    for wanted in ("Account number", "000123456789", "Routing number"):
        assert wanted in page, wanted
    assert "Scan" not in page
    (page,) = text_of(await invoice_pdf(final(rope()), SELLER, locale="en-US", today=TODAY))
    assert "PAY BY BANK TRANSFER" not in page


def test_file_names_hold_nothing_that_a_file_system_minds() -> None:
    assert file_name_of(final(rope())) == "invoice-INV-000042.pdf"
    assert file_name_of(replace(final(rope()), number="../../x y\\é")) == "invoice-x-y.pdf"
    assert file_name_of(replace(final(rope()), number="日本")) == "invoice-inv_1.pdf"
