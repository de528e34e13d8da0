"""The e-invoice inside the PDF: found by those who look for it, and missing only for a reason."""

import io
from collections.abc import Iterator
from dataclasses import replace

import pikepdf
import pytest
from facturx import get_level, get_xml_from_pdf
from lxml import etree
from pypdf import PdfReader
from structlog.testing import capture_logs

from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.formats.credit_note_pdf import credit_note_pdf, of_credit_note
from services.invoicing.formats.einvoice import Syntax, einvoice, of_invoice
from services.invoicing.formats.invoice_pdf import invoice_pdf, why_no_einvoice
from tests.support.schematron import Schematron
from tests.unit.invoicing.documents.samples import (
    SELLER,
    SLIP,
    TODAY,
    credit_note_paper,
    discounted,
    plain,
)

BROKEN = "\N{SHIP}"
"""No font that is shipped has it."""


@pytest.fixture(scope="module")
def schematron() -> Iterator[Schematron]:
    oracle = Schematron()
    yield oracle
    oracle.close()


def attachments(pdf: bytes) -> dict[str, pikepdf.Object | None]:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return {str(name): one.obj.get("/AFRelationship") for name, one in opened.attachments.items()}


def xmp(pdf: bytes) -> str:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return opened.Root.Metadata.read_bytes().decode()


async def made(one: Invoice) -> bytes:
    return await invoice_pdf(one, SELLER, locale="de-DE", today=TODAY, slip=SLIP)


async def test_programs_find_the_same_einvoice_in_the_pdf_that_is_given_out_beside_it() -> None:
    pdf = await made(plain())
    name, xml = get_xml_from_pdf(pdf, check_xsd=True)
    assert name == "factur-x.xml"
    assert xml == einvoice(of_invoice(plain()), SELLER, Syntax.CII, SLIP)
    assert get_level(etree.fromstring(xml)) == "en16931"
    assert attachments(pdf) == {"factur-x.xml": pikepdf.Name.Alternative}
    metadata = xmp(pdf)
    for wanted in (
        "<fx:ConformanceLevel>EN 16931<",
        "<fx:DocumentFileName>factur-x.xml<",
        "pdfuaid",
        "pdfaid",
    ):
        assert wanted in metadata, wanted
    assert metadata.count("<pdfaExtension:schemas") == 1
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert opened.Root.MarkInfo.Marked
        assert opened.Root.Lang == "de"
        assert opened.Root.OutputIntents[0].S == pikepdf.Name.GTS_PDFA1
        assert opened.check_pdf_syntax() == []
    assert await made(plain()) == pdf


async def test_credit_notes_hold_theirs_and_it_is_valid(schematron: Schematron) -> None:
    paper = credit_note_paper()
    for syntax in Syntax:
        xml = einvoice(of_credit_note(paper), SELLER, syntax)
        assert schematron.failures(xml, syntax.value) == []
    _, inside = get_xml_from_pdf(await credit_note_pdf(paper), check_xsd=True)
    assert inside == einvoice(of_credit_note(paper), SELLER, Syntax.CII)
    for term in ("381", "CN-000003", "INV-000042"):
        assert term in inside.decode(), term


async def test_without_it_the_document_is_archivable_and_the_reason_is_written_down() -> None:
    lonely = replace(SELLER, tax_id="")
    with capture_logs() as logs:
        pdf = await invoice_pdf(plain(), lonely, locale="de-DE", today=TODAY)
    assert [(one["event"], one["missing"]) for one in logs] == [("pdf.without_einvoice", ["your tax id"])]
    assert attachments(pdf) == {}
    assert "pdfaid" in xmp(pdf)
    assert "fx:" not in xmp(pdf)


def test_drafts_and_voided_invoices_have_none() -> None:
    for status, number in ((Status.DRAFT, None), (Status.VOID, "INV-000042")):
        assert why_no_einvoice(replace(plain(), status=status, number=number), SELLER)
    assert why_no_einvoice(replace(plain(), lines=()), SELLER)
    assert why_no_einvoice(discounted(), SELLER) == []


async def test_a_sign_that_no_font_has_is_a_box_on_paper_and_itself_in_the_einvoice() -> None:
    odd = replace(plain(), memo=f"{BROKEN} ahoi {BROKEN}")
    with capture_logs() as logs:
        pdf = await made(odd)
    assert [(one["event"], one["is_archivable"]) for one in logs] == [("pdf.simplified", True)]
    assert "pdfaid" in xmp(pdf)
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    assert "□ ahoi □" in text
    _, inside = get_xml_from_pdf(pdf, check_xsd=True)
    assert f"{BROKEN} ahoi {BROKEN}" in inside.decode()


async def test_too_many_such_signs_cost_the_seal_but_neither_the_invoice_nor_the_einvoice() -> None:
    odd = replace(plain(), memo=" ".join(chr(ord(BROKEN) + at) for at in range(20)))
    with capture_logs() as logs:
        pdf = await made(odd)
    assert [(one["event"], one["is_archivable"]) for one in logs] == [("pdf.simplified", False)]
    assert "pdfaid" not in xmp(pdf)
    assert list(attachments(pdf)) == ["factur-x.xml"]
    _, inside = get_xml_from_pdf(pdf, check_xsd=True)
    assert BROKEN in inside.decode()
