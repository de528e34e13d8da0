"""The credit note as a PDF with its e-invoice inside, and as a document of EN 16931."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.invoicing.domain.credit_note import CreditLine, CreditNote
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line, TaxGroup
from services.invoicing.domain.tax_correction import CorrectedGroup, shares_of
from services.invoicing.formats import einvoice, invoice_pdf
from services.invoicing.formats.paper import file_name, letterhead, party, print_paper
from services.invoicing.formats.wording import Writer

TEMPLATE = "credit_note.typ"
_LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNotePaper:
    """A credit note, the invoice it is about, and how it corrects the invoice's groups of taxes."""

    note: CreditNote
    invoice: Invoice
    organization: Organization
    locale: str
    corrected: tuple[CorrectedGroup, ...]


def file_name_of(paper: CreditNotePaper, ending: str = "pdf") -> str:
    """A name that every file system takes."""
    return file_name("credit-note", paper.note.number, paper.note.credit_note_id, ending=ending)


def why_no_einvoice(paper: CreditNotePaper) -> list[str]:
    """Why there is no e-invoice of it, in words; empty when there is one."""
    return invoice_pdf.why_no_einvoice(paper.invoice, paper.organization)


async def credit_note_pdf(paper: CreditNotePaper) -> bytes:
    """The document. The same credit note gives the same bytes; it always comes out: see print_paper."""
    xml = None
    if not why_no_einvoice(paper):
        xml = await invoice_pdf.embeddable(of_credit_note(paper), paper.organization)
    at = paper.note.created_at or paper.invoice.created_at
    return await print_paper(TEMPLATE, document(paper), at=at, xml=xml)


def of_credit_note(paper: CreditNotePaper) -> einvoice.Document:
    """One line for each group of taxes, so that it corrects tax to the cent."""
    note = paper.note
    groups = _groups(paper)
    return einvoice.Document(
        type_code=einvoice.CREDIT_NOTE, number=note.number, issued_on=note.issued_on, due_on=None,
        lines=[_line(group, paper) for group in groups], groups=groups, prices_include_tax=False,
        buyer=paper.invoice.buyer, note=note.reason,
        purchase_order_number=paper.invoice.purchase_order_number,
        corrects=(note.invoice_number, paper.invoice.invoice_date),
    )  # fmt: skip


def document(paper: CreditNotePaper) -> dict[str, Any]:
    """Everything the template shows, as texts of the reader's locale."""
    note, writer = paper.note, Writer(paper.organization, paper.locale)
    title = f"{writer.word('credit_note')} {note.number}"
    return letterhead(paper.organization, writer, title=title) | {
        "buyer": party(paper.invoice.buyer, writer),
        "number": note.number,
        "date": writer.day(note.issued_on),
        "invoice_number": note.invoice_number,
        "reason": note.reason,
        "lines": [_shown(line, writer) for line in note.lines],
        "has_tax": not note.tax.is_zero,
        "subtotal": writer.money(note.subtotal),
        "taxes": [
            {
                "words": invoice_pdf.tax_on(writer, tax.name, tax.rate_percent, tax.taxable),
                "amount": writer.money(tax.tax),
            }
            for tax in note.taxes
            if not tax.tax.is_zero
        ],
        "total": writer.money(note.total),
        "off_due": writer.money(note.total - note.to_credit),
        "to_credit": "" if note.to_credit.is_zero else writer.money(note.to_credit),
    }


def _shown(line: CreditLine, writer: Writer) -> dict[str, str]:
    return {
        "description": line.description,
        "quantity": writer.number(line.quantity) if line.quantity else "",
        "amount": writer.money(line.amount),
    }


def _groups(paper: CreditNotePaper) -> list[TaxGroup]:
    shares = {share.group_no: share for share in shares_of(paper.invoice)}
    return [
        TaxGroup(shares[one.group_no].taxes, one.taxable, one.taxable - one.taxable, one.taxable, one.amounts)
        for one in paper.corrected
        if one.group_no in shares and not one.taxable.is_zero
    ]


def _line(group: TaxGroup, paper: CreditNotePaper) -> Line:
    about = _described(paper.note.lines, group, paper.invoice)
    return Line(
        about[:_LONGEST_DESCRIPTION] or paper.note.reason, Decimal(1), group.taxable, group.rate_percent,
        taxes=group.taxes,
    )  # fmt: skip


def _described(lines: Sequence[CreditLine], group: TaxGroup, invoice: Invoice) -> str:
    """The lines that bear the group's taxes, and those about all of the invoice."""
    return "; ".join(
        line.description
        for line in lines
        if line.invoice_line_no is None or invoice.lines[line.invoice_line_no - 1].all_taxes == group.taxes
    )
