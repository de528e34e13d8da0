"""Get an invoice or a credit note for machines, and a credit note's document."""

import asyncio
from collections.abc import Sequence

from chassis.caller import current_call
from chassis.database import Database
from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.invoicing.formats import credit_note_pdf as notes
from services.invoicing.formats import einvoice as machine
from services.invoicing.formats.invoice_pdf import file_name_of, why_no_einvoice
from services.invoicing.operations.visibility import must_see_credit_note, must_see_family_invoice
from services.invoicing.payments import FindTransferSlip
from services.invoicing.store import credit_notes as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.organizations import get_organization


async def get_invoice_xml(
    db: Database, find_slip: FindTransferSlip, invoice_id: str, syntax: machine.Syntax
) -> tuple[str, bytes]:
    """(file name, XML). E_INVOICE_NOT_POSSIBLE with what is missing."""
    async with db.read(current_call().organization_id) as tx:
        invoice = await get_invoice(tx, invoice_id)
        await must_see_family_invoice(tx, invoice)
        organization = await get_organization(tx)
    _must_be_possible(why_no_einvoice(invoice, organization))
    slip = await find_slip(organization.organization_id, invoice)
    xml = await asyncio.to_thread(machine.einvoice, machine.of_invoice(invoice), organization, syntax, slip)
    return file_name_of(invoice, "xml"), xml


async def get_credit_note_xml(db: Database, credit_note_id: str, syntax: machine.Syntax) -> tuple[str, bytes]:
    """(file name, XML). E_INVOICE_NOT_POSSIBLE with what is missing."""
    paper = await _read_credit_note(db, current_call().organization_id, credit_note_id)
    _must_be_possible(notes.why_no_einvoice(paper))
    xml = await asyncio.to_thread(machine.einvoice, notes.of_credit_note(paper), paper.organization, syntax)
    return notes.file_name_of(paper, "xml"), xml


async def get_credit_note_pdf(db: Database, credit_note_id: str) -> tuple[str, bytes]:
    """(file name, PDF) in the customer's language."""
    paper = await _read_credit_note(db, current_call().organization_id, credit_note_id)
    return notes.file_name_of(paper), await notes.credit_note_pdf(paper)


async def get_credit_note_delivery(
    db: Database, organization_id: str, credit_note_id: str
) -> tuple[str, bytes, Money]:
    """(file name, PDF, what is still to pay on its invoice now) for the mail that brings it."""
    paper = await _read_credit_note(db, organization_id, credit_note_id)
    return notes.file_name_of(paper), await notes.credit_note_pdf(paper), paper.invoice.due


async def _read_credit_note(db: Database, organization_id: str, credit_note_id: str) -> notes.CreditNotePaper:
    async with db.read(organization_id) as tx:
        note = await store.get_credit_note(tx, credit_note_id)
        invoice = await get_invoice(tx, note.invoice_id)
        await must_see_credit_note(tx, invoice)
        customer = await get_customer(tx, invoice.customer_id)
        return notes.CreditNotePaper(
            note=note, invoice=invoice, organization=await get_organization(tx), locale=customer.locale,
            corrected=tuple(await store.corrected_by(tx, note)),
        )  # fmt: skip


def _must_be_possible(lacking: Sequence[str]) -> None:
    if lacking:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "E_INVOICE_NOT_POSSIBLE",
            f"There is no e-invoice of this: it needs {', '.join(lacking)}.",
        )  # fmt: skip
