"""Write in a dispute, add files to it, look after it."""

from dataclasses import replace

from chassis import audit
from chassis.caller import call_scope, current_call, service_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.dispute import EVIDENCE_PREFIX, Dispute, DisputePolicy, Side, Step
from services.invoicing.domain.evidence import MOST_FILES, Evidence, safe_name, sniff
from services.invoicing.operations.read_disputes import caller_side, must_see_dispute, view_of
from services.invoicing.store import disputes as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.translate import dispute_events as events
from tallyport.invoicing.v1 import disputes_pb2 as pb

_LATE = "It was not dealt with in time."


async def _seen(tx: WriteTx, dispute_id: str) -> Dispute:
    """A locked dispute that is open and the caller's to see."""
    dispute = await store.lock_dispute(tx, dispute_id)
    await must_see_dispute(tx, dispute.invoice_id)
    dispute.must_be_open()
    return dispute


def _name() -> str:
    return current_call().caller.subject_name or ""


async def add_dispute_message(db: Database, dispute_id: str, words: str) -> pb.Dispute:
    """Write to the other side. DISPUTE_NOT_FOUND, DISPUTE_CLOSED."""

    async def work(tx: WriteTx) -> pb.Dispute:
        dispute, side = await _seen(tx, dispute_id), caller_side()
        if side is Side.STAFF:
            dispute = dispute.answered(tx.now())
        await store.add_entry(tx, dispute, Step.MESSAGE, side, author_name=_name(), words=words)
        invoice = await get_invoice(tx, dispute.invoice_id)
        customer = await get_customer(tx, dispute.customer_id)
        dispute = events.message_added(
            tx, dispute, invoice, customer, by_staff=side is Side.STAFF, text=words
        )
        await store.update_dispute(tx, dispute)
        audit.record(tx, "dispute.message", dispute_id)
        return await view_of(tx, dispute_id)

    return await once(db, pb.Dispute, work)


async def add_dispute_evidence(
    db: Database, dispute_id: str, *, file_name: str, content: bytes
) -> pb.Dispute:
    """Add a file. DISPUTE_NOT_FOUND, DISPUTE_CLOSED, EVIDENCE_NOT_ALLOWED, TOO_MUCH_EVIDENCE."""
    media_type = sniff(content)

    async def work(tx: WriteTx) -> pb.Dispute:
        dispute, side = await _seen(tx, dispute_id), caller_side()
        if len(await store.evidence_of(tx, dispute_id)) >= MOST_FILES:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "TOO_MUCH_EVIDENCE", f"A dispute takes {MOST_FILES} files at most."
            )
        file = Evidence(
            new_id(EVIDENCE_PREFIX),
            safe_name(file_name, media_type),
            media_type,
            len(content),
            side,
            tx.now(),
        )
        await store.insert_evidence(tx, dispute_id, file, content)
        await store.add_entry(tx, dispute, Step.EVIDENCE, side, author_name=_name(), words=file.file_name)
        audit.record(tx, "dispute.evidence", dispute_id, reason=file.file_name)
        return await view_of(tx, dispute_id)

    return await once(db, pb.Dispute, work)


async def assign_dispute(db: Database, dispute_id: str, owner_id: str, owner_name: str) -> pb.Dispute:
    """Give it an owner: the caller when none is named. DISPUTE_NOT_FOUND, DISPUTE_CLOSED."""
    caller = current_call().caller
    if not owner_id or owner_id == caller.subject_id:
        owner_id, owner_name = caller.subject_id or "", caller.subject_name or owner_name

    async def work(tx: WriteTx) -> pb.Dispute:
        dispute = replace(await _seen(tx, dispute_id), owner_id=owner_id, owner_name=owner_name)
        await store.update_dispute(tx, dispute)
        await store.add_entry(tx, dispute, Step.ASSIGNED, Side.STAFF, author_name=_name(), words=owner_name)
        audit.record(tx, "dispute.assigned", dispute_id, reason=owner_id)
        return await view_of(tx, dispute_id)

    return await db.run_write(current_call().organization_id, work)


async def escalate_dispute(db: Database, dispute_id: str, reason: str) -> pb.Dispute:
    """Call for somebody else. DISPUTE_NOT_FOUND, DISPUTE_CLOSED."""

    async def work(tx: WriteTx) -> pb.Dispute:
        await _escalate(tx, await _seen(tx, dispute_id), Side.STAFF, reason)
        return await view_of(tx, dispute_id)

    return await db.run_write(current_call().organization_id, work)


async def escalate_late_disputes(db: Database, *, limit: int) -> int:
    """Escalate up to `limit` disputes that nobody answered or resolved in time; returns how many."""
    async with db.sweep() as tx:
        found = await store.awake_disputes(tx, limit=limit)
    for organization_id, dispute_id in found:

        async def work(tx: WriteTx, dispute_id: str = dispute_id) -> None:
            dispute = await store.lock_dispute(tx, dispute_id)
            wake_at = dispute.next_wake()
            if wake_at is not None and wake_at <= tx.now():
                await _escalate(tx, dispute, Side.SYSTEM, _LATE)

        with call_scope(service_call("invoicing", organization_id)):
            await db.run_write(organization_id, work)
    return len(found)


async def _escalate(tx: WriteTx, dispute: Dispute, side: Side, reason: str) -> None:
    dispute = replace(dispute, escalated_at=dispute.escalated_at or tx.now())
    invoice = await get_invoice(tx, dispute.invoice_id)
    customer = await get_customer(tx, dispute.customer_id)
    dispute = events.dispute_escalated(tx, dispute, invoice, customer, reason)
    await store.update_dispute(tx, dispute)
    name = _name() if side is Side.STAFF else ""
    await store.add_entry(tx, dispute, Step.ESCALATED, side, author_name=name, words=reason)
    audit.record(tx, "dispute.escalated", dispute.dispute_id, reason=reason)


async def put_dispute_policy(db: Database, policy: DisputePolicy) -> None:
    """Set how soon disputes are dealt with from now on."""

    async def work(tx: WriteTx) -> None:
        await store.put_policy(tx, policy)
        audit.record(tx, "dispute_policy.set", tx.organization_id, after=repr(policy).encode())

    await db.run_write(current_call().organization_id, work)


async def get_dispute_policy(db: Database) -> DisputePolicy:
    """How soon disputes are dealt with."""
    async with db.read(current_call().organization_id) as tx:
        return await store.get_policy(tx)
