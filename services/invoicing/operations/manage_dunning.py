"""Policies of dunning, and pauses."""

from collections.abc import Sequence
from datetime import date

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import invalid
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.dunning import DunningPolicy
from services.invoicing.domain.dunning_presets import Preset, presets
from services.invoicing.store import dunning as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.legal_rates import get_rates
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.dunning import to_proto_pause
from tallyport.invoicing.v1 import dunning_pb2 as pb

PAUSE_PREFIX = "dpa"


async def list_dunning_policies(db: Database) -> list[DunningPolicy]:
    """All policies, by segment."""
    async with db.read(current_call().organization_id) as tx:
        return await store.policies(tx)


async def list_dunning_presets(db: Database) -> Sequence[Preset]:
    """Policies to begin with, with the amounts that the law allows today."""
    async with db.read(current_call().organization_id) as tx:
        return presets(await get_rates(tx), (await get_organization(tx)).date_of(tx.now()))


async def put_dunning_policy(db: Database, policy: DunningPolicy) -> DunningPolicy:
    """Set the policy of a segment. VALIDATION_FAILED for levels that do not follow each other."""
    policy.must_be_sound()

    async def work(tx: WriteTx) -> DunningPolicy:
        await store.put_policy(tx, policy)
        audit.record(tx, "dunning_policy.set", policy.segment or "all", after=repr(policy).encode())
        return policy

    return await db.run_write(current_call().organization_id, work)


async def delete_dunning_policy(db: Database, segment: str) -> None:
    """Take it away."""

    async def work(tx: WriteTx) -> None:
        await store.delete_policy(tx, segment)
        audit.record(tx, "dunning_policy.deleted", segment or "all")

    await db.run_write(current_call().organization_id, work)


async def pause_dunning(
    db: Database, *, customer_id: str, invoice_id: str, until: date, reason: str
) -> pb.DunningPause:
    """Send nothing up to a day. CUSTOMER_NOT_FOUND, INVOICE_NOT_FOUND."""

    async def work(tx: WriteTx) -> pb.DunningPause:
        if until < (await get_organization(tx)).date_of(tx.now()):
            raise invalid("until", "range", "The day must be today or later.")
        if bool(customer_id) == bool(invoice_id):
            raise invalid("customer_id", "required", "Name a customer or an invoice.")
        owner = (await get_invoice(tx, invoice_id)).customer_id if invoice_id else customer_id
        pause = store.Pause(
            pause_id=new_id(PAUSE_PREFIX), customer_id=(await get_customer(tx, owner)).customer_id,
            invoice_id=invoice_id, until=until, reason=reason,
            created_by_name=current_call().caller.subject_name or "", created_at=tx.now(),
        )  # fmt: skip
        await store.insert_pause(tx, pause)
        audit.record(tx, "dunning.paused", invoice_id or customer_id, reason=reason)
        return to_proto_pause(pause)

    return await once(db, pb.DunningPause, work)


async def end_dunning_pause(db: Database, pause_id: str) -> pb.DunningPause:
    """End it before its day. DUNNING_PAUSE_NOT_FOUND."""

    async def work(tx: WriteTx) -> pb.DunningPause:
        pause = await store.end_pause(tx, pause_id)
        audit.record(tx, "dunning.resumed", pause.invoice_id or pause.customer_id)
        return to_proto_pause(pause)

    return await db.run_write(current_call().organization_id, work)
