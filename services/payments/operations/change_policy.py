"""What staff decide about ways to pay: the organization's policy, and the segments of its customers."""

from dataclasses import replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, not_found
from services.payments.desk import Desk
from services.payments.domain.policy import PaymentPolicy, check_policy
from services.payments.store import copies, policies


async def get_policy(desk: Desk) -> PaymentPolicy:
    """The policy of the caller's organization, with the provider that it comes to."""
    async with desk.db.read(current_call().organization_id) as tx:
        return _named(desk, await policies.policy(tx))


async def update_policy(desk: Desk, wanted: PaymentPolicy) -> PaymentPolicy:
    """Replace the version that `wanted` names. POLICY_CHANGED if somebody was faster."""
    check_policy(wanted, list(desk.providers))

    async def write(tx: WriteTx) -> PaymentPolicy:
        before = await policies.policy(tx)
        after = replace(wanted, version=wanted.version + 1)
        if before.version != wanted.version or not await policies.replace_policy(tx, after):
            raise ServiceError(
                Kind.ABORTED,
                "POLICY_CHANGED",
                "Somebody else has changed the policy meanwhile. Please look at it again.",
                version=str(before.version),
            )
        audit.record(
            tx,
            "payment_policy.updated",
            tx.organization_id,
            before=policies.to_json(before).encode(),
            after=policies.to_json(after).encode(),
        )
        return after

    return _named(desk, await desk.db.run_write(current_call().organization_id, write))


async def get_customer_segment(desk: Desk, customer_id: str) -> str:
    """The segment that was set here, besides the labels of the customer; empty for none. NOT_FOUND."""
    async with desk.db.read(current_call().organization_id) as tx:
        if await copies.payer(tx, customer_id) is None:
            raise not_found("customer")
        return await policies.own_segment(tx, customer_id)


async def set_customer_segment(desk: Desk, customer_id: str, segment: str) -> None:
    """Put a customer into a segment; empty takes it out. NOT_FOUND."""

    async def write(tx: WriteTx) -> None:
        if await copies.payer(tx, customer_id) is None:
            raise not_found("customer")
        before = await policies.set_segment(tx, customer_id, segment)
        if before != segment:
            audit.record(
                tx,
                "customer_segment.set",
                customer_id,
                before=before.encode(),
                after=segment.encode(),
            )

    await desk.db.run_write(current_call().organization_id, write)


def _named(desk: Desk, policy: PaymentPolicy) -> PaymentPolicy:
    return policy if policy.provider else replace(policy, provider=desk.provider.name)
