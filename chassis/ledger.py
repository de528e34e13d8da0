"""Double entry: every movement is an entry whose debits equal its credits in each currency.

Entries are never changed: a correction is a new entry that points to the old one. The same source is posted
once for each kind, however often it is tried. Accounts need no opening: one is (currency, account, owner).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx
from chassis.ids import new_id
from chassis.money import Money


class Side(StrEnum):
    """Where a line stands in its account."""

    DEBIT = "D"
    CREDIT = "C"


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry: `account` is the kind of account ("cash"), `owner` whose it is ("cus_01j...").

    ValueError unless the amount is positive.
    """

    account: str
    owner: str
    side: Side
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.minor_units <= 0:
            raise ValueError("a ledger line's amount must be positive; turn the side instead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One movement. (source, source_id, kind) names its cause, such as ("payment", "pay_01j...", "captured").

    ValueError if debits and credits differ in a currency or there are fewer than two lines.
    """

    source: str
    source_id: str
    kind: str
    lines: Sequence[Line]
    occurred_at: datetime
    description: str = ""
    corrects_entry_id: str | None = None

    def __post_init__(self) -> None:
        if len(self.lines) < 2:
            raise ValueError("a ledger entry needs two lines or more")
        sums: dict[str, int] = {}
        for line in self.lines:
            sign = 1 if line.side is Side.DEBIT else -1
            currency = line.amount.currency
            sums[currency] = sums.get(currency, 0) + sign * line.amount.minor_units
        unbalanced = {currency: total for currency, total in sums.items() if total}
        if unbalanced:
            raise ValueError(f"debits and credits differ: {unbalanced}")


def debit(account: str, owner: str, amount: Money) -> Line:
    """A debit line."""
    return Line(account, owner, Side.DEBIT, amount)


def credit(account: str, owner: str, amount: Money) -> Line:
    """A credit line."""
    return Line(account, owner, Side.CREDIT, amount)


async def post(tx: WriteTx, entry: Entry) -> bool:
    """Post an entry in one statement; False if this source was already posted for this kind."""
    lines = entry.lines
    row = await tx.execute(
        _POST,
        {
            "organization_id": tx.organization_id,
            "entry_id": new_id("ent"),
            "source": entry.source,
            "source_id": entry.source_id,
            "kind": entry.kind,
            "corrects_entry_id": entry.corrects_entry_id,
            "description": entry.description,
            "occurred_at": entry.occurred_at,
            "posted_at": tx.now(),
            "accounts": [line.account for line in lines],
            "owners": [line.owner for line in lines],
            "currencies": [line.amount.currency for line in lines],
            "sides": [line.side.value for line in lines],
            "amounts": [line.amount.minor_units for line in lines],
        },
    )
    return bool(row.scalar_one())


async def balance(tx: ReadTx, account: str, owner: str, currency: str) -> Money:
    """Debits less credits of one account."""
    params = {
        "organization_id": tx.organization_id, "account": account, "owner": owner, "currency": currency,
    }  # fmt: skip
    return Money(int((await tx.execute(_BALANCE, params)).scalar_one()), currency)


async def unbalanced_entries(tx: ReadTx) -> list[str]:
    """Ids of entries of this organization that do not balance: empty, or the books are wrong."""
    rows = await tx.execute(_UNBALANCED, {"organization_id": tx.organization_id})
    return [row.entry_id for row in rows]


_POST = text("""
    WITH entry AS (
        INSERT INTO ledger_entries (
            organization_id, entry_id, source, source_id, kind, corrects_entry_id, description,
            occurred_at, posted_at
        ) VALUES (
            :organization_id, :entry_id, :source, :source_id, :kind, :corrects_entry_id, :description,
            :occurred_at, :posted_at
        ) ON CONFLICT (organization_id, source, source_id, kind) DO NOTHING
        RETURNING entry_id
    ), lines AS (
        INSERT INTO ledger_lines (
            organization_id, entry_id, line_no, account, owner, currency, side, amount_minor_units
        )
        SELECT :organization_id, entry_id, position, account, owner, currency, side, amount
        FROM entry, unnest(
            CAST(:accounts AS text[]), CAST(:owners AS text[]), CAST(:currencies AS text[]),
            CAST(:sides AS text[]), CAST(:amounts AS bigint[])
        ) WITH ORDINALITY AS line (account, owner, currency, side, amount, position)
        RETURNING 1
    )
    SELECT count(*) FROM lines
""")
_SIGNED = "sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END)"
_BALANCE = text(
    f"SELECT coalesce({_SIGNED}, 0) FROM ledger_lines WHERE organization_id = :organization_id"  # noqa: S608
    " AND account = :account AND owner = :owner AND currency = :currency"
)
_UNBALANCED = text(
    f"SELECT DISTINCT entry_id FROM (SELECT entry_id, {_SIGNED} AS total FROM ledger_lines"  # noqa: S608
    " WHERE organization_id = :organization_id GROUP BY entry_id, currency) AS sums WHERE total <> 0"
)
