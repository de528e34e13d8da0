"""Bank lines with what became of them, and the history of their matches."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.payments.domain.bank_line import RECORDED_WITHIN, BankLine, LineStatus, RecordedTransfer
from services.payments.domain.matching import Claim, Reason, plain_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A line that became a payment or is a payout, and why."""

    match_id: str
    bank_line_id: str
    matched_by: str
    payment_id: str = ""
    payout_id: str = ""
    customer_id: str = ""
    match_rule_id: str = ""
    confidence_per_mille: int = 0
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True)
class LinePosition:
    """Where a page of lines ends."""

    booked_on: date
    bank_line_id: str


async def load(tx: ReadTx, bank_line_id: str) -> BankLine:
    """A line of this organization; BANK_LINE_NOT_FOUND."""
    return _found((await tx.execute(_LOAD, _of(tx, bank_line_id))).first())


async def lock(tx: WriteTx, bank_line_id: str) -> BankLine:
    """The same, and nobody else matches it until this transaction ends."""
    return _found((await tx.execute(_LOCK, _of(tx, bank_line_id))).first())


async def waiting(tx: ReadTx, bank_line_ids: Collection[str] | None = None, *, limit: int) -> list[BankLine]:
    """Lines that wait: of those named, or the newest."""
    params = {
        "organization_id": tx.organization_id,
        "all": bank_line_ids is None,
        "ids": sorted(bank_line_ids or ()),
        "limit": limit,
    }
    return [_line(row) for row in await tx.execute(_WAITING, params)]


async def outgoing(tx: ReadTx, units: Collection[int]) -> list[BankLine]:
    """Lines of money that left and that nothing explains, of these (negative) amounts; the oldest first."""
    params = {"organization_id": tx.organization_id, "units": sorted(units)}
    return [_line(row) for row in await tx.execute(_OUTGOING, params)]


async def of_sum(tx: ReadTx, amount: Money) -> list[BankLine]:
    """Lines of exactly this sum that nobody has matched, the newest first."""
    params = {"organization_id": tx.organization_id, "units": amount.minor_units, "currency": amount.currency}
    return [_line(row) for row in await tx.execute(_OF_SUM, params)]


async def of_payer(tx: ReadTx, line: BankLine) -> list[BankLine]:
    """Other lines that wait and seem to come from the same payer, the newest first."""
    params = _of(tx, line.bank_line_id) | {
        "account": line.counterparty_account,
        "name": line.counterparty_name.strip(),
        "currency": line.amount.currency,
    }
    return [_line(row) for row in await tx.execute(_OF_PAYER, params)]


async def page(
    tx: ReadTx, *, status: LineStatus | None, statement_id: str, after: LinePosition | None, limit: int
) -> list[BankLine]:
    """At most `limit` lines behind a position: those that wait with the oldest first, others with the newest."""
    conditions = ["organization_id = :organization_id"]
    superseded = status is LineStatus.SUPERSEDED
    if status is not None:
        conditions.append("superseded" if superseded else "status = :status AND NOT superseded")
    if statement_id:
        conditions.append("bank_statement_id = :statement_id")
    rising = status is LineStatus.UNMATCHED
    if after is not None:
        conditions.append(f"(booked_on, bank_line_id) {'>' if rising else '<'} (:booked_on, :after_id)")
    order = "ASC" if rising else "DESC"
    statement = text(
        f"SELECT {_COLUMNS} FROM bank_lines WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants only
        f" ORDER BY booked_on {order}, bank_line_id {order} LIMIT :limit"
    )
    params = {
        "organization_id": tx.organization_id,
        "status": status.value if status else None,
        "statement_id": statement_id,
        "booked_on": after.booked_on if after else None,
        "after_id": after.bank_line_id if after else None,
        "limit": limit,
    }
    return [_line(row) for row in await tx.execute(statement, params)]


