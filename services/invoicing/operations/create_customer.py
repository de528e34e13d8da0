"""Create a customer."""

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.customer import Customer, CustomerDraft
from services.invoicing.store.customers import insert_customer
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import events
from services.invoicing.translate.customers import to_proto_customer
from tallyport.invoicing.v1 import customers_pb2 as pb


async def create_customer(db: Database, draft: CustomerDraft) -> pb.Customer:
    """The new customer. CUSTOMER_EXTERNAL_ID_TAKEN if another has the external id."""

    async def work(tx: WriteTx) -> pb.Customer:
        organization = await get_organization(tx)
        customer = Customer(
            customer_id=new_id("cus"),
            name=draft.name,
            email=draft.email,
            external_id=draft.external_id,
            currency=draft.currency or organization.currency,
            locale=draft.locale or organization.locale,
            address_lines=draft.address_lines,
            country=draft.country,
            tax_id=draft.tax_id,
            payment_terms_days=draft.payment_terms_days,
            created_at=tx.now(),
        )
        await insert_customer(tx, customer)
        answer = to_proto_customer(customer)
        events.customer_changed(tx, customer)
        audit.record(
            tx, "customer.created", customer.customer_id, after=answer.SerializeToString(deterministic=True)
        )
        return answer

    return await once(db, pb.Customer, work)
