"""Checks what must always be true of an organization's payments: by a job, by `tallyport verify`, after tests."""

from collections.abc import Sequence
from datetime import timedelta

from chassis.book_checks import LEDGER_CHECKS, Checks, as_broken, failing, failing_audit
from chassis.books import Broken
from chassis.database import ReadTx
from services.payments.operations.verify_reconciliation import RECONCILIATION_CHECKS
from services.payments.operations.verify_reversals import REVERSAL_CHECKS

STUCK_AFTER = timedelta(minutes=15)
SLOW_AFTER = timedelta(days=14)
"""Bank debits are on their way for days."""

CHECKS: Checks = {
    "I4 succeeded payment and its ledger entry differ": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN (
            SELECT e.source_id, l.owner, l.currency, sum(l.amount_minor_units) AS units FROM ledger_entries e
            JOIN ledger_lines l ON l.organization_id = e.organization_id AND l.entry_id = e.entry_id
            WHERE e.organization_id = :organization_id AND e.source = 'payment' AND e.kind = 'received'
                AND l.account = 'customer_funds' AND l.side = 'C'
            GROUP BY e.source_id, l.owner, l.currency
        ) AS b ON b.source_id = p.payment_id AND b.owner = p.customer_id AND b.currency = p.currency
        WHERE p.organization_id = :organization_id AND coalesce(b.units, 0)
            <> CASE p.status WHEN 'succeeded' THEN p.amount_minor_units - p.surcharge_minor_units ELSE 0 END
    """,
    "I3 card payment and its attempts differ": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN payment_attempts a ON a.organization_id = p.organization_id AND a.payment_id = p.payment_id
        WHERE p.organization_id = :organization_id
            AND p.method IN ('card', 'wallet', 'bank_debit', 'redirect', 'stablecoin', 'credit')
        GROUP BY p.payment_id, p.status
        HAVING count(*) FILTER (WHERE a.state = 'succeeded')
            <> CASE p.status WHEN 'succeeded' THEN 1 ELSE 0 END
    """,
    "I2 succeeded payment has not one receipt": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN receipts r ON r.organization_id = p.organization_id AND r.payment_id = p.payment_id
        WHERE p.organization_id = :organization_id
            AND ((p.status = 'succeeded') <> (r.receipt_no IS NOT NULL)
                 OR p.receipt_no IS DISTINCT FROM r.receipt_no)
    """,
    "I2 receipt number is missing": """
        SELECT s.last_number::text AS found FROM number_series s
        WHERE s.organization_id = :organization_id AND s.series = 'receipt' AND s.last_number <> (
            SELECT count(*) FROM receipts r WHERE r.organization_id = s.organization_id
                AND r.receipt_no BETWEEN 1 AND s.last_number)
    """,
    "I5 parts do not add up": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN payment_parts t ON t.organization_id = p.organization_id AND t.payment_id = p.payment_id
        WHERE p.organization_id = :organization_id
        GROUP BY p.organization_id, p.payment_id
        HAVING CASE
            WHEN p.method IN ('card', 'wallet', 'bank_debit', 'redirect', 'stablecoin', 'credit') THEN
                coalesce(sum(t.amount_minor_units), 0) - p.credit_used_minor_units + p.prepayment_minor_units
                    + p.surcharge_minor_units <> p.amount_minor_units
            ELSE coalesce(sum(t.amount_minor_units), 0) > p.amount_minor_units
        END
    """,
    "I6 news was not told": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN outbox o ON o.organization_id = p.organization_id AND o.aggregate_id = p.payment_id
        WHERE p.organization_id = :organization_id
        GROUP BY p.payment_id, p.events, p.status
        HAVING count(o.event_id) <> p.events
            OR (p.status IN ('succeeded', 'failed', 'canceled') AND p.events = 0)
    """,
    "I11 outcome has been uncertain for too long": """
        SELECT payment_id AS found FROM payments
        WHERE organization_id = :organization_id AND created_at < :stuck_before
            AND status IN ('submitting', 'unknown', 'processing', 'review')
            AND NOT (status = 'processing' AND method IN ('bank_debit', 'stablecoin')
                     AND created_at > :slow_before)
    """,
    "I11 live attempt that nobody asks about": """
        SELECT attempt_id AS found FROM payment_attempts
        WHERE organization_id = :organization_id AND next_check_at IS NULL
            AND state IN ('submitting', 'unknown', 'requires_action', 'processing', 'review')
    """,
}


async def verify_books(tx: ReadTx, *, stuck_after: timedelta = STUCK_AFTER) -> list[str]:
    """What is wrong, one line each; empty if the books of the transaction's organization are right."""
    found = await failing(
        tx,
        {**LEDGER_CHECKS, **CHECKS, **REVERSAL_CHECKS, **RECONCILIATION_CHECKS},
        stuck_before=tx.now() - stuck_after,
        slow_before=tx.now() - SLOW_AFTER,
    )
    return [*found, *await failing_audit(tx)]


async def verify(tx: ReadTx) -> Sequence[Broken]:
    """The same, by invariant."""
    return [as_broken(line) for line in await verify_books(tx)]
