"""Put a customer below another, with everybody below it."""

from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from services.invoicing.domain.customer import MOST_BELOW, MOST_LEVELS, Customer, changed
from services.invoicing.operations.note_customer_changes import note_customer_changes
from services.invoicing.operations.update_customer import Why
from services.invoicing.store import customer_tree
from services.invoicing.store.customers import get_customer, update_customer
from services.invoicing.translate.customers import to_proto_customer
from tallyport.invoicing.v1 import customers_pb2 as pb


async def set_customer_parent(
    db: Database, customer_id: str, parent_customer_id: str, why: Why
) -> pb.Customer:
    """The customer as it is then.

    CUSTOMER_CIRCLE, CUSTOMER_TREE_TOO_DEEP, CUSTOMER_TREE_TOO_LARGE, CUSTOMER_CHANGED.
    """

    async def work(tx: WriteTx) -> pb.Customer:
        await customer_tree.lock_tree(tx)
        before = await get_customer(tx, customer_id, for_update=True)
        before.must_be(why.expected_version)
        above: tuple[str, ...] = ()
        if parent_customer_id:
            parent = await get_customer(tx, parent_customer_id)
            above = (parent_customer_id, *parent.ancestor_ids)
        if customer_id in above:
            raise _refused("CUSTOMER_CIRCLE", "A customer cannot be below itself.")
        moved = await _moved(tx, before, above)
        if moved:
            await note_customer_changes(tx, moved, action="customer.moved", reason=why.reason)
        return to_proto_customer(moved[0][1] if moved else before)

    return await db.run_write(current_call().organization_id, work)


async def _moved(
    tx: WriteTx, customer: Customer, above: tuple[str, ...]
) -> list[tuple[Customer | None, Customer]]:
    """The customer and all below it with other ancestors, before and after; nobody when nothing changes."""
    if customer.ancestor_ids == above:
        return []
    below = await customer_tree.descendant_ids(tx, customer.customer_id)
    if len(below) > MOST_BELOW:
        raise _refused("CUSTOMER_TREE_TOO_LARGE", f"At most {MOST_BELOW} customers can move at once.")
    moved: list[tuple[Customer | None, Customer]] = []
    for one in (customer.customer_id, *below):
        before = await get_customer(tx, one, for_update=True)
        kept = before.ancestor_ids[: len(before.ancestor_ids) - len(customer.ancestor_ids)]
        after = changed(before, {"ancestor_ids": (*kept, *above)})
        if len(after.ancestor_ids) >= MOST_LEVELS:
            raise _refused(
                "CUSTOMER_TREE_TOO_DEEP", f"At most {MOST_LEVELS} customers can be one above the other."
            )
        await update_customer(tx, after)
        moved.append((before, after))
    return moved


def _refused(reason: str, message: str) -> ServiceError:
    return ServiceError(Kind.FAILED_PRECONDITION, reason, message)
