"""Dunning policies, where invoices stand, what was decided and sent, pauses and holds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.invoicing.domain.dunning import Action, DunningPolicy, DunningText, Level, Notice
from services.invoicing.store.pages import decode_page_token, moment_of, page_of
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.dunning import (
    dunning_cases,
    dunning_decisions,
    dunning_holds,
    dunning_notices,
    dunning_pauses,
    dunning_policies,
)

_SCOPE = "dunning_notices"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a level on a day, and why."""

    level: int
    action: Action
    reason: str
    decided_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing is sent up to a day; about all invoices of the customer when none is named."""

    pause_id: str
    customer_id: str
    invoice_id: str
    until: date
    reason: str
    created_by_name: str
    created_at: datetime
    ended_at: datetime | None = None


async def organizations_with_policies(tx: ReadTx) -> list[str]:
    """Those with a policy that is active, of all organizations in the sweep."""
    query = select(dunning_policies.c.organization_id).where(dunning_policies.c.is_active).distinct()
    return sorted((await tx.execute(query)).scalars())


async def policies(tx: ReadTx) -> list[DunningPolicy]:
    """All policies, by segment."""
    query = (
        select(dunning_policies)
        .where(dunning_policies.c.organization_id == tx.organization_id)
        .order_by(dunning_policies.c.segment)
    )
    return [
        DunningPolicy(row.segment, row.name, tuple(_level(one) for one in row.levels), row.is_active)
        for row in await tx.execute(query)
    ]


async def put_policy(tx: WriteTx, policy: DunningPolicy) -> None:
    """Write a policy; every invoice is looked at again."""
    values: dict[str, Any] = {
        "name": policy.name,
        "levels": [_level_values(one) for one in policy.levels],
        "is_active": policy.is_active,
        "updated_at": tx.now(),
    }
    await tx.execute(
        upsert(dunning_policies)
        .values(organization_id=tx.organization_id, segment=policy.segment, **values)
        .on_conflict_do_update(index_elements=["organization_id", "segment"], set_=values)
    )
    await forget_days(tx)


async def delete_policy(tx: WriteTx, segment: str) -> None:
    """Take it away; every invoice is looked at again."""
    await tx.execute(
        delete(dunning_policies)
        .where(dunning_policies.c.organization_id == tx.organization_id)
        .where(dunning_policies.c.segment == segment)
    )
    await forget_days(tx)


async def forget_days(tx: WriteTx) -> None:
    """Have every invoice looked at again."""
    await tx.execute(delete(dunning_cases).where(dunning_cases.c.organization_id == tx.organization_id))


async def forget_days_of(tx: WriteTx, customer_id: str) -> None:
    """Have every invoice of a customer looked at again."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    await tx.execute(_FORGET_OF, params)


async def late_invoices(tx: ReadTx, today: date, *, limit: int) -> list[str]:
    """Invoices whose day has come, the longest due first. Fees are reminded of with what they are for."""
    params = {"organization_id": tx.organization_id, "today": today, "limit": limit}
    return list((await tx.execute(_LATE, params)).scalars())


async def put_next_on(tx: WriteTx, invoice_id: str, next_on: date | None) -> None:
    """When to look at a locked invoice again."""
    await tx.execute(
        upsert(dunning_cases)
        .values(organization_id=tx.organization_id, invoice_id=invoice_id, next_on=next_on)
        .on_conflict_do_update(index_elements=["organization_id", "invoice_id"], set_={"next_on": next_on})
    )


async def insert_notice(tx: WriteTx, notice: Notice) -> None:
    """Add a notice; a level of an invoice can be there once only."""
    await tx.execute(
        insert(dunning_notices).values(
            organization_id=tx.organization_id, notice_id=notice.notice_id, invoice_id=notice.invoice_id,
            level=notice.level, customer_id=notice.customer_id, title=notice.title, text=notice.text,
            locale=notice.locale, currency=notice.amount.currency,
            amount_minor_units=notice.amount.minor_units, issued_on=notice.issued_on,
            deadline_on=notice.deadline_on, fee_invoice_id=notice.fee_invoice_id, letter=notice.letter,
            mail=notice.mail, issued_at=tx.now(),
            interest_minor_units=None if notice.interest is None else notice.interest.minor_units,
            fees_minor_units=None if notice.fees is None else notice.fees.minor_units,
        )
    )  # fmt: skip


async def notices_of(tx: ReadTx, invoice_id: str) -> list[Notice]:
    """What was sent about an invoice, the first level first."""
    query = text(_NOTICES + " AND notice.invoice_id = :invoice_id ORDER BY notice.level")
    params = {"organization_id": tx.organization_id, "invoice_id": invoice_id}
    return [_notice(row) for row in await tx.execute(query, params)]


async def get_notice(tx: ReadTx, notice_id: str) -> Notice:
    """A notice; DUNNING_NOTICE_NOT_FOUND."""
    query = text(_NOTICES + " AND notice.notice_id = :notice_id")
    params = {"organization_id": tx.organization_id, "notice_id": notice_id}
    row = (await tx.execute(query, params)).first()
    if row is None:
        raise not_found("dunning notice")
    return _notice(row)