async def write_match(tx: WriteTx, match: Match) -> bool:
    """Note a match at its line, locked before; False, and nothing written, if the line has one already."""
    params = {
        "organization_id": tx.organization_id,
        "match_id": match.match_id,
        "bank_line_id": match.bank_line_id,
        "payment_id": match.payment_id,
        "payout_id": match.payout_id,
        "customer_id": match.customer_id,
        "matched_by": match.matched_by,
        "match_rule_id": match.match_rule_id,
        "confidence": match.confidence_per_mille,
        "reasons": json.dumps([{"code": each.code.value, "text": each.text} for each in match.reasons]),
        "now": tx.now(),
    }
    return (await tx.execute(_MATCH, params)).first() is not None


async def take_back(tx: WriteTx, bank_line_id: str, *, undone_by: str, reason: str) -> Match:
    """End the line's match: it waits again. The match stays in the history. NOT_FOUND if there is none."""
    params = _of(tx, bank_line_id) | {"undone_by": undone_by, "reason": reason, "now": tx.now()}
    row = (await tx.execute(_UNDO, params)).first()
    if row is None:
        raise not_found("match")
    return Match(
        match_id=row.match_id,
        bank_line_id=bank_line_id,
        matched_by=row.matched_by,
        payment_id=row.payment_id,
        payout_id=row.payout_id,
        customer_id=row.customer_id,
    )


async def count_matches(tx: ReadTx, bank_line_id: str) -> int:
    """How often the line was matched, undone matches too."""
    return int((await tx.execute(_COUNT, _of(tx, bank_line_id))).scalar_one())


async def has_match(tx: ReadTx, payment_id: str) -> bool:
    """Whether a bank line is matched with a payment now."""
    params = {"organization_id": tx.organization_id, "payment_id": payment_id}
    return (await tx.execute(_HAS_MATCH, params)).first() is not None


async def set_status(tx: WriteTx, bank_line_id: str, status: LineStatus, *, by: str, note: str) -> None:
    """Ignore a line, or let it wait again."""
    params = _of(tx, bank_line_id) | {"status": status.value, "by": by, "note": note, "now": tx.now()}
    await tx.execute(_SET_STATUS, params)


async def assign(tx: WriteTx, bank_line_id: str, assignee: str) -> None:
    """Make a line somebody's task."""
    await tx.execute(_ASSIGN, _of(tx, bank_line_id) | {"assignee": assignee})


