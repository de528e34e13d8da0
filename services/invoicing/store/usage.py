"""Usage: each record once, sums by day of what is not billed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select, text, tuple_

from chassis.database import ReadTx, WriteTx
from services.invoicing.domain.schedule_billing import Usage
from services.invoicing.store.pages import decode_page_token, moment_of, page_of
from services.invoicing.tables.schedules import usage_records

_SCOPE = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """Usage as it was reported; `used_on` is the day of `used_at` in the schedule's zone."""

    external_id: str
    line_no: int
    quantity: Decimal
    used_at: datetime
    used_on: date
    billed_number: int | None = None


async def insert_usage(tx: WriteTx, schedule_id: str, records: Sequence[UsageRecord]) -> int:
    """Add those records whose external id is new; returns how many those are."""
    rows = await tx.execute(
        _INSERT,
        {
            "organization_id": tx.organization_id,
            "schedule_id": schedule_id,
            "now": tx.now(),
            "external_ids": [record.external_id for record in records],
            "line_nos": [record.line_no for record in records],
            "quantities": [record.quantity for record in records],
            "used_at": [record.used_at for record in records],
            "used_on": [record.used_on for record in records],
        },
    )
    return len(rows.all())


async def unbilled(tx: ReadTx, schedule_id: str) -> list[Usage]:
    """Sums by line and day of what is on no invoice yet."""
    rows = await tx.execute(_UNBILLED, {"organization_id": tx.organization_id, "schedule_id": schedule_id})
    return [Usage(row.line_no, row.used_on, row.quantity) for row in rows]


async def unbilled_of(tx: ReadTx, schedule_ids: Sequence[str]) -> dict[str, list[Usage]]:
    """The same of many schedules."""
    rows = await tx.execute(
        _UNBILLED_OF, {"organization_id": tx.organization_id, "schedule_ids": list(schedule_ids)}
    )
    found: dict[str, list[Usage]] = {}
    for row in rows:
        found.setdefault(row.schedule_id, []).append(Usage(row.line_no, row.used_on, row.quantity))
    return found


async def mark_billed(tx: WriteTx, schedule_id: str, *, before: date, number: int) -> None:
    """What was used before a day is on the invoice of a billing."""
    await tx.execute(
        _MARK,
        {
            "organization_id": tx.organization_id,
            "schedule_id": schedule_id,
            "before": before,
            "number": number,
        },
    )


async def list_usage(
    tx: ReadTx, schedule_id: str, *, page_size: int, page_token: str
) -> tuple[list[UsageRecord], str]:
    """A page, the newest first, and the token of the next one."""
    query = select(usage_records).where(
        usage_records.c.organization_id == tx.organization_id, usage_records.c.schedule_id == schedule_id
    )
    after = decode_page_token(page_token, _SCOPE)
    if after is not None:
        place = tuple_(usage_records.c.used_at, usage_records.c.external_id)
        query = query.where(place < tuple_(moment_of(after[0]), after[1]))
    order = (usage_records.c.used_at.desc(), usage_records.c.external_id.desc())
    rows = (await tx.execute(query.order_by(*order).limit(page_size + 1))).all()
    rows, token = page_of(rows, page_size, _SCOPE, lambda last: (last.used_at.isoformat(), last.external_id))
    return [
        UsageRecord(
            external_id=row.external_id,
            line_no=row.line_no,
            quantity=row.quantity,
            used_at=row.used_at,
            used_on=row.used_on,
            billed_number=row.billed_number,
        )
        for row in rows
    ], token


_INSERT = text("""
    INSERT INTO usage_records (
        organization_id, schedule_id, external_id, line_no, quantity, used_at, used_on, recorded_at
    )
    SELECT :organization_id, :schedule_id, external_id, line_no, quantity, used_at, used_on, :now
    FROM unnest(
        CAST(:external_ids AS text[]), CAST(:line_nos AS integer[]), CAST(:quantities AS numeric[]),
        CAST(:used_at AS timestamptz[]), CAST(:used_on AS date[])
    ) AS new (external_id, line_no, quantity, used_at, used_on)
    ORDER BY external_id
    ON CONFLICT DO NOTHING RETURNING external_id
""")
_UNBILLED = text("""
    SELECT line_no, used_on, sum(quantity) AS quantity FROM usage_records
    WHERE organization_id = :organization_id AND schedule_id = :schedule_id AND billed_number IS NULL
    GROUP BY line_no, used_on ORDER BY used_on, line_no
""")
_UNBILLED_OF = text("""
    SELECT schedule_id, line_no, used_on, sum(quantity) AS quantity FROM usage_records
    WHERE organization_id = :organization_id AND schedule_id = ANY(CAST(:schedule_ids AS text[]))
      AND billed_number IS NULL
    GROUP BY schedule_id, line_no, used_on ORDER BY schedule_id, used_on, line_no
""")
_MARK = text("""
    UPDATE usage_records SET billed_number = :number
    WHERE organization_id = :organization_id AND schedule_id = :schedule_id AND billed_number IS NULL
      AND used_on < :before
""")