async def list_notices(
    tx: ReadTx, *, customer_id: str, invoice_id: str, page_size: int, page_token: str
) -> tuple[list[Notice], str]:
    """A page, the newest first, and the token of the next one."""
    after = decode_page_token(page_token, _SCOPE)
    params = {
        "organization_id": tx.organization_id, "customer_id": customer_id, "invoice_id": invoice_id,
        "before": moment_of(after[0]) if after else None, "before_id": after[1] if after else "",
        "limit": page_size + 1,
    }  # fmt: skip
    rows = list(await tx.execute(_PAGE, params))
    rows, token = page_of(rows, page_size, _SCOPE, lambda last: (last.issued_at.isoformat(), last.notice_id))
    return [_notice(row) for row in rows], token


async def decisions_of(tx: ReadTx, invoice_id: str) -> list[Decision]:
    """What was decided, the newest first."""
    query = (
        select(dunning_decisions)
        .where(dunning_decisions.c.organization_id == tx.organization_id)
        .where(dunning_decisions.c.invoice_id == invoice_id)
        .order_by(dunning_decisions.c.decision_no.desc())
    )
    return [
        Decision(row.level, Action(row.action), row.reason, row.decided_on) for row in await tx.execute(query)
    ]


async def note_decision(tx: WriteTx, invoice_id: str, decision: Decision) -> bool:
    """Keep a decision about a locked invoice unless it is the same as the last one; whether it was kept."""
    params = {
        "organization_id": tx.organization_id, "invoice_id": invoice_id, "level": decision.level,
        "action": decision.action.value, "reason": decision.reason, "decided_on": decision.decided_on,
    }  # fmt: skip
    return (await tx.execute(_DECIDE, params)).first() is not None


async def insert_pause(tx: WriteTx, pause: Pause) -> None:
    """Add a pause."""
    await insert_rows(
        tx,
        dunning_pauses,
        [
            {
                "pause_id": pause.pause_id, "customer_id": pause.customer_id, "invoice_id": pause.invoice_id,
                "until": pause.until, "reason": pause.reason, "created_by_name": pause.created_by_name,
                "created_at": pause.created_at,
            }
        ],
    )  # fmt: skip


async def end_pause(tx: WriteTx, pause_id: str) -> Pause:
    """End it now; DUNNING_PAUSE_NOT_FOUND."""
    row = (
        await tx.execute(
            update(dunning_pauses)
            .where(dunning_pauses.c.organization_id == tx.organization_id)
            .where(dunning_pauses.c.pause_id == pause_id, dunning_pauses.c.ended_at.is_(None))
            .values(ended_at=tx.now())
            .returning(dunning_pauses)
        )
    ).first()
    if row is None:
        raise not_found("dunning pause")
    return _pause(row)


async def pauses_on(tx: ReadTx, customer_id: str, invoice_id: str, today: date) -> list[Pause]:
    """Pauses that hold for an invoice, or, without one, for the whole customer."""
    query = (
        select(dunning_pauses)
        .where(dunning_pauses.c.organization_id == tx.organization_id)
        .where(dunning_pauses.c.customer_id == customer_id, dunning_pauses.c.ended_at.is_(None))
        .where(dunning_pauses.c.invoice_id.in_(["", invoice_id]), dunning_pauses.c.until >= today)
        .order_by(dunning_pauses.c.until.desc())
    )
    return [_pause(row) for row in await tx.execute(query)]


async def pauses_of(tx: ReadTx, customer_id: str, today: date) -> list[Pause]:
    """Pauses of a customer and of single invoices that hold, the longest first."""
    query = (
        select(dunning_pauses)
        .where(dunning_pauses.c.organization_id == tx.organization_id)
        .where(dunning_pauses.c.customer_id == customer_id, dunning_pauses.c.ended_at.is_(None))
        .where(dunning_pauses.c.until >= today)
        .order_by(dunning_pauses.c.until.desc(), dunning_pauses.c.pause_id)
    )
    return [_pause(row) for row in await tx.execute(query)]


async def put_holds(
    tx: WriteTx, source_id: str, invoice_ids: Collection[str], kind: str, until: date
) -> None:
    """Money for these invoices is on its way by what a claim or run says."""
    for invoice_id in invoice_ids:
        await tx.execute(
            upsert(dunning_holds)
            .values(
                organization_id=tx.organization_id, source_id=source_id, invoice_id=invoice_id, kind=kind,
                until=until,
            )
            .on_conflict_do_update(
                index_elements=["organization_id", "source_id", "invoice_id"], set_={"until": until}
            )
        )  # fmt: skip


async def prolong_holds(tx: WriteTx, source_id: str, until: date) -> None:
    """It is tried again by that day."""
    await tx.execute(
        update(dunning_holds)
        .where(dunning_holds.c.organization_id == tx.organization_id)
        .where(dunning_holds.c.source_id == source_id)
        .values(until=until)
    )


