"""Providers' payouts with their lines."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.payments.domain.bank_line import ExpectedPayout
from services.payments.domain.payout import Payout, PayoutFigures, PayoutLine


async def insert(tx: WriteTx, payout: Payout, lines: Sequence[PayoutLine]) -> bool:
    """Write a payout with its lines; False, and nothing written, if it is known."""
    figures = payout.figures
    params = {
        **_of(tx, payout.payout_id),
        "provider": payout.provider,
        "provider_reference": payout.provider_reference,
        "currency": figures.net.currency,
        "gross": figures.gross.minor_units,
        "fees": figures.fees.minor_units,
        "refunded": figures.refunded.minor_units,
        "net": figures.net.minor_units,
        "arrives_on": payout.arrives_on,
        "covers_until": payout.covers_until,
        "now": tx.now(),
    }
    if (await tx.execute(_INSERT, params)).first() is None:
        return False
    if lines:
        await tx.execute(_INSERT_LINE, [_of(tx, payout.payout_id) | _line_params(tx, line) for line in lines])
    return True


async def is_known(tx: ReadTx, provider: str, provider_reference: str) -> bool:
    """Whether this payout was collected before."""
    params = {"organization_id": tx.organization_id, "provider": provider, "reference": provider_reference}
    return (await tx.execute(_KNOWN, params)).first() is not None


async def differing(tx: ReadTx, provider: str, *, since: datetime) -> list[tuple[str, PayoutLine]]:
    """Lines with a difference, by payout: what happened since may explain them."""
    params = {"organization_id": tx.organization_id, "provider": provider, "since": since}
    return [(row.payout_id, _line(row)) for row in await tx.execute(_DIFFERING, params)]


async def save_verdict(tx: WriteTx, payout_id: str, line: PayoutLine) -> bool:
    """Keep what a line now differs in; False if somebody else was here since it was read."""
    params = _of(tx, payout_id) | _line_params(tx, line)
    return (await tx.execute(_VERDICT, params)).first() is not None


async def expected(tx: ReadTx) -> list[ExpectedPayout]:
    """Payouts that no bank line has shown yet; a negative one is money that the provider takes."""
    return [
        ExpectedPayout(
            payout_id=row.payout_id,
            provider=row.provider,
            provider_reference=row.provider_reference,
            net=Money(row.net_minor_units, row.currency),
            arrives_on=row.arrives_on,
        )
        for row in await tx.execute(_EXPECTED, {"organization_id": tx.organization_id})
    ]


async def arrive(tx: WriteTx, payout_id: str, bank_line_id: str) -> bool:
    """Note the bank line that a payout is; False if another one is."""
    params = _of(tx, payout_id) | {"bank_line_id": bank_line_id}
    return (await tx.execute(_ARRIVE, params)).first() is not None


async def not_arrived(tx: WriteTx, payout_id: str) -> None:
    """The bank line was something else."""
    await tx.execute(_NOT_ARRIVED, _of(tx, payout_id))


async def load(tx: ReadTx, payout_id: str) -> Payout:
    """A payout of this organization; PAYOUT_NOT_FOUND."""
    row = (await tx.execute(_LOAD, _of(tx, payout_id))).first()
    if row is None:
        raise not_found("payout")
    return _payout(row)


async def page(tx: ReadTx, *, after: tuple[date, str] | None, limit: int) -> list[Payout]:
    """At most `limit` payouts below a position, the newest first."""
    params = {
        "organization_id": tx.organization_id,
        "after": after is not None,
        "arrives_on": after[0] if after else None,
        "payout_id": after[1] if after else None,
        "limit": limit,
    }
    return [_payout(row) for row in await tx.execute(_PAGE, params)]


async def lines_of(tx: ReadTx, payout_id: str) -> list[PayoutLine]:
    """All lines of a payout in their order."""
    return [_line(row) for row in await tx.execute(_LINES, _of(tx, payout_id))]


async def missing_payments(tx: ReadTx, payout: Payout) -> list[str]:
    """Payments that it should have: younger than all of the payout before, not younger than all of its own, in none."""
    if payout.covers_until is None:
        return []
    params = _of(tx, payout.payout_id) | {
        "provider": payout.provider,
        "currency": payout.figures.net.currency,
        "covers_until": payout.covers_until,
    }
    return [row.payment_id for row in await tx.execute(_MISSING, params)]


def _of(tx: ReadTx, payout_id: str) -> dict[str, Any]:
    return {"organization_id": tx.organization_id, "payout_id": payout_id}


def _line_params(tx: WriteTx, line: PayoutLine) -> dict[str, Any]:
    return {
        "position": line.position,
        "kind": line.kind,
        "provider_reference": line.provider_reference,
        "attempt_id": line.attempt_id,
        "payment_id": line.payment_id,
        "amount": line.amount.minor_units,
        "fee": line.fee.minor_units,
        "currency": line.amount.currency,
        "difference": line.difference,
        "unexplained": line.unexplained.minor_units,
        "corrections": line.corrections,
        "now": tx.now(),
    }


def _payout(row: Row[Any]) -> Payout:
    def money(units: int) -> Money:
        return Money(units, row.currency)

    return Payout(
        payout_id=row.payout_id,
        provider=row.provider,
        provider_reference=row.provider_reference,
        figures=PayoutFigures(
            gross=money(row.gross_minor_units),
            refunded=money(row.refunded_minor_units),
            fees=money(row.fees_minor_units),
            fees_to_book=money(0),
            net=money(row.net_minor_units),
        ),
        arrives_on=row.arrives_on,
        covers_until=row.covers_until,
        bank_line_id=row.bank_line_id,
        line_count=row.lines,
        differing_lines=row.differing,
    )


def _line(row: Row[Any]) -> PayoutLine:
    return PayoutLine(
        position=row.position,
        kind=row.kind,
        provider_reference=row.provider_reference,
        attempt_id=row.attempt_id,
        payment_id=row.payment_id,
        amount=Money(row.amount_minor_units, row.currency),
        fee=Money(row.fee_minor_units, row.currency),
        difference=row.difference,
        unexplained=Money(row.unexplained_minor_units, row.currency),
        corrections=row.corrections,
    )


_INSERT = text("""
    INSERT INTO payouts (
        organization_id, payout_id, provider, provider_reference, currency, gross_minor_units, fees_minor_units,
        refunded_minor_units, net_minor_units, arrives_on, covers_until, collected_at
    ) VALUES (
        :organization_id, :payout_id, :provider, :provider_reference, :currency, :gross, :fees, :refunded, :net,
        :arrives_on, :covers_until, :now
    ) ON CONFLICT (organization_id, provider, provider_reference) DO NOTHING RETURNING 1
