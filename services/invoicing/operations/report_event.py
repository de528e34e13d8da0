"""Take an event: each trigger of its name makes one invoice, once for each external id."""

from collections.abc import Mapping, Sequence

from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.ids import is_id
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice_draft import InvoiceDraft
from services.invoicing.domain.trigger import Trigger, field_of, lines_of
from services.invoicing.operations.issue_planned import issue_planned
from services.invoicing.store import triggers
from services.invoicing.store.customers import customers_by_external_id, get_customer


async def report_event(
    db: Database, external_id: str, event_name: str, fields: Mapping[str, str]
) -> tuple[Sequence[str], bool]:
    """The invoices, and whether the event was known. EVENT_EXTERNAL_ID_TAKEN if it was another event.

    An event that cannot be turned into an invoice is not kept: it may be reported again, set right.
    """

    async def work(tx: WriteTx) -> tuple[Sequence[str], bool]:
        if not await triggers.claim_event(tx, external_id, event_name, fields):
            known = await triggers.get_event(tx, external_id)
            if (known.event_name, dict(known.fields)) != (event_name, dict(fields)):
                raise ServiceError(
                    Kind.ALREADY_EXISTS, "EVENT_EXTERNAL_ID_TAKEN", "Another event has this external id."
                )
            return known.invoice_ids, True
        found = await triggers.list_triggers(tx, event_name=event_name)
        invoice_ids = [await _invoice(tx, trigger, fields) for trigger in found]
        await triggers.keep_invoices(tx, external_id, invoice_ids)
        return invoice_ids, False

    return await db.run_write(current_call().organization_id, work)


async def _invoice(tx: WriteTx, trigger: Trigger, fields: Mapping[str, str]) -> str:
    customer = await _customer(tx, trigger, fields)
    draft = InvoiceDraft(
        customer_id=customer.customer_id,
        lines=lines_of(trigger, fields, customer.currency),
        invoice_date=None,
        due_date=None,
        purchase_order_number="",
        memo="",
        external_id=None,
    )
    issued = await issue_planned(tx, draft, customer, review=trigger.review)
    return issued.invoice.invoice_id


async def _customer(tx: WriteTx, trigger: Trigger, fields: Mapping[str, str]) -> Customer:
    """The trigger's customer, or the one that the event names by id or external id. CUSTOMER_NOT_FOUND."""
    named = trigger.customer_id or field_of(fields, trigger.customer_field)
    if is_id("cus", named):
        return await get_customer(tx, named)
    found = await customers_by_external_id(tx, [named])
    return found[named] if named in found else await get_customer(tx, named)