async def end_holds(tx: WriteTx, source_id: str) -> None:
    """A claim or run is over."""
    await tx.execute(
        delete(dunning_holds)
        .where(dunning_holds.c.organization_id == tx.organization_id)
        .where(dunning_holds.c.source_id == source_id)
    )


async def holds_on(tx: ReadTx, invoice_id: str) -> Mapping[str, date]:
    """The last day of each kind of hold."""
    query = select(dunning_holds).where(
        dunning_holds.c.organization_id == tx.organization_id, dunning_holds.c.invoice_id == invoice_id
    )
    found: dict[str, date] = {}
    for row in await tx.execute(query):
        found[row.kind] = max(row.until, found.get(row.kind, row.until))
    return found


def _level(values: Mapping[str, Any]) -> Level:
    fee = values["fee"]
    return Level(
        days_after_due=values["days_after_due"],
        deadline_days=values["deadline_days"],
        texts=tuple(DunningText(*one) for one in values["texts"]),
        fee=None if fee is None else Money(fee[0], fee[1]),
        mail=values["mail"],
        letter=values["letter"],
    )


def _level_values(level: Level) -> dict[str, Any]:
    texts: Sequence[list[str]] = [[one.locale, one.title, one.text] for one in level.texts]
    return {
        "days_after_due": level.days_after_due,
        "deadline_days": level.deadline_days,
        "texts": texts,
        "fee": None if level.fee is None else [level.fee.minor_units, level.fee.currency],
        "mail": level.mail,
        "letter": level.letter,
    }


def _pause(row: Row[Any]) -> Pause:
    return Pause(
        pause_id=row.pause_id, customer_id=row.customer_id, invoice_id=row.invoice_id, until=row.until,
        reason=row.reason, created_by_name=row.created_by_name, created_at=row.created_at,
        ended_at=row.ended_at,
    )  # fmt: skip


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        notice_id=row.notice_id,
        invoice_id=row.invoice_id,
        customer_id=row.customer_id,
        level=row.level,
        title=row.title,
        text=row.text,
        locale=row.locale,
        amount=Money(row.amount_minor_units, row.currency),
        issued_on=row.issued_on,
        deadline_on=row.deadline_on,
        fee_invoice_id=row.fee_invoice_id,
        letter=row.letter,
        mail=row.mail,
        invoice_number=row.invoice_number or "",
        interest=_money(row.interest_minor_units, row.currency),
        fees=_money(row.fees_minor_units, row.currency),
    )


def _money(minor_units: int | None, currency: str) -> Money | None:
    return None if minor_units is None else Money(minor_units, currency)


_LATE = text("""
    SELECT invoices.invoice_id FROM invoices
    LEFT JOIN dunning_cases AS known
        ON known.organization_id = :organization_id AND known.invoice_id = invoices.invoice_id
    WHERE invoices.organization_id = :organization_id AND invoices.status IN ('open', 'partly_paid')
      AND invoices.kind = 'invoice' AND invoices.due_date < :today
      AND (known.invoice_id IS NULL OR known.next_on <= :today)
    ORDER BY invoices.due_date, invoices.invoice_id LIMIT :limit
""")
_FORGET_OF = text("""
    DELETE FROM dunning_cases USING invoices
    WHERE dunning_cases.organization_id = :organization_id AND invoices.organization_id = :organization_id
      AND invoices.invoice_id = dunning_cases.invoice_id AND invoices.customer_id = :customer_id
""")
_DECIDE = text("""
    INSERT INTO dunning_decisions (organization_id, invoice_id, decision_no, level, action, reason, decided_on)
    SELECT :organization_id, :invoice_id, coalesce(max(decision_no), 0) + 1, :level, :action, :reason, :decided_on
    FROM dunning_decisions WHERE organization_id = :organization_id AND invoice_id = :invoice_id
    HAVING NOT EXISTS (
        SELECT 1 FROM (
            SELECT level, action, reason FROM dunning_decisions
            WHERE organization_id = :organization_id AND invoice_id = :invoice_id
            ORDER BY decision_no DESC LIMIT 1
        ) AS last WHERE last.level = :level AND last.action = :action AND last.reason = :reason
    )
    RETURNING decision_no
""")
_NOTICES = """
    SELECT notice.*, invoices.number AS invoice_number FROM dunning_notices AS notice
    JOIN invoices USING (organization_id, invoice_id)
    WHERE notice.organization_id = :organization_id
"""
_PAGE = text(
    _NOTICES
    + """
    AND (:customer_id = '' OR notice.customer_id = :customer_id)
    AND (:invoice_id = '' OR notice.invoice_id = :invoice_id)
    AND (CAST(:before AS timestamptz) IS NULL OR (notice.issued_at, notice.notice_id) < (:before, :before_id))
    ORDER BY notice.issued_at DESC, notice.notice_id DESC LIMIT :limit
"""
)