""")
_INSERT_LINE = text("""
    INSERT INTO payout_lines (
        organization_id, payout_id, position, kind, provider_reference, attempt_id, payment_id, amount_minor_units,
        fee_minor_units, currency, difference, unexplained_minor_units, corrections, compared_at
    ) VALUES (
        :organization_id, :payout_id, :position, :kind, :provider_reference, :attempt_id, :payment_id, :amount, :fee,
        :currency, :difference, :unexplained, :corrections, :now
    )
""")
_KNOWN = text(
    "SELECT 1 FROM payouts WHERE organization_id = :organization_id AND provider = :provider"
    " AND provider_reference = :reference"
)
_LINE_COLUMNS = (
    "l.payout_id, l.position, l.kind, l.provider_reference, l.attempt_id, l.payment_id, l.amount_minor_units,"
    " l.fee_minor_units, l.currency, l.difference, l.unexplained_minor_units, l.corrections"
)
_DIFFERING = text(
    f"SELECT {_LINE_COLUMNS} FROM payout_lines l JOIN payouts p USING (organization_id, payout_id)"  # noqa: S608
    " WHERE l.organization_id = :organization_id AND p.provider = :provider AND l.difference <> ''"
    " AND p.collected_at >= :since ORDER BY l.payout_id, l.position"
)
_VERDICT = text("""
    UPDATE payout_lines
    SET payment_id = :payment_id, difference = :difference, unexplained_minor_units = :unexplained,
        corrections = :corrections, compared_at = :now
    WHERE organization_id = :organization_id AND payout_id = :payout_id AND position = :position
      AND corrections = :corrections - 1
    RETURNING 1
""")
_EXPECTED = text(
    "SELECT payout_id, provider, provider_reference, net_minor_units, currency, arrives_on FROM payouts"
    " WHERE organization_id = :organization_id AND bank_line_id = '' AND net_minor_units <> 0"
    " ORDER BY arrives_on, payout_id"
)
_ARRIVE = text(
    "UPDATE payouts SET bank_line_id = :bank_line_id"
    " WHERE organization_id = :organization_id AND payout_id = :payout_id AND bank_line_id = '' RETURNING 1"
)
_NOT_ARRIVED = text(
    "UPDATE payouts SET bank_line_id = '' WHERE organization_id = :organization_id AND payout_id = :payout_id"
)
_PAYOUT = """
    SELECT p.payout_id, p.provider, p.provider_reference, p.currency, p.gross_minor_units, p.fees_minor_units,
           p.refunded_minor_units, p.net_minor_units, p.arrives_on, p.covers_until, p.bank_line_id,
           counted.lines, counted.differing
    FROM payouts p
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines, count(*) FILTER (WHERE difference <> '') AS differing FROM payout_lines
        WHERE organization_id = p.organization_id AND payout_id = p.payout_id
    ) AS counted
    WHERE p.organization_id = :organization_id
"""
_LOAD = text(f"{_PAYOUT} AND p.payout_id = :payout_id")
_PAGE = text(
    f"{_PAYOUT} AND (NOT :after OR (p.arrives_on, p.payout_id) < (CAST(:arrives_on AS date), :payout_id))"
    " ORDER BY p.arrives_on DESC, p.payout_id DESC LIMIT :limit"
)
_LINES = text(
    f"SELECT {_LINE_COLUMNS} FROM payout_lines l WHERE l.organization_id = :organization_id"  # noqa: S608
    " AND l.payout_id = :payout_id ORDER BY l.position"
)
_MISSING = text("""
    SELECT p.payment_id
    FROM payments p
    JOIN payment_attempts a ON a.organization_id = p.organization_id AND a.payment_id = p.payment_id
        AND a.state = 'succeeded' AND a.provider = :provider
    WHERE p.organization_id = :organization_id AND p.currency = :currency AND p.status = 'succeeded'
      AND p.finished_at <= :covers_until
      AND p.finished_at > coalesce(
          (SELECT max(covers_until) FROM payouts WHERE organization_id = :organization_id AND provider = :provider
             AND currency = :currency AND covers_until < :covers_until),
          (SELECT min(paid.finished_at) FROM payout_lines l
             JOIN payments paid ON paid.organization_id = l.organization_id AND paid.payment_id = l.payment_id
             WHERE l.organization_id = :organization_id AND l.payout_id = :payout_id AND l.kind = 'charge'))
      AND NOT EXISTS (
          SELECT 1 FROM payout_lines l WHERE l.organization_id = p.organization_id
            AND l.payment_id = p.payment_id AND l.kind = 'charge')
    ORDER BY p.payment_id
""")
