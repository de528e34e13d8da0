"""Change a customer."""

from dataclasses import replace
from typing import Any

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.invoicing.domain.customer import Customer, CustomerChanges
from services.invoicing.store.customers import get_customer
from services.invoicing.store.customers import update_customer as write_customer
from services.invoicing.translate import events
from services.invoicing.translate.customers import to_proto_customer
from tallyport.invoicing.v1 import customers_pb2 as pb


async def update_customer(db: Database, customer_id: str, changes: CustomerChanges) -> pb.Customer:
    """The customer as it is then. Changes that change nothing make no new version."""

    async def work(tx: WriteTx) -> pb.Customer:
        before = await get_customer(tx, customer_id, for_update=True)
        after = _changed(before, changes)
        answer = to_proto_customer(after)
        if after is before:
            return answer
        await write_customer(tx, after)
        events.customer_changed(tx, after)
        audit.record(
            tx, "customer.updated", customer_id,
            before=to_proto_customer(before).SerializeToString(deterministic=True),
            after=answer.SerializeToString(deterministic=True),
        )  # fmt: skip
        return answer

    return await db.run_write(current_call().organization_id, work)


def _changed(customer: Customer, changes: CustomerChanges) -> Customer:
    given: dict[str, Any] = {
        name: value
        for name in CustomerChanges.__dataclass_fields__
        if (value := getattr(changes, name)) is not None and value != getattr(customer, name)
    }
    return replace(customer, **given, version=customer.version + 1) if given else customer
