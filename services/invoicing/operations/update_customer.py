"""Change a customer."""

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.invoicing.domain.customer import Customer, changed
from services.invoicing.operations.note_customer_changes import note_customer_changes
from services.invoicing.store.customers import get_customer, replace_references
from services.invoicing.store.customers import update_customer as write_customer
from services.invoicing.store.dunning import forget_days_of
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.customers import to_proto_customer
from tallyport.invoicing.v1 import customers_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What goes with a change: the version that was shown, if that matters, and the reason."""

    expected_version: int | None = None
    reason: str = ""


async def update_customer(
    db: Database, customer_id: str, values: Mapping[str, object], why: Why
) -> pb.Customer:
    """The customer as it is then. Changes that change nothing make no new version. CUSTOMER_CHANGED."""

    async def work(tx: WriteTx) -> pb.Customer:
        before = await get_customer(tx, customer_id, for_update=True)
        before.must_be(why.expected_version)
        return to_proto_customer(await change_customer(tx, before, values, reason=why.reason))

    return await db.run_write(current_call().organization_id, work)


async def change_customer(
    tx: WriteTx, before: Customer, values: Mapping[str, object], *, reason: str, action: str = ""
) -> Customer:
    """Change a locked customer, and write down what was changed."""
    after = changed(before, _consistent(before, values))
    if after is before:
        return before
    after.must_make_sense(before, (await get_organization(tx)).date_of(tx.now()))
    await write_customer(tx, after)
    if after.external_ids != before.external_ids:
        await replace_references(tx, after)
    if after.segments != before.segments:  # another policy may remind of what is late
        await forget_days_of(tx, after.customer_id)
    await note_customer_changes(tx, [(before, after)], action=action or "customer.updated", reason=reason)
    return after


def _consistent(before: Customer, values: Mapping[str, object]) -> Mapping[str, object]:
    """A tax id that was written without its kind takes the place of those that have one."""
    if "tax_ids" in values or values.get("tax_id", before.tax_id) == before.tax_id:
        return values
    return {**values, "tax_ids": ()}
