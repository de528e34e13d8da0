"""Checks what must always be true of an organization's receivables: by a job, by `tallyport verify`, after tests."""

from collections.abc import Sequence
from datetime import timedelta

from chassis.book_checks import LEDGER_CHECKS, SIGNED, Checks, as_broken, failing, failing_audit
from chassis.books import Broken
from chassis.database import ReadTx

LAPSED_AFTER = timedelta(minutes=15)
"""Reservations that lapsed are given back every few seconds, unless nobody works."""
_MONEY_BY_SOURCE = """
    SELECT organization_id, source_payment_id AS payment_id, sum(amount_minor_units) AS amount
    FROM (
        SELECT organization_id, payment_id AS source_payment_id, amount_minor_units FROM allocations
        UNION ALL
        SELECT organization_id, source_payment_id, amount_minor_units FROM credit_allocations
        UNION ALL
        SELECT organization_id, payment_id, remaining_minor_units FROM customer_credits
    ) AS place
    WHERE organization_id = :organization_id GROUP BY 1, 2
"""
INVOICING_CHECKS: Checks = {
    "I5 received is not applied, unapplied and refunded": f"""
        SELECT a.payment_id AS found FROM payment_applications a
        LEFT JOIN ({_MONEY_BY_SOURCE}) AS kept USING (organization_id, payment_id)
        WHERE a.organization_id = :organization_id
            AND coalesce(kept.amount, 0) + a.refunded_minor_units
                <> a.received_minor_units - a.surcharge_minor_units
    """,  # noqa: S608 - constants only
    "I4 refunded is not the sum of reversals": """
        SELECT a.payment_id AS found FROM payment_applications a
        LEFT JOIN payment_reversals r ON r.organization_id = a.organization_id
            AND r.payment_id = a.payment_id AND r.reinstated_at IS NULL AND NOT r.to_credit
        WHERE a.organization_id = :organization_id
        GROUP BY a.organization_id, a.payment_id, a.refunded_minor_units
        HAVING coalesce(sum(r.amount_minor_units - r.surcharge_minor_units), 0) <> a.refunded_minor_units
    """,
    "I4 money went back that was not here": """
        SELECT reversal_id AS found FROM payment_reversals
        WHERE organization_id = :organization_id AND shortfall_minor_units <> 0 AND reinstated_at IS NULL
    """,
    "I5 held credit is not the sum of holds": """
        SELECT c.payment_id AS found FROM customer_credits c
        LEFT JOIN credit_holds h ON h.organization_id = c.organization_id AND h.source_payment_id = c.payment_id
        WHERE c.organization_id = :organization_id
        GROUP BY c.organization_id, c.payment_id, c.held_minor_units
        HAVING coalesce(sum(h.amount_minor_units), 0) <> c.held_minor_units
    """,
    "I5 more credit is held than there is": """
        SELECT payment_id AS found FROM customer_credits WHERE organization_id = :organization_id
            AND (held_minor_units > remaining_minor_units OR remaining_minor_units < 0)
    """,
    "I5 credit is held by a payment that holds nothing else": """
        SELECT h.payment_id AS found FROM credit_holds h
        LEFT JOIN reservations r ON r.organization_id = h.organization_id AND r.payment_id = h.payment_id
            AND r.state = 'held'
        WHERE h.organization_id = :organization_id AND r.payment_id IS NULL
    """,
    "I5 paid is not the sum of allocations": """
        SELECT i.invoice_id AS found FROM invoices i
        LEFT JOIN (
            SELECT organization_id, invoice_id, amount_minor_units FROM allocations
            UNION ALL SELECT organization_id, invoice_id, amount_minor_units FROM credit_allocations
        ) AS l USING (organization_id, invoice_id)
        WHERE i.organization_id = :organization_id
        GROUP BY i.organization_id, i.invoice_id, i.paid_minor_units
        HAVING coalesce(sum(l.amount_minor_units), 0) <> i.paid_minor_units
    """,
    "I5 reserved is not the sum of reservations": """
        SELECT i.invoice_id AS found FROM invoices i
        LEFT JOIN reservations r ON r.organization_id = i.organization_id AND r.invoice_id = i.invoice_id
            AND r.state = 'held'
        WHERE i.organization_id = :organization_id
        GROUP BY i.organization_id, i.invoice_id, i.reserved_minor_units
        HAVING coalesce(sum(r.amount_minor_units + r.discount_minor_units), 0) <> i.reserved_minor_units
    """,
    "I5 more is paid, credited and reserved than the total": """
        SELECT invoice_id AS found FROM invoices WHERE organization_id = :organization_id
            AND (paid_minor_units < 0 OR credited_minor_units < 0 OR reserved_minor_units < 0
                OR status <> 'draft'
                    AND paid_minor_units + credited_minor_units + reserved_minor_units > total_minor_units)
    """,
    "I5 credited is not the sum of adjustments": """
        SELECT i.invoice_id AS found FROM invoices i
        LEFT JOIN invoice_adjustments a USING (organization_id, invoice_id)
        WHERE i.organization_id = :organization_id
        GROUP BY i.organization_id, i.invoice_id, i.credited_minor_units
        HAVING coalesce(sum(a.amount_minor_units), 0) <> i.credited_minor_units
    """,
    "I5 written off is not what was written off and did not come": """
        SELECT i.invoice_id AS found FROM invoices i
        LEFT JOIN invoice_adjustments a ON a.organization_id = i.organization_id
            AND a.invoice_id = i.invoice_id AND a.kind IN ('write_off', 'recovery')
        WHERE i.organization_id = :organization_id
        GROUP BY i.organization_id, i.invoice_id, i.written_off_minor_units
        HAVING coalesce(sum(a.amount_minor_units), 0) <> i.written_off_minor_units
    """,
    "I5 reductions correct another sum of taxes than they come to": """
        SELECT a.adjustment_id AS found FROM invoice_adjustments a
        LEFT JOIN adjustment_taxes t USING (organization_id, adjustment_id)
        WHERE a.organization_id = :organization_id
            AND a.kind IN ('credit_note', 'early_discount', 'hardship_discount')
        GROUP BY a.organization_id, a.adjustment_id, a.amount_minor_units
        HAVING coalesce(sum(t.taxable_minor_units + t.tax_minor_units), 0) <> a.amount_minor_units
    """,
    "I5 a credit note is not an adjustment of its invoice": """
        SELECT n.credit_note_id AS found FROM credit_notes n
        LEFT JOIN invoice_adjustments a ON a.organization_id = n.organization_id
            AND a.invoice_id = n.invoice_id AND a.kind = 'credit_note' AND a.source_id = n.credit_note_id
        WHERE n.organization_id = :organization_id AND n.total_minor_units IS DISTINCT FROM a.amount_minor_units
    """,
    "I5 status does not follow from the sums": """
        SELECT invoice_id || ' ' || status AS found FROM invoices
        WHERE organization_id = :organization_id AND status NOT IN ('draft', 'void') AND status <> CASE
            WHEN paid_minor_units + credited_minor_units = total_minor_units AND written_off_minor_units > 0
                THEN 'uncollectible'
            WHEN paid_minor_units + credited_minor_units = total_minor_units AND total_minor_units > 0 THEN 'paid'
            WHEN paid_minor_units + credited_minor_units > 0 THEN 'partly_paid' ELSE 'open' END
    """,
    "I11 reservation outlived its time": """
        SELECT payment_id AS found FROM reservations WHERE organization_id = :organization_id
            AND state = 'held' AND expires_at < :lapsed_before
    """,
    "I1 receivables ledger differs from the invoices": f"""
        WITH owed AS (
            SELECT organization_id, customer_id, currency,
                sum(total_minor_units - paid_minor_units - credited_minor_units) AS amount
            FROM invoices WHERE organization_id = :organization_id AND status NOT IN ('draft', 'void')
            GROUP BY 1, 2, 3
        ), booked AS (
            SELECT organization_id, owner AS customer_id, currency, sum({SIGNED}) AS amount
            FROM ledger_lines WHERE organization_id = :organization_id AND account = 'receivable' GROUP BY 1, 2, 3
        )
        SELECT coalesce(owed.customer_id, booked.customer_id) AS found
        FROM owed FULL JOIN booked USING (organization_id, customer_id, currency)
        WHERE coalesce(owed.amount, 0) <> coalesce(booked.amount, 0)
    """,  # noqa: S608 - constants only
    "I1 credit ledger differs from the credits": f"""
        WITH held AS (
            SELECT organization_id, customer_id, currency, sum(remaining_minor_units) AS amount
            FROM customer_credits WHERE organization_id = :organization_id GROUP BY 1, 2, 3
        ), booked AS (
            SELECT organization_id, owner AS customer_id, currency, -sum({SIGNED}) AS amount
            FROM ledger_lines WHERE organization_id = :organization_id AND account = 'customer_credit'
            GROUP BY 1, 2, 3
        )
        SELECT coalesce(held.customer_id, booked.customer_id) AS found
        FROM held FULL JOIN booked USING (organization_id, customer_id, currency)
        WHERE coalesce(held.amount, 0) <> coalesce(booked.amount, 0)
    """,  # noqa: S608 - constants only
    "I4 cash clearing differs from what was received and refunded": f"""
        WITH kept AS (
            SELECT organization_id, currency,
                sum(received_minor_units - surcharge_minor_units - refunded_minor_units) AS amount
            FROM payment_applications WHERE organization_id = :organization_id GROUP BY 1, 2
        ), booked AS (
            SELECT organization_id, currency, sum({SIGNED}) AS amount
            FROM ledger_lines WHERE organization_id = :organization_id AND account = 'cash_clearing' GROUP BY 1, 2
        )
        SELECT currency AS found FROM kept FULL JOIN booked USING (organization_id, currency)
        WHERE coalesce(kept.amount, 0) <> coalesce(booked.amount, 0)
    """,  # noqa: S608 - constants only
}


async def verify_books(tx: ReadTx) -> list[str]:
    """What is wrong, one line each; empty if the books of the transaction's organization are right."""
    checks = {**LEDGER_CHECKS, **INVOICING_CHECKS}
    found = await failing(tx, checks, lapsed_before=tx.now() - LAPSED_AFTER)
    return [*found, *await failing_audit(tx)]


async def verify(tx: ReadTx) -> Sequence[Broken]:
    """The same, by invariant."""
    return [as_broken(line) for line in await verify_books(tx)]
