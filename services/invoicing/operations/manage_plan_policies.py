"""What an organization allows who cannot pay all at once."""

import json
from dataclasses import asdict

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.invoicing.domain.plan_policy import PlanRules, default_rules
from services.invoicing.store import plan_policies as store
from services.invoicing.store.organizations import get_organization


async def list_plan_policies(db: Database) -> list[tuple[str, PlanRules, bool]]:
    """Segment, rules, and whether somebody wrote them; everybody's in the organization's currency comes first."""
    async with db.read(current_call().organization_id) as tx:
        currency = (await get_organization(tx)).currency
        written = await store.written_policies(tx)
    found = [(segment, rules, True) for segment, rules in written]
    if not any(not segment and rules.currency == currency for segment, rules in written):
        found.append(("", default_rules(currency), False))
    return sorted(found, key=lambda one: (one[0] != "", one[1].currency != currency, one[0], one[1].currency))


async def put_plan_policy(db: Database, segment: str, rules: PlanRules) -> None:
    """Write a policy; plans that were made keep theirs."""

    async def work(tx: WriteTx) -> None:
        await store.put_policy(tx, segment, rules)
        audit.record(
            tx, "plan_policy.written", tx.organization_id or "",
            after=json.dumps({"segment": segment, **asdict(rules)}, sort_keys=True).encode(),
        )  # fmt: skip

    await db.run_write(current_call().organization_id, work)


async def delete_plan_policy(db: Database, segment: str, currency: str) -> None:
    """Take a policy away; harmless when there is none."""

    async def work(tx: WriteTx) -> None:
        await store.delete_policy(tx, segment, currency)
        audit.record(
            tx, "plan_policy.deleted", tx.organization_id or "", before=f"{segment} {currency}".encode()
        )

    await db.run_write(current_call().organization_id, work)
