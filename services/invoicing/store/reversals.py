"""Reversals of payments, and what payments' money is used for now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, text, update

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.invoicing.domain.reversal import Reversal, Taken, Use
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.money import payment_applications, payment_reversals, reversal_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A payment that was applied. `refunded` is what went back of it, without surcharge."""

    payment_id: str
    customer_id: str
    refunded: Money
    event_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """A reversal that was applied, with what it took."""

    surcharge: Money
    missing: Money
    forgiven: bool
    to_credit: bool
    is_reinstated: bool
    parts: Sequence[Use]


async def lock_application(tx: WriteTx, payment_id: str) -> Application:
    """A payment that was applied; PAYMENT_NOT_FOUND for one that was not, or not yet."""
    query = select(payment_applications).where(
        payment_applications.c.organization_id == tx.organization_id,
        payment_applications.c.payment_id == payment_id,
    )
    row = (await tx.execute(query.with_for_update(key_share=True))).first()
    if row is None:
        raise not_found("payment")
    return Application(
        payment_id=row.payment_id,
        customer_id=row.customer_id,
        refunded=Money(row.refunded_minor_units, row.currency),
        event_version=row.event_version,
    )


async def update_application(tx: WriteTx, application: Application) -> None:
    """Write a locked application."""
    await tx.execute(
        update(payment_applications)
        .where(payment_applications.c.organization_id == tx.organization_id)
        .where(payment_applications.c.payment_id == application.payment_id)
        .values(
            refunded_minor_units=application.refunded.minor_units, event_version=application.event_version
        )
    )


async def is_applied(tx: ReadTx, reversal_id: str) -> bool:
    """Whether a reversal was applied before."""
    query = select(payment_reversals.c.reversal_id).where(
        payment_reversals.c.organization_id == tx.organization_id,
        payment_reversals.c.reversal_id == reversal_id,
    )
    return (await tx.execute(query)).first() is not None


async def insert_reversal(tx: WriteTx, reversal: Reversal, taken: Taken) -> None:
    """Note a reversal and what it took from where."""
    await tx.execute(
        insert(payment_reversals).values(
            organization_id=tx.organization_id,
            reversal_id=reversal.reversal_id,
            payment_id=reversal.payment_id,
            kind=reversal.kind,
            amount_minor_units=reversal.amount.minor_units,
            surcharge_minor_units=reversal.surcharge.minor_units,
            shortfall_minor_units=taken.missing.minor_units,
            currency=reversal.amount.currency,
            forgiven=reversal.forgive,
            to_credit=reversal.to_credit,
            reason=reversal.reason,
            reversed_at=tx.now(),
        )
    )
    rows = [
        {
            "reversal_id": reversal.reversal_id,
            "part_no": part_no,
            "payment_id": part.payment_id,
            "source_payment_id": part.source_payment_id,
            "invoice_id": part.invoice_id,
            "amount_minor_units": part.amount.minor_units,
        }
        for part_no, part in enumerate(taken.parts, start=1)
    ]
    await insert_rows(tx, reversal_parts, rows)


async def get_reversal(tx: ReadTx, reversal_id: str) -> Reversed:
    """A reversal of a payment whose application is locked; REVERSAL_NOT_FOUND for one that was not applied."""
    query = select(payment_reversals).where(
        payment_reversals.c.organization_id == tx.organization_id,
        payment_reversals.c.reversal_id == reversal_id,
    )
    row = (await tx.execute(query)).first()
    if row is None:
        raise not_found("reversal")
    parts = select(reversal_parts).where(
        reversal_parts.c.organization_id == tx.organization_id, reversal_parts.c.reversal_id == reversal_id
    )
    found = await tx.execute(parts.order_by(reversal_parts.c.part_no))
    return Reversed(
        surcharge=Money(row.surcharge_minor_units, row.currency),
        missing=Money(row.shortfall_minor_units, row.currency),
        forgiven=row.forgiven,
        to_credit=row.to_credit,
        is_reinstated=row.reinstated_at is not None,
        parts=[_use(part, row.currency) for part in found],
    )


async def note_reinstated(tx: WriteTx, reversal_id: str) -> None:
    """The money of a reversal is there again."""
    await tx.execute(
        update(payment_reversals)
        .where(payment_reversals.c.organization_id == tx.organization_id)
        .where(payment_reversals.c.reversal_id == reversal_id)
        .values(reinstated_at=tx.now())
    )


async def uses_of(tx: ReadTx, payment_id: str, *, lent: bool) -> list[Use]:
    """What a payment's money is used for now, in the order in which it was; with `lent` also what it paid with
    credit of others."""
    params = {"organization_id": tx.organization_id, "payment_id": payment_id, "lent": lent}
    return [_use(row, row.currency) for row in await tx.execute(_USES, params)]


async def lessen_uses(tx: WriteTx, parts: Sequence[Use]) -> None:
    """Take parts off what payments' money is used for; the invoices are locked. What comes to nothing is deleted."""
    for is_own, statements in ((True, (_DELETE_OWN, _LESSEN_OWN)), (False, (_DELETE_CREDIT, _LESSEN_CREDIT))):
        if params := _params(tx, parts, is_own=is_own):
            for statement in statements:
                await tx.execute(statement, params)


async def add_uses(tx: WriteTx, parts: Sequence[Use]) -> None:
    """Use payments' money for invoices, which are locked, besides what it is used for already."""
    for is_own, statement in ((True, _ADD_OWN), (False, _ADD_CREDIT)):
        if params := _params(tx, parts, is_own=is_own):
            await tx.execute(statement, params)


