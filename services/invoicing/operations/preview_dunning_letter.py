"""Show the letter of a level while it is written."""

from datetime import date, timedelta

from chassis.caller import current_call
from chassis.database import Database, ReadTx
from chassis.errors import not_found
from services.invoicing.domain.dunning import Level, Notice
from services.invoicing.formats.dunning_letter_pdf import dunning_letter_pdf, file_name_of
from services.invoicing.formats.dunning_texts import wording
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoice_lists import InvoiceFilter, InvoiceQuery, list_invoices
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.owed_besides import owed_besides
from tallyport.invoicing.v1 import dunning_pb2 as pb


async def preview_dunning_letter(
    db: Database, level: Level, *, locale: str, invoice_id: str
) -> pb.DunningLetterPreview:
    """Text and letter about an invoice, the one that is late longest where none is named. INVOICE_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        invoice = await get_invoice(tx, invoice_id or await _late_longest(tx, today))
        customer = await get_customer(tx, invoice.customer_id)
        interest, fees = await owed_besides(tx, invoice.invoice_id, invoice.currency)
    text, fee = level.text_for(locale), level.fee_in(invoice.currency)
    amount, deadline = invoice.due - invoice.in_dispute, today + timedelta(days=level.deadline_days)
    number = invoice.number or ""
    notice = Notice(
        notice_id="preview", invoice_id=invoice.invoice_id, customer_id=invoice.customer_id, level=1,
        title=text.title,
        text=wording(
            text, number=number, amount=amount, due_date=invoice.due_date, deadline=deadline, fee=fee
        ),
        locale=text.locale, amount=amount, issued_on=today, deadline_on=deadline, fee_invoice_id="",
        letter=level.letter, mail=level.mail, invoice_number=number, interest=interest,
        fees=fees if fee is None else fees + fee,
    )  # fmt: skip
    content = await dunning_letter_pdf(notice, invoice, organization, customer, fee=fee)
    letter = pb.DunningLetterPdf(
        content=content, media_type="application/pdf", file_name=file_name_of(notice)
    )
    return pb.DunningLetterPreview(text=notice.text, invoice_number=number, letter=letter)


async def _late_longest(tx: ReadTx, today: date) -> str:
    """An open invoice, or else any that was issued."""
    for filter_ in (InvoiceFilter.PAYABLE, InvoiceFilter.ALL):
        query = InvoiceQuery(page_size=1, page_token="", today=today, filter=filter_, with_drafts=False)
        page, _ = await list_invoices(tx, query)
        if page:
            return page[0].invoice_id
    raise not_found("invoice")
