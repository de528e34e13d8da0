"""Rules that staff write about bank lines."""

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from services.payments.domain.matching import MatchRule


async def all_rules(tx: ReadTx) -> list[MatchRule]:
    """In the order in which they are tried."""
    return [
        MatchRule(
            match_rule_id=row.match_rule_id,
            name=row.name,
            text_contains=row.text_contains,
            account=row.counterparty_account,
            customer_id=row.customer_id,
            ignore=row.ignores,
            position=row.position,
        )
        for row in await tx.execute(_ALL, {"organization_id": tx.organization_id})
    ]


async def insert(tx: WriteTx, rule: MatchRule, *, created_by: str) -> None:
    """Write a new rule."""
    await tx.execute(
        _INSERT,
        {
            "organization_id": tx.organization_id,
            "match_rule_id": rule.match_rule_id,
            "name": rule.name,
            "text_contains": rule.text_contains,
            "account": rule.account,
            "customer_id": rule.customer_id,
            "ignores": rule.ignore,
            "position": rule.position,
            "now": tx.now(),
            "created_by": created_by,
        },
    )


async def delete(tx: WriteTx, match_rule_id: str) -> None:
    """MATCH_RULE_NOT_FOUND if there is none. Matches that it made stay."""
    params = {"organization_id": tx.organization_id, "match_rule_id": match_rule_id}
    if (await tx.execute(_DELETE, params)).first() is None:
        raise not_found("match_rule")


_ALL = text(
    "SELECT match_rule_id, name, text_contains, counterparty_account, customer_id, ignores, position FROM match_rules"
    " WHERE organization_id = :organization_id ORDER BY position, match_rule_id"
)
_INSERT = text("""
    INSERT INTO match_rules (
        organization_id, match_rule_id, name, text_contains, counterparty_account, customer_id, ignores, position,
        created_at, created_by
    ) VALUES (
        :organization_id, :match_rule_id, :name, :text_contains, :account, :customer_id, :ignores, :position, :now,
        :created_by
    )
""")
_DELETE = text(
    "DELETE FROM match_rules WHERE organization_id = :organization_id AND match_rule_id = :match_rule_id RETURNING 1"
)
