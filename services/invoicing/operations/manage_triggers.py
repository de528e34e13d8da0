"""Make triggers, list them, turn them off and on."""

from dataclasses import replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.trigger import Trigger
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE
from services.invoicing.store import triggers
from services.invoicing.store.customers import get_customer
from services.invoicing.store.triggers import ReportedEvent
from services.invoicing.translate.triggers import to_proto_trigger
from tallyport.invoicing.v1 import schedules_pb2 as pb


async def create_trigger(db: Database, wish: Trigger) -> pb.Trigger:
    """The new trigger. CUSTOMER_NOT_FOUND, VALIDATION_FAILED."""
    wish.must_be_whole()

    async def work(tx: WriteTx) -> pb.Trigger:
        if wish.customer_id is not None:
            await get_customer(tx, wish.customer_id)
        trigger = replace(wish, trigger_id=new_id("trg"), created_at=tx.now())
        await triggers.insert_trigger(tx, trigger)
        answer = to_proto_trigger(trigger)
        audit.record(
            tx, "trigger.created", trigger.trigger_id, after=answer.SerializeToString(deterministic=True)
        )
        return answer

    return await once(db, pb.Trigger, work)


async def update_trigger(db: Database, trigger_id: str, wish: Trigger) -> Trigger:
    """The trigger as it is then; on or off as before. TRIGGER_NOT_FOUND, CUSTOMER_NOT_FOUND, VALIDATION_FAILED."""

    async def work(tx: WriteTx) -> Trigger:
        before = await triggers.lock_trigger(tx, trigger_id)
        wish.must_be_whole()
        if wish.customer_id is not None:
            await get_customer(tx, wish.customer_id)
        after = replace(wish, trigger_id=trigger_id, enabled=before.enabled, created_at=before.created_at)
        await triggers.replace_trigger(tx, after)
        audit.record(
            tx, "trigger.changed", trigger_id,
            before=to_proto_trigger(before).SerializeToString(deterministic=True),
            after=to_proto_trigger(after).SerializeToString(deterministic=True),
        )  # fmt: skip
        return after

    return await db.run_write(current_call().organization_id, work)


async def list_trigger_events(
    db: Database, *, event_name: str, page_size: int, page_token: str
) -> tuple[list[ReportedEvent], str]:
    """Events that were taken, the newest first, and the token of the next page."""
    async with db.read(current_call().organization_id) as tx:
        return await triggers.list_events(
            tx, event_name=event_name, page_size=page_size or DEFAULT_PAGE_SIZE, page_token=page_token
        )


async def list_triggers(db: Database) -> list[Trigger]:
    """All of them, by event name."""
    async with db.read(current_call().organization_id) as tx:
        return await triggers.list_triggers(tx)


async def set_trigger_enabled(db: Database, trigger_id: str, *, enabled: bool) -> Trigger:
    """The trigger as it is then. TRIGGER_NOT_FOUND."""

    async def work(tx: WriteTx) -> Trigger:
        trigger = await triggers.set_enabled(tx, trigger_id, enabled=enabled)
        audit.record(tx, "trigger.enabled" if enabled else "trigger.disabled", trigger_id)
        return trigger

    return await db.run_write(current_call().organization_id, work)
