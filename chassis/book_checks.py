"""What must be true in the database of every service: queries for whatever breaks it, each with its invariant's id.

Each gives `found`, the culprit, for `:organization_id`. A service with a ledger adds its own.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text

from chassis import audit
from chassis.books import Broken
from chassis.database import ReadTx

Checks = Mapping[str, str]
SENT_WITHIN = timedelta(seconds=30)
"""Events wait for their publishing no longer than this while the bus is there."""
MOST_MILLISECONDS = 60_000
"""For each check: nobody waits for it, and large books take their time."""
SIGNED = "CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END"

LEDGER_CHECKS: Checks = {
    "I1 trial balance is not zero": f"""
        SELECT currency AS found FROM ledger_lines WHERE organization_id = :organization_id
        GROUP BY currency HAVING sum({SIGNED}) <> 0
    """,  # noqa: S608 - constants only
    "I1 entry does not balance": f"""
        SELECT entry_id AS found FROM ledger_lines WHERE organization_id = :organization_id
        GROUP BY entry_id, currency HAVING sum({SIGNED}) <> 0
    """,  # noqa: S608 - constants only
}
TRANSPORT_CHECKS: Checks = {
    "I6 event is not published": """
        SELECT type || ' ' || aggregate_id AS found FROM outbox
        WHERE organization_id = :organization_id AND published_at IS NULL AND occurred_at < :sent_before
    """,
    "I6 numbers of events have a gap": """
        SELECT organization_id AS found FROM outbox WHERE organization_id = :organization_id
        GROUP BY organization_id HAVING count(*) <> max(stream_seq) OR min(stream_seq) <> 1
    """,
    "I6 versions of an aggregate have a gap": """
        SELECT aggregate_id AS found FROM outbox WHERE organization_id = :organization_id
        GROUP BY aggregate_id HAVING count(*) <> max(aggregate_version) OR min(aggregate_version) <> 1
    """,
    "I11 dead letter": """
        SELECT state || ' ' || type || ' ' || aggregate_id || ': ' || error AS found FROM dead_letters
        WHERE organization_id = :organization_id
    """,
    "I11 aggregate is blocked": """
        SELECT aggregate_id AS found FROM inbox_positions WHERE organization_id = :organization_id AND blocked
    """,
}


async def failing(tx: ReadTx, checks: Checks, **times: datetime) -> list[str]:
    """One line, "<check>: <culprit>", for whatever the checks find about the transaction's organization."""
    params = {"organization_id": tx.organization_id, **times}
    await tx.execute(text(f"SET LOCAL statement_timeout = {MOST_MILLISECONDS}"))
    return [
        f"{name}: {row.found}"
        for name, statement in checks.items()
        for row in await tx.execute(text(statement.replace("::", r"\:\:")), params)
    ]


async def failing_audit(tx: ReadTx) -> list[str]:
    """The first bad entry of the organization's audit chain, if there is one."""
    broken = await audit.verify(tx)
    return [] if broken is None else [f"I10 audit chain is broken: at entry {broken}"]


async def failing_transport(tx: ReadTx) -> list[str]:
    """Events that were lost, wait for long, or could not be applied."""
    return await failing(tx, TRANSPORT_CHECKS, sent_before=tx.now() - SENT_WITHIN)


def as_broken(line: str) -> Broken:
    """A line as what is kept of it: its name begins with the invariant."""
    invariant, _, rest = line.partition(" ")
    return Broken(invariant, rest)
