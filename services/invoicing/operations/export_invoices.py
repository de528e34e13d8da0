"""Stream all invoices of a filter."""

from collections.abc import AsyncIterator
from datetime import date

from chassis.database import Database
from services.invoicing.operations.asked_invoices import AskedInvoice
from services.invoicing.operations.list_invoices import list_invoices
from services.invoicing.store.invoice_lists import InvoiceFilter

_PAGE_SIZE = 500


async def export_invoices(
    db: Database, *, filter_: InvoiceFilter, customer_id: str
) -> AsyncIterator[tuple[AskedInvoice, date]]:
    """Each invoice with today in the organization's zone, in the order of the list.

    Read page by page, each in a transaction of its own: memory stays bounded, and no snapshot is held while a slow
    reader reads.
    """
    token = ""
    while True:
        page, token, today = await list_invoices(
            db,
            page_size=_PAGE_SIZE,
            page_token=token,
            filter_=filter_,
            customer_id=customer_id,
            query="",
            external_id="",
        )
        for invoice in page:
            yield invoice, today
        if not token:
            return
