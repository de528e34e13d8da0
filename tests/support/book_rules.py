"""What must be true inside each service's database once nothing moves: rules as queries for what breaks them.

Each query gives `found`, the culprit, for the organizations in `orgs`. What invoicing and the chassis check themselves
stands there; payments' rules are written here once more, from the promises, so that both would have to be wrong alike.
"""

from collections.abc import Mapping

from chassis.book_checks import LEDGER_CHECKS, TRANSPORT_CHECKS, Checks
from services.invoicing.operations.verify_books import INVOICING_CHECKS

Rules = Mapping[str, str]
_AT_THE_END = {
    ":organization_id": "ANY(%(orgs)s)",
    ":sent_before": "now()",
    ":lapsed_before": "now() - interval '15 seconds'",
}
"""Once nothing moves, nobody is given any time."""


def _of_all(checks: Checks) -> Rules:
    """A service's checks, for several organizations at once."""
    rules = {}
    for name, query in checks.items():
        for parameter, value in _AT_THE_END.items():
            query = query.replace(parameter, value)
        rules[name] = query
    return rules


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
            AND p.status NOT IN ('scheduled', 'awaiting_approval')
            AND NOT (p.status = 'canceled' AND p.redirect_url = '' AND NOT EXISTS (
                SELECT FROM payment_attempts n
                WHERE n.organization_id = p.organization_id AND n.payment_id = p.payment_id))
        GROUP BY p.organization_id, p.payment_id HAVING count(a.attempt_id) <> 1
    """,
    "payment has no certain outcome": """
        SELECT payment_id || ' ' || status AS found FROM payments WHERE organization_id = ANY(%(orgs)s)
            AND status IN ('submitting', 'unknown', 'processing', 'review')
            AND NOT (status = 'processing' AND method IN ('bank_debit', 'stablecoin'))  -- takes days
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
TRANSPORT: Rules = _of_all(TRANSPORT_CHECKS)
LEDGER: Rules = _of_all(LEDGER_CHECKS)
INVOICING: Rules = _of_all(INVOICING_CHECKS)
RULES: Mapping[str, Rules] = {
    "identity": TRANSPORT,
    "invoicing": {**TRANSPORT, **LEDGER, **INVOICING},
    "payments": {**TRANSPORT, **LEDGER, **PAYMENTS},
    "notifications": TRANSPORT,
}
