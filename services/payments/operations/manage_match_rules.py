"""Rules that staff write: whose lines are, or that they are nobody's."""

from dataclasses import replace

from chassis import audit, idempotency
from chassis.caller import current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.ids import new_id
from services.payments.desk import Desk
from services.payments.domain.matching import MatchRule
from services.payments.operations.prepare_payment import initiator
from services.payments.store import copies, match_rules
from services.payments.translate.reconciliation import to_proto_rule
from tallyport.payments.v1 import reconciliation_pb2 as pb

MOST_RULES = 500
SHORTEST_TEXT_CHARACTERS = 3
"""A rule for one or two letters would fit nearly every line."""


async def create_match_rule(desk: Desk, wanted: MatchRule) -> pb.MatchRule:
    """Add a rule; it holds for lines that wait now as well, as soon as the job looks at them."""
    _check(wanted)

    async def write(tx: WriteTx) -> pb.MatchRule:
        if wanted.customer_id and await copies.payer(tx, wanted.customer_id) is None:
            raise not_found("customer")
        if len(await match_rules.all_rules(tx)) >= MOST_RULES:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "TOO_MANY_RULES", f"There are {MOST_RULES} rules. Delete one first."
            )
        rule = replace(wanted, match_rule_id=new_id("mru"))
        await match_rules.insert(tx, rule, created_by=initiator(current_call()))
        audit.record(tx, "match_rule.created", rule.match_rule_id, reason=rule.name)
        return to_proto_rule(rule)

    return await idempotency.once(desk.db, pb.MatchRule, write)


async def list_match_rules(desk: Desk) -> pb.ListMatchRulesResponse:
    """All of them in their order."""
    async with desk.db.read(current_call().organization_id) as tx:
        return pb.ListMatchRulesResponse(
            rules=[to_proto_rule(rule) for rule in await match_rules.all_rules(tx)]
        )


async def delete_match_rule(desk: Desk, match_rule_id: str) -> None:
    """Delete a rule; what it has matched stays matched."""

    async def write(tx: WriteTx) -> None:
        await match_rules.delete(tx, match_rule_id)
        audit.record(tx, "match_rule.deleted", match_rule_id)

    await desk.db.run_write(current_call().organization_id, write)


def _check(rule: MatchRule) -> None:
    if not rule.text_contains.strip() and not rule.account:
        raise invalid("rule.text_contains", "required", "Say a text or an account that the line must have.")
    if rule.text_contains and len(rule.text_contains.strip()) < SHORTEST_TEXT_CHARACTERS:
        raise invalid("rule.text_contains", "too_short", "The text needs 3 characters or more.")
    if rule.ignore == bool(rule.customer_id):
        raise invalid("rule.customer_id", "required", "Name the customer, or have such lines ignored.")
