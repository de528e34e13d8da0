"""Write down changes of customers: the history, the audit log, and the event that others follow."""

from collections.abc import Sequence

from chassis import audit
from chassis.caller import current_call
from chassis.database import WriteTx
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.customer_proposal import Version, difference
from services.invoicing.store.customer_history import insert_versions
from services.invoicing.translate import events
from services.invoicing.translate.customers import document_of, to_proto_customer

Change = tuple[Customer | None, Customer]
"""A customer before, None for a new one, and after."""


async def note_customer_changes(
    tx: WriteTx, changes: Sequence[Change], *, action: str, reason: str = ""
) -> None:
    """Each change is one version, one audited `action` and one CustomerChanged."""
    call = current_call()
    versions = []
    for before, after in changes:
        old, new = difference(document_of(before) if before else {}, document_of(after))
        versions.append(
            Version(
                customer_id=after.customer_id, version=after.version, changed_at=tx.now(),
                changed_by=call.actor, changed_by_name=call.caller.subject_name or "", reason=reason,
                before=old, after=new,
            )
        )  # fmt: skip
    await insert_versions(tx, versions)
    for before, after in changes:
        events.customer_changed(tx, after)
        audit.record(
            tx, action, after.customer_id,
            before=to_proto_customer(before).SerializeToString(deterministic=True) if before else b"",
            after=to_proto_customer(after).SerializeToString(deterministic=True),
            reason=reason,
        )  # fmt: skip
