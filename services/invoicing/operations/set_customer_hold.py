"""Put a customer on hold, or take the hold away."""

from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.invoicing.operations.update_customer import Why, change_customer
from services.invoicing.store.customers import get_customer
from services.invoicing.translate.customers import to_proto_customer
from tallyport.invoicing.v1 import customers_pb2 as pb


async def set_customer_hold(db: Database, customer_id: str, *, on_hold: bool, why: Why) -> pb.Customer:
    """The customer as it is then. While the hold lasts, nothing new is invoiced. CUSTOMER_CHANGED."""

    async def work(tx: WriteTx) -> pb.Customer:
        before = await get_customer(tx, customer_id, for_update=True)
        before.must_be(why.expected_version)
        values = {"on_hold": on_hold, "hold_reason": why.reason if on_hold else ""}
        action = "customer.held" if on_hold else "customer.released"
        after = await change_customer(tx, before, values, reason=why.reason, action=action)
        return to_proto_customer(after)

    return await db.run_write(current_call().organization_id, work)