async def history(tx: ReadTx, accounts: Collection[str]) -> dict[str, Counter[str]]:
    """Whose payments came from these accounts, how often; undone matches do not count."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    plain = sorted({plain_account(account) for account in accounts if account})
    if plain:
        params = {"organization_id": tx.organization_id, "accounts": plain}
        for row in await tx.execute(_HISTORY, params):
            seen[plain_account(row.counterparty_account)][row.customer_id] += row.times
    return dict(seen)


async def open_claims(tx: ReadTx) -> list[Claim]:
    """Transfers that payers say are on their way."""
    rows = await tx.execute(_CLAIMS, {"organization_id": tx.organization_id})
    return [
        Claim(
            claim_id=row.claim_id,
            customer_id=row.customer_id,
            invoice_ids=tuple(row.invoice_ids),
            amount=Money(row.amount_minor_units, row.currency),
        )
        for row in rows
    ]


async def recorded_transfers(tx: ReadTx) -> list[RecordedTransfer]:
    """Payments for the bank that staff recorded lately, which no bank line is matched with."""
    since = tx.now().date() - 3 * RECORDED_WITHIN
    rows = await tx.execute(_RECORDED, {"organization_id": tx.organization_id, "since": since})
    return [
        RecordedTransfer(
            payment_id=row.payment_id,
            customer_id=row.customer_id,
            customer_name=row.name or "",
            amount=Money(row.amount_minor_units, row.currency),
            received_on=row.received_on,
            invoice_numbers=tuple(row.numbers or ()),
        )
        for row in rows
    ]


async def customer_names(tx: ReadTx) -> dict[str, str]:
    """Names of all customers."""
    rows = await tx.execute(_NAMES, {"organization_id": tx.organization_id})
    return {row.customer_id: row.name for row in rows}


def _of(tx: ReadTx, bank_line_id: str) -> dict[str, Any]:
    return {"organization_id": tx.organization_id, "bank_line_id": bank_line_id}


def _found(row: Row[Any] | None) -> BankLine:
    if row is None:
        raise not_found("bank_line")
    return _line(row)


def _line(row: Row[Any]) -> BankLine:
    return BankLine(
        bank_line_id=row.bank_line_id,
        bank_account_id=row.bank_account_id,
        bank_statement_id=row.bank_statement_id,
        booked_on=row.booked_on,
        value_on=row.value_on,
        amount=Money(row.amount_minor_units, row.currency),
        counterparty_name=row.counterparty_name,
        counterparty_account=row.counterparty_account,
        remittance_text=row.remittance_text,
        structured_reference=row.structured_reference,
        end_to_end_id=row.end_to_end_id,
        status=LineStatus.SUPERSEDED if row.superseded else LineStatus(row.status),
        payment_id=row.payment_id,
        payout_id=row.payout_id,
        matched_by=row.matched_by,
        assignee=row.assignee,
        note=row.note,
        split_from=row.split_from,
    )


_COLUMNS = (
    "bank_line_id, bank_account_id, bank_statement_id, booked_on, value_on, amount_minor_units, currency,"
    " counterparty_name, counterparty_account, remittance_text, structured_reference, end_to_end_id, status,"
    " payment_id, payout_id, matched_by, assignee, note, split_from, superseded"
)
_ONE = "WHERE organization_id = :organization_id AND bank_line_id = :bank_line_id"
_LOAD = text(f"SELECT {_COLUMNS} FROM bank_lines {_ONE}")  # noqa: S608
_LOCK = text(f"SELECT {_COLUMNS} FROM bank_lines {_ONE} FOR UPDATE")  # noqa: S608
_WAITING = text(
    f"SELECT {_COLUMNS} FROM bank_lines WHERE organization_id = :organization_id AND status = 'unmatched'"  # noqa: S608
    " AND amount_minor_units > 0 AND (:all OR bank_line_id = ANY(CAST(:ids AS text[])))"
    " ORDER BY bank_line_id DESC LIMIT :limit"
)
_OUTGOING = text(
    f"SELECT {_COLUMNS} FROM bank_lines WHERE organization_id = :organization_id AND status = 'outgoing'"  # noqa: S608
    " AND amount_minor_units = ANY(CAST(:units AS bigint[])) ORDER BY booked_on, bank_line_id LIMIT 1000"
)
_OF_SUM = text(
    f"SELECT {_COLUMNS} FROM bank_lines WHERE organization_id = :organization_id"  # noqa: S608
    " AND status IN ('unmatched', 'outgoing') AND amount_minor_units = :units AND currency = :currency"
    " ORDER BY booked_on DESC, bank_line_id DESC LIMIT 20"
)
_OF_PAYER = text(
    f"SELECT {_COLUMNS} FROM bank_lines WHERE organization_id = :organization_id AND status = 'unmatched'"  # noqa: S608
    " AND bank_line_id <> :bank_line_id AND currency = :currency AND amount_minor_units > 0"
    " AND ((:account <> '' AND counterparty_account = :account)"
    "      OR (:name <> '' AND lower(counterparty_name) = lower(:name)))"
    " ORDER BY booked_on DESC, bank_line_id DESC LIMIT 50"
)
# One live match for each line: the second of two at once inserts nothing, and so changes nothing.
_MATCH = text("""
    WITH match AS (
        INSERT INTO bank_matches (
            organization_id, match_id, bank_line_id, payment_id, payout_id, customer_id, matched_by, match_rule_id,
            confidence_per_mille, reasons, matched_at
        ) VALUES (
            :organization_id, :match_id, :bank_line_id, :payment_id, :payout_id, :customer_id, :matched_by,
            :match_rule_id, :confidence, CAST(:reasons AS jsonb), :now
        ) ON CONFLICT (organization_id, bank_line_id) WHERE undone_at IS NULL DO NOTHING
        RETURNING bank_line_id
    )
    UPDATE bank_lines AS line
    SET status = 'matched', payment_id = :payment_id, payout_id = :payout_id, matched_by = :matched_by,
        matched_at = :now, version = version + 1
    FROM match
    WHERE line.organization_id = :organization_id AND line.bank_line_id = match.bank_line_id
    RETURNING line.bank_line_id
