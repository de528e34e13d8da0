"""Create a customer."""

from typing import Any

from chassis.database import Database, WriteTx
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.billing import DEFAULT_PAYMENT_TERMS_DAYS
from services.invoicing.domain.customer import Customer, CustomerDraft
from services.invoicing.operations.note_customer_changes import note_customer_changes
from services.invoicing.store.customers import insert_customer, replace_references
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.customers import to_proto_customer
from tallyport.invoicing.v1 import customers_pb2 as pb


async def create_customer(db: Database, draft: CustomerDraft) -> pb.Customer:
    """The new customer. CUSTOMER_EXTERNAL_ID_TAKEN if another has one of its external ids."""

    async def work(tx: WriteTx) -> pb.Customer:
        organization = await get_organization(tx)
        values: dict[str, Any] = {"payment_terms_days": DEFAULT_PAYMENT_TERMS_DAYS, **draft.values}
        customer = Customer(
            customer_id=new_id("cus"),
            name=draft.name,
            external_id=draft.external_id,
            currency=draft.currency or organization.currency,
            locale=draft.locale or organization.locale,
            created_at=tx.now(),
            **values,
        )
        customer.must_make_sense(None, organization.date_of(tx.now()))
        await insert_customer(tx, customer)
        if customer.external_ids:
            await replace_references(tx, customer)
        await note_customer_changes(tx, [(None, customer)], action="customer.created")
        return to_proto_customer(customer)

    return await once(db, pb.Customer, work)
