"""List invoices."""

from datetime import date

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.operations.asked_invoices import AskedInvoice, asked_invoices
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE, must_see_customer, own_customer_id
from services.invoicing.store import invoice_lists
from services.invoicing.store.invoice_lists import InvoiceFilter, InvoiceQuery
from services.invoicing.store.organizations import get_organization


async def list_invoices(
    db: Database,
    *,
    page_size: int,
    page_token: str,
    filter_: InvoiceFilter,
    customer_id: str,
    query: str,
    external_id: str,
) -> tuple[list[AskedInvoice], str, date]:
    """A page without lines, the token of the next one, and today in the organization's zone.

    A customer's people see that customer's finalized invoices, or those of one below it; CUSTOMER_NOT_FOUND otherwise.
    """
    own = own_customer_id()
    async with db.read(current_call().organization_id) as tx:
        if customer_id:
            await must_see_customer(tx, customer_id)
        today = (await get_organization(tx)).date_of(tx.now())
        page, token = await invoice_lists.list_invoices(
            tx,
            InvoiceQuery(
                page_size=page_size or DEFAULT_PAGE_SIZE,
                page_token=page_token,
                today=today,
                filter=filter_,
                customer_id=customer_id or own or "",
                query=query,
                external_id=external_id,
                with_drafts=own is None,
            ),
        )
        return await asked_invoices(tx, page), token, today