""")
_UNDO = text("""
    WITH match AS (
        UPDATE bank_matches SET undone_at = :now, undone_by = :undone_by, undo_reason = :reason
        WHERE organization_id = :organization_id AND bank_line_id = :bank_line_id AND undone_at IS NULL
        RETURNING match_id, bank_line_id, matched_by, payment_id, payout_id, customer_id
    )
    UPDATE bank_lines AS line
    SET status = CASE WHEN amount_minor_units < 0 THEN 'outgoing' ELSE 'unmatched' END, payment_id = '',
        payout_id = '', matched_by = '', matched_at = NULL, version = version + 1
    FROM match
    WHERE line.organization_id = :organization_id AND line.bank_line_id = match.bank_line_id
    RETURNING match.match_id, match.matched_by, match.payment_id, match.payout_id, match.customer_id
""")
_HAS_MATCH = text(
    "SELECT 1 FROM bank_matches WHERE organization_id = :organization_id AND payment_id = :payment_id"
    " AND undone_at IS NULL"
)
_COUNT = text(f"SELECT count(*) FROM bank_matches {_ONE}")  # noqa: S608
_SET_STATUS = text(f"""
    UPDATE bank_lines SET status = :status, matched_by = :by, note = :note, version = version + 1,
        matched_at = CASE WHEN CAST(:status AS text) = 'ignored' THEN CAST(:now AS timestamptz) END
    {_ONE}
""")  # noqa: S608
_ASSIGN = text(f"UPDATE bank_lines SET assignee = :assignee, version = version + 1 {_ONE}")  # noqa: S608
_HISTORY = text("""
    SELECT l.counterparty_account, m.customer_id, count(*) AS times
    FROM bank_lines l
    JOIN bank_matches m ON m.organization_id = l.organization_id AND m.bank_line_id = l.bank_line_id
        AND m.undone_at IS NULL AND m.customer_id <> ''
    WHERE l.organization_id = :organization_id AND l.counterparty_account = ANY(CAST(:accounts AS text[]))
    GROUP BY l.counterparty_account, m.customer_id
""")
_CLAIMS = text(
    "SELECT claim_id, customer_id, invoice_ids, amount_minor_units, currency FROM transfer_claims"
    " WHERE organization_id = :organization_id AND status = 'open' ORDER BY created_at LIMIT 2000"
)
_RECORDED = text("""
    SELECT p.payment_id, p.customer_id, c.name, p.amount_minor_units, p.currency, p.received_on,
           (SELECT array_agg(invoice_number) FROM payment_parts
            WHERE organization_id = p.organization_id AND payment_id = p.payment_id) AS numbers
    FROM payments p
    LEFT JOIN customers c ON c.organization_id = p.organization_id AND c.customer_id = p.customer_id
    WHERE p.organization_id = :organization_id AND p.status = 'succeeded' AND p.return_code = ''
      AND p.received_on >= :since AND p.amount_minor_units > 0
      AND p.method IN ('bank_transfer', 'cheque', 'card_terminal')
      AND NOT EXISTS (SELECT 1 FROM bank_matches m WHERE m.organization_id = p.organization_id
                        AND m.payment_id = p.payment_id AND m.undone_at IS NULL)
    ORDER BY p.received_on, p.payment_id LIMIT 5000
""")
_NAMES = text("SELECT customer_id, name FROM customers WHERE organization_id = :organization_id")
