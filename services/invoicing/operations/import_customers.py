"""Make customers of rows."""

from collections.abc import Sequence
from typing import Any

from chassis.database import WriteTx
from chassis.ids import new_id
from services.invoicing.domain.billing import DEFAULT_PAYMENT_TERMS_DAYS
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice_import import Import, Making, Record, RowError
from services.invoicing.domain.organization import Organization
from services.invoicing.operations.note_customer_changes import note_customer_changes
from services.invoicing.store import customers
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.import_records import imported_customer


async def import_customers(
    tx: WriteTx, imported: Import, records: Sequence[Record]
) -> tuple[list[Making], list[RowError]]:
    """What was made. Rows whose external id is known change nothing."""
    known = await customers.customers_by_external_id(tx, [record.key for record in records])
    new = [record for record in records if record.key not in known]
    organization = await get_organization(tx)
    made = [_customer(tx, record, organization) for record in new]
    await customers.insert_customers(tx, made)
    await note_customer_changes(
        tx, [(None, one) for one in made], action="customer.imported", reason=imported.import_id
    )
    return [
        Making(record.line, "customer", one.customer_id, one.version)
        for record, one in zip(new, made, strict=True)
    ], []


def _customer(tx: WriteTx, record: Record, organization: Organization) -> Customer:
    draft = imported_customer(record)
    values: dict[str, Any] = {"payment_terms_days": DEFAULT_PAYMENT_TERMS_DAYS, **draft.values}
    return Customer(
        customer_id=new_id("cus"),
        name=draft.name,
        external_id=draft.external_id,
        currency=draft.currency or organization.currency,
        locale=draft.locale or organization.locale,
        created_at=tx.now(),
        **values,
    )
