"""What must always be true of refunds, returns and chargebacks: queries for whatever breaks it."""

from collections.abc import Mapping

_LIVE = "r.given_back_at IS NULL"
_LEAVES = """NOT EXISTS (
    SELECT 1 FROM refunds f
    WHERE f.organization_id = r.organization_id AND f.refund_id = r.cause_id AND f.destination = 'credit'
)"""

REVERSAL_CHECKS: Mapping[str, str] = {
    "I4 sums of a payment and its reversals differ": f"""
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount_minor_units), 0) AS refunded,
                   coalesce(sum(amount_minor_units) FILTER (WHERE destination = 'credit'), 0) AS recredited
            FROM refunds
            WHERE organization_id = p.organization_id AND payment_id = p.payment_id AND status <> 'failed'
        ) AS f ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount_minor_units) FILTER (WHERE kind = 'chargeback'), 0) AS disputed,
                   count(*) FILTER (WHERE kind = 'return') AS returns
            FROM reversals r
            WHERE organization_id = p.organization_id AND payment_id = p.payment_id AND {_LIVE}
        ) AS t ON true
        WHERE p.organization_id = :organization_id
            AND (p.refunded_minor_units, p.recredited_minor_units, p.disputed_minor_units, p.return_code <> '')
                IS DISTINCT FROM (f.refunded, f.recredited, t.disputed, t.returns > 0)
    """,  # noqa: S608 - constants only
    "I4 more went back than was captured": f"""
        SELECT p.payment_id AS found FROM payments p
        JOIN reversals r ON r.organization_id = p.organization_id AND r.payment_id = p.payment_id
        WHERE p.organization_id = :organization_id AND {_LIVE} AND {_LEAVES}
        GROUP BY p.organization_id, p.payment_id
        HAVING sum(r.amount_minor_units) > p.amount_minor_units
    """,  # noqa: S608 - constants only
    "I2 a cause and what it took differ": f"""
        SELECT coalesce(c.cause_id, r.reversal_id) AS found
        FROM (
            SELECT organization_id, refund_id AS cause_id, amount_minor_units AS claim, status <> 'failed' AS holds
            FROM refunds WHERE organization_id = :organization_id
            UNION ALL
            SELECT t.organization_id, t.return_id, p.amount_minor_units, true FROM returns t
            JOIN payments p ON p.organization_id = t.organization_id AND p.payment_id = t.payment_id
            WHERE t.organization_id = :organization_id
            UNION ALL
            SELECT organization_id, chargeback_id, amount_minor_units, state <> 'won'
            FROM chargebacks WHERE organization_id = :organization_id
        ) AS c
        FULL JOIN (SELECT * FROM reversals r WHERE organization_id = :organization_id AND {_LIVE}) AS r
            ON r.cause_id = c.cause_id
        WHERE coalesce(c.holds, false) <> (r.reversal_id IS NOT NULL) OR r.claim_minor_units <> c.claim
    """,  # noqa: S608 - constants only
    "I4 reversal and its ledger entries differ": f"""
        SELECT r.reversal_id AS found FROM reversals r
        LEFT JOIN ledger_entries e ON e.organization_id = r.organization_id AND e.source = r.kind
            AND e.source_id = r.reversal_id AND e.kind IN ('refunded', 'returned', 'charged_back', 'reinstated')
        LEFT JOIN ledger_lines l ON l.organization_id = e.organization_id AND l.entry_id = e.entry_id
            AND l.account = 'customer_funds'
        WHERE r.organization_id = :organization_id
        GROUP BY r.organization_id, r.reversal_id
        HAVING coalesce(sum(CASE l.side WHEN 'D' THEN l.amount_minor_units ELSE -l.amount_minor_units END), 0)
            <> CASE WHEN {_LIVE} AND {_LEAVES} THEN r.amount_minor_units - r.surcharge_minor_units ELSE 0 END
    """,  # noqa: S608 - constants only
    "I4 funds of a customer and payments differ": f"""
        SELECT coalesce(held.customer_id, booked.owner) || ' ' || coalesce(held.currency, booked.currency) AS found
        FROM (
            SELECT p.customer_id, p.currency, sum(
                p.amount_minor_units - p.surcharge_minor_units - coalesce((
                    SELECT sum(r.amount_minor_units - r.surcharge_minor_units) FROM reversals r
                    WHERE r.organization_id = p.organization_id AND r.payment_id = p.payment_id
                        AND {_LIVE} AND {_LEAVES}
                ), 0)) AS units
            FROM payments p WHERE p.organization_id = :organization_id AND p.status = 'succeeded'
            GROUP BY p.customer_id, p.currency
        ) AS held
        FULL JOIN (
            SELECT owner, currency,
                   sum(CASE side WHEN 'C' THEN amount_minor_units ELSE -amount_minor_units END) AS units
            FROM ledger_lines WHERE organization_id = :organization_id AND account = 'customer_funds'
            GROUP BY owner, currency
        ) AS booked ON booked.owner = held.customer_id AND booked.currency = held.currency
        WHERE coalesce(held.units, 0) <> coalesce(booked.units, 0)
    """,  # noqa: S608 - constants only
    "I2 returned payment has not one counter-receipt": """
        SELECT p.payment_id AS found FROM payments p
        LEFT JOIN receipt_reversals v ON v.organization_id = p.organization_id AND v.payment_id = p.payment_id
        WHERE p.organization_id = :organization_id
            AND ((p.status = 'succeeded' AND p.return_code <> '') <> (v.receipt_no IS NOT NULL)
                 OR v.receipt_no <> p.receipt_no)
    """,
    "I11 refund that nobody asks about": """
        SELECT refund_id AS found FROM refunds
        WHERE organization_id = :organization_id AND next_check_at IS NULL
            AND status IN ('submitting', 'unknown', 'processing')
    """,
}
