"""What must be true inside each service's database once nothing moves: rules as queries for what breaks them.

Each query gives `found`, the culprit, for the organizations in `orgs`. They are written from the promises, not from
the services' code, so that both would have to be wrong in the same way to agree.
"""

from collections.abc import Mapping

_SIGNED = "CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END"
Rules = Mapping[str, str]

TRANSPORT: Rules = {
    "event is not published": """
        SELECT type || ' ' || aggregate_id AS found FROM outbox
        WHERE organization_id = ANY(%(orgs)s) AND published_at IS NULL
    """,
    "numbers of events have a gap": """
        SELECT organization_id AS found FROM outbox WHERE organization_id = ANY(%(orgs)s)
        GROUP BY organization_id HAVING count(*) <> max(stream_seq) OR min(stream_seq) <> 1
    """,
    "versions of an aggregate have a gap": """
        SELECT aggregate_id AS found FROM outbox WHERE organization_id = ANY(%(orgs)s)
        GROUP BY aggregate_id HAVING count(*) <> max(aggregate_version) OR min(aggregate_version) <> 1
    """,
    "dead letter": """
        SELECT state || ' ' || type || ' ' || aggregate_id || ': ' || error AS found FROM dead_letters
        WHERE organization_id = ANY(%(orgs)s)
    """,
    "aggregate is blocked": """
        SELECT aggregate_id AS found FROM inbox_positions WHERE organization_id = ANY(%(orgs)s) AND blocked
    """,
}
LEDGER: Rules = {
    "trial balance is not zero": f"""
        SELECT organization_id || ' ' || currency AS found FROM ledger_lines
        WHERE organization_id = ANY(%(orgs)s)
        GROUP BY organization_id, currency HAVING sum({_SIGNED}) <> 0
    """,
    "entry does not balance": f"""
        SELECT entry_id AS found FROM ledger_lines WHERE organization_id = ANY(%(orgs)s)
        GROUP BY organization_id, entry_id, currency HAVING sum({_SIGNED}) <> 0
    """,
}
PAYMENTS: Rules = {
    "receipt numbers have a gap": """
        SELECT organization_id AS found FROM receipts WHERE organization_id = ANY(%(orgs)s)
        GROUP BY organization_id HAVING count(*) <> max(receipt_no) OR min(receipt_no) <> 1
    """,
    "payment and receipt differ": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN receipts r ON r.organization_id = p.organization_id AND r.payment_id = p.payment_id
        WHERE p.organization_id = ANY(%(orgs)s)
            AND ((p.status = 'succeeded') <> (r.receipt_no IS NOT NULL)
                 OR p.receipt_no IS DISTINCT FROM r.receipt_no)
    """,
    "payment and cash ledger differ": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN ledger_entries e ON e.organization_id = p.organization_id
            AND e.source = 'payment' AND e.source_id = p.payment_id
        LEFT JOIN ledger_lines l ON l.organization_id = e.organization_id AND l.entry_id = e.entry_id
            AND l.account = 'customer_funds' AND l.owner = p.customer_id AND l.currency = p.currency
        WHERE p.organization_id = ANY(%(orgs)s)
        GROUP BY p.organization_id, p.payment_id, p.status, p.amount_minor_units
        HAVING coalesce(sum(CASE l.side WHEN 'C' THEN l.amount_minor_units ELSE -l.amount_minor_units END), 0)
            <> CASE p.status WHEN 'succeeded' THEN p.amount_minor_units ELSE 0 END
    """,
    "payment and attempt differ": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN payment_attempts a ON a.organization_id = p.organization_id
            AND a.payment_id = p.payment_id AND a.state = p.status
        WHERE p.organization_id = ANY(%(orgs)s) AND p.method = 'card'
        GROUP BY p.organization_id, p.payment_id HAVING count(a.attempt_id) <> 1
    """,
    "payment has no certain outcome": """
        SELECT payment_id || ' ' || status AS found FROM payments WHERE organization_id = ANY(%(orgs)s)
            AND status IN ('submitting', 'unknown', 'processing', 'review')
    """,
    "live attempt that nobody asks about": """
        SELECT attempt_id AS found FROM payment_attempts WHERE organization_id = ANY(%(orgs)s)
            AND next_check_at IS NULL AND state NOT IN ('succeeded', 'failed', 'canceled')
    """,
    "payment news was not told once": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN outbox o ON o.organization_id = p.organization_id AND o.aggregate_id = p.payment_id
        WHERE p.organization_id = ANY(%(orgs)s)
        GROUP BY p.organization_id, p.payment_id, p.status
        HAVING count(*) FILTER (WHERE o.type LIKE '%%.PaymentSucceeded')
            <> CASE p.status WHEN 'succeeded' THEN 1 ELSE 0 END
    """,
}
_MONEY_BY_SOURCE = """
    SELECT organization_id, source_payment_id AS payment_id, sum(amount_minor_units) AS amount
    FROM (
        SELECT organization_id, payment_id AS source_payment_id, amount_minor_units FROM allocations
        UNION ALL
        SELECT organization_id, source_payment_id, amount_minor_units FROM credit_allocations
        UNION ALL
        SELECT organization_id, payment_id, remaining_minor_units FROM customer_credits
    ) AS place
    WHERE organization_id = ANY(%(orgs)s) GROUP BY 1, 2
"""
INVOICING: Rules = {
    "received is not applied, unapplied and refunded": f"""
        SELECT a.payment_id AS found FROM payment_applications a
        LEFT JOIN ({_MONEY_BY_SOURCE}) AS kept USING (organization_id, payment_id)
        WHERE a.organization_id = ANY(%(orgs)s)
            AND coalesce(kept.amount, 0) + a.refunded_minor_units
                <> a.received_minor_units - a.surcharge_minor_units
    """,
    "refunded is not the sum of reversals": """
        SELECT a.payment_id AS found FROM payment_applications a
        LEFT JOIN payment_reversals r ON r.organization_id = a.organization_id
            AND r.payment_id = a.payment_id AND r.reinstated_at IS NULL AND NOT r.to_credit
        WHERE a.organization_id = ANY(%(orgs)s)
        GROUP BY a.organization_id, a.payment_id, a.refunded_minor_units
        HAVING coalesce(sum(r.amount_minor_units - r.surcharge_minor_units), 0) <> a.refunded_minor_units
    """,
    "money went back that was not here": """
        SELECT reversal_id AS found FROM payment_reversals
        WHERE organization_id = ANY(%(orgs)s) AND shortfall_minor_units <> 0 AND reinstated_at IS NULL
    """,
    "held credit is not the sum of holds": """
        SELECT c.payment_id AS found FROM customer_credits c
        LEFT JOIN credit_holds h ON h.organization_id = c.organization_id AND h.source_payment_id = c.payment_id
        WHERE c.organization_id = ANY(%(orgs)s)
        GROUP BY c.organization_id, c.payment_id, c.held_minor_units
        HAVING coalesce(sum(h.amount_minor_units), 0) <> c.held_minor_units
    """,
    "more credit is held than there is": """
        SELECT payment_id AS found FROM customer_credits WHERE organization_id = ANY(%(orgs)s)
            AND (held_minor_units > remaining_minor_units OR remaining_minor_units < 0)
    """,
    "credit is held by a payment that holds nothing else": """
        SELECT h.payment_id AS found FROM credit_holds h
        LEFT JOIN reservations r ON r.organization_id = h.organization_id AND r.payment_id = h.payment_id
            AND r.state = 'held'
        WHERE h.organization_id = ANY(%(orgs)s) AND r.payment_id IS NULL
    """,
    "paid is not the sum of allocations": """
        SELECT i.invoice_id AS found FROM invoices i
        LEFT JOIN (
            SELECT organization_id, invoice_id, amount_minor_units FROM allocations
            UNION ALL SELECT organization_id, invoice_id, amount_minor_units FROM credit_allocations
        ) AS l USING (organization_id, invoice_id)
        WHERE i.organization_id = ANY(%(orgs)s)
        GROUP BY i.organization_id, i.invoice_id, i.paid_minor_units
        HAVING coalesce(sum(l.amount_minor_units), 0) <> i.paid_minor_units
    """,
    "reserved is not the sum of reservations": """
        SELECT i.invoice_id AS found FROM invoices i
        LEFT JOIN reservations r ON r.organization_id = i.organization_id AND r.invoice_id = i.invoice_id
            AND r.state = 'held'
        WHERE i.organization_id = ANY(%(orgs)s)
        GROUP BY i.organization_id, i.invoice_id, i.reserved_minor_units
        HAVING coalesce(sum(r.amount_minor_units), 0) <> i.reserved_minor_units
    """,
    "more is paid, credited and reserved than the total": """
        SELECT invoice_id AS found FROM invoices WHERE organization_id = ANY(%(orgs)s)
            AND (paid_minor_units < 0 OR credited_minor_units < 0 OR reserved_minor_units < 0
                OR status <> 'draft'
                    AND paid_minor_units + credited_minor_units + reserved_minor_units > total_minor_units)
    """,
    "status does not follow from the sums": """
        SELECT invoice_id || ' ' || status AS found FROM invoices
        WHERE organization_id = ANY(%(orgs)s) AND status NOT IN ('draft', 'void') AND status <> CASE
            WHEN paid_minor_units + credited_minor_units = total_minor_units AND total_minor_units > 0 THEN 'paid'
            WHEN paid_minor_units + credited_minor_units > 0 THEN 'partly_paid' ELSE 'open' END
    """,
    "reservation outlived its time": """
        SELECT payment_id AS found FROM reservations WHERE organization_id = ANY(%(orgs)s)
            AND state = 'held' AND expires_at < now() - interval '15 seconds'
    """,
    "receivables ledger differs from the invoices": f"""
        WITH owed AS (
            SELECT organization_id, customer_id, currency,
                sum(total_minor_units - paid_minor_units - credited_minor_units) AS amount
            FROM invoices WHERE organization_id = ANY(%(orgs)s) AND status NOT IN ('draft', 'void')
            GROUP BY 1, 2, 3
        ), booked AS (
            SELECT organization_id, owner AS customer_id, currency, sum({_SIGNED}) AS amount
            FROM ledger_lines WHERE organization_id = ANY(%(orgs)s) AND account = 'receivable' GROUP BY 1, 2, 3
        )
        SELECT coalesce(owed.customer_id, booked.customer_id) AS found
        FROM owed FULL JOIN booked USING (organization_id, customer_id, currency)
        WHERE coalesce(owed.amount, 0) <> coalesce(booked.amount, 0)
    """,
    "credit ledger differs from the credits": f"""
        WITH held AS (
            SELECT organization_id, customer_id, currency, sum(remaining_minor_units) AS amount
            FROM customer_credits WHERE organization_id = ANY(%(orgs)s) GROUP BY 1, 2, 3
        ), booked AS (
            SELECT organization_id, owner AS customer_id, currency, -sum({_SIGNED}) AS amount
            FROM ledger_lines WHERE organization_id = ANY(%(orgs)s) AND account = 'customer_credit'
            GROUP BY 1, 2, 3
        )
        SELECT coalesce(held.customer_id, booked.customer_id) AS found
        FROM held FULL JOIN booked USING (organization_id, customer_id, currency)
        WHERE coalesce(held.amount, 0) <> coalesce(booked.amount, 0)
    """,
    "cash clearing differs from what was received and refunded": f"""
        WITH kept AS (
            SELECT organization_id, currency,
                sum(received_minor_units - surcharge_minor_units - refunded_minor_units) AS amount
            FROM payment_applications WHERE organization_id = ANY(%(orgs)s) GROUP BY 1, 2
        ), booked AS (
            SELECT organization_id, currency, sum({_SIGNED}) AS amount
            FROM ledger_lines WHERE organization_id = ANY(%(orgs)s) AND account = 'cash_clearing' GROUP BY 1, 2
        )
        SELECT currency AS found FROM kept FULL JOIN booked USING (organization_id, currency)
        WHERE coalesce(kept.amount, 0) <> coalesce(booked.amount, 0)
    """,
}
RULES: Mapping[str, Rules] = {
    "identity": TRANSPORT,
    "invoicing": {**TRANSPORT, **LEDGER, **INVOICING},
    "payments": {**TRANSPORT, **LEDGER, **PAYMENTS},
    "notifications": TRANSPORT,
}
