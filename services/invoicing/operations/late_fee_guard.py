"""What keeps an invoice from bearing a late fee today. Whoever stops fees for a reason of their own adds it here."""

from datetime import date

from chassis.database import ReadTx
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.late_fee import SkipReason
from services.invoicing.store.einvoices import waits_for_staff
from services.invoicing.store.plans import Stopped, customers_with_promise, invoices_on_track


async def excuse(tx: ReadTx, invoice: Invoice, customer: Customer, today: date) -> SkipReason | None:
    """Why no fee is charged for the day; None when nothing speaks against it. A part in dispute excuses just that."""
    if invoice.in_dispute >= invoice.due:
        return SkipReason.DISPUTED
    if await waits_for_staff(tx, invoice.invoice_id):
        return SkipReason.EINVOICE_REJECTED
    if await invoices_on_track(tx, [invoice.invoice_id], today, stopped=Stopped.LATE_FEES):
        return SkipReason.ON_PLAN
    if await customers_with_promise(tx, [customer.customer_id], today):
        return SkipReason.PROMISED
    return SkipReason.ON_HOLD if customer.on_hold else None
