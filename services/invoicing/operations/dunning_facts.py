"""Everything that speaks for or against reminding of an invoice today. Whoever knows of another reason adds it here."""

from datetime import date

from chassis.database import ReadTx
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.dunning import Facts
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store import dunning as store
from services.invoicing.store.einvoices import waits_for_staff
from services.invoicing.store.lots import lots_of
from services.invoicing.store.plans import Stopped, customers_with_promise, invoices_on_track


async def facts_of(tx: ReadTx, invoice: Invoice, customer: Customer, today: date) -> Facts:
    """What is known of an invoice on a day of the organization's zone."""
    nothing = Money.zero(invoice.currency)
    lots = [
        one for one in await lots_of(tx, [customer.customer_id]) if one.amount.currency == invoice.currency
    ]
    pauses = await store.pauses_on(tx, customer.customer_id, invoice.invoice_id, today)
    holds = await store.holds_on(tx, invoice.invoice_id)
    promised = await customers_with_promise(tx, [customer.customer_id], today)
    on_plan = await invoices_on_track(tx, [invoice.invoice_id], today, stopped=Stopped.DUNNING)
    return Facts(
        today=today,
        due=invoice.due if invoice.is_payable else nothing,
        disputed=invoice.in_dispute,
        reserved=invoice.reserved,
        credit=sum((one.remaining - one.held for one in lots), nothing),
        on_hold=customer.on_hold,
        on_plan=bool(on_plan),
        einvoice_waits=await waits_for_staff(tx, invoice.invoice_id),
        paused_until=pauses[0].until if pauses else None,
        promised_until=promised.get(customer.customer_id),
        claimed_until=holds.get("claimed"),
        autopay_until=holds.get("autopay"),
    )