def _params(tx: ReadTx, parts: Sequence[Use], *, is_own: bool) -> dict[str, Any]:
    """The parts of one table as arrays, empty for none; each payer, source and invoice once."""
    sums: dict[tuple[str, str, str], int] = {}
    for part in parts:
        if part.invoice_id is not None and (part.payment_id == part.source_payment_id) is is_own:
            key = (part.payment_id, part.source_payment_id, part.invoice_id)
            sums[key] = sums.get(key, 0) + part.amount.minor_units
    if not sums:
        return {}
    return {
        "organization_id": tx.organization_id,
        "payment_ids": [key[0] for key in sums],
        "source_payment_ids": [key[1] for key in sums],
        "invoice_ids": [key[2] for key in sums],
        "amounts": list(sums.values()),
    }


def _use(row: Row[Any], currency: str) -> Use:
    return Use(row.payment_id, row.source_payment_id, row.invoice_id, Money(row.amount_minor_units, currency))


_USES = text("""
    SELECT part.payment_id, part.source_payment_id, part.invoice_id, part.amount_minor_units, invoices.currency
    FROM (
        SELECT payment_id, payment_id AS source_payment_id, invoice_id, amount_minor_units FROM allocations
        WHERE organization_id = :organization_id AND payment_id = :payment_id
        UNION ALL
        SELECT payment_id, source_payment_id, invoice_id, amount_minor_units FROM credit_allocations
        WHERE organization_id = :organization_id AND source_payment_id = :payment_id
        UNION ALL
        SELECT payment_id, source_payment_id, invoice_id, amount_minor_units FROM credit_allocations
        WHERE CAST(:lent AS boolean) AND organization_id = :organization_id AND payment_id = :payment_id
          AND source_payment_id <> :payment_id
    ) AS part
    JOIN payment_applications AS payer
        ON payer.organization_id = :organization_id AND payer.payment_id = part.payment_id
    JOIN invoices ON invoices.organization_id = :organization_id AND invoices.invoice_id = part.invoice_id
    ORDER BY payer.applied_at, part.payment_id, invoices.due_date, part.invoice_id, part.source_payment_id
""")
_DELETE_OWN = text("""
    DELETE FROM allocations AS old
    USING unnest(
        CAST(:payment_ids AS text[]), CAST(:invoice_ids AS text[]), CAST(:amounts AS bigint[])
    ) AS part (payment_id, invoice_id, amount)
    WHERE old.organization_id = :organization_id AND old.payment_id = part.payment_id
      AND old.invoice_id = part.invoice_id AND old.amount_minor_units = part.amount
""")
_LESSEN_OWN = text("""
    UPDATE allocations AS old SET amount_minor_units = old.amount_minor_units - part.amount
    FROM unnest(
        CAST(:payment_ids AS text[]), CAST(:invoice_ids AS text[]), CAST(:amounts AS bigint[])
    ) AS part (payment_id, invoice_id, amount)
    WHERE old.organization_id = :organization_id AND old.payment_id = part.payment_id
      AND old.invoice_id = part.invoice_id
""")
_ADD_OWN = text("""
    INSERT INTO allocations AS old (organization_id, payment_id, invoice_id, amount_minor_units)
    SELECT :organization_id, part.*
    FROM unnest(
        CAST(:payment_ids AS text[]), CAST(:invoice_ids AS text[]), CAST(:amounts AS bigint[])
    ) AS part
    ON CONFLICT (organization_id, payment_id, invoice_id) DO UPDATE
    SET amount_minor_units = old.amount_minor_units + excluded.amount_minor_units
""")
_DELETE_CREDIT = text("""
    DELETE FROM credit_allocations AS old
    USING unnest(
        CAST(:payment_ids AS text[]), CAST(:source_payment_ids AS text[]), CAST(:invoice_ids AS text[]),
        CAST(:amounts AS bigint[])
    ) AS part (payment_id, source_payment_id, invoice_id, amount)
    WHERE old.organization_id = :organization_id AND old.payment_id = part.payment_id
      AND old.source_payment_id = part.source_payment_id AND old.invoice_id = part.invoice_id
      AND old.amount_minor_units = part.amount
""")
_LESSEN_CREDIT = text("""
    UPDATE credit_allocations AS old SET amount_minor_units = old.amount_minor_units - part.amount
    FROM unnest(
        CAST(:payment_ids AS text[]), CAST(:source_payment_ids AS text[]), CAST(:invoice_ids AS text[]),
        CAST(:amounts AS bigint[])
    ) AS part (payment_id, source_payment_id, invoice_id, amount)
    WHERE old.organization_id = :organization_id AND old.payment_id = part.payment_id
      AND old.source_payment_id = part.source_payment_id AND old.invoice_id = part.invoice_id
""")
_ADD_CREDIT = text("""
    INSERT INTO credit_allocations AS old (
        organization_id, payment_id, source_payment_id, invoice_id, amount_minor_units
    )
    SELECT :organization_id, part.*
    FROM unnest(
        CAST(:payment_ids AS text[]), CAST(:source_payment_ids AS text[]), CAST(:invoice_ids AS text[]),
        CAST(:amounts AS bigint[])
    ) AS part
    ON CONFLICT (organization_id, payment_id, source_payment_id, invoice_id) DO UPDATE
    SET amount_minor_units = old.amount_minor_units + excluded.amount_minor_units
""")
