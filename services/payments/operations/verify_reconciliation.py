"""What must always be true of bank lines, matches and payouts: queries for whatever breaks it."""

from collections.abc import Mapping

_SIGNED = "CASE l.side WHEN 'D' THEN l.amount_minor_units ELSE -l.amount_minor_units END"

RECONCILIATION_CHECKS: Mapping[str, str] = {
    "I4 bank line and its match differ": """
        SELECT coalesce(b.bank_line_id, m.bank_line_id) AS found
        FROM (SELECT * FROM bank_lines WHERE organization_id = :organization_id AND status = 'matched') AS b
        FULL JOIN (
            SELECT * FROM bank_matches WHERE organization_id = :organization_id AND undone_at IS NULL
        ) AS m ON m.bank_line_id = b.bank_line_id
        WHERE (b.payment_id, b.payout_id) IS DISTINCT FROM (m.payment_id, m.payout_id)
    """,
    "I4 matched bank lines and the bank's account in the books differ": f"""
        SELECT coalesce(b.owner, k.owner) AS found
        FROM (
            SELECT l.owner, l.currency, sum({_SIGNED}) AS units FROM ledger_lines l
            WHERE l.organization_id = :organization_id AND l.account = 'bank' GROUP BY l.owner, l.currency
        ) AS k
        FULL JOIN (
            SELECT bank_account_id AS owner, currency, sum(amount_minor_units) AS units FROM bank_lines
            WHERE organization_id = :organization_id AND status = 'matched' GROUP BY bank_account_id, currency
        ) AS b ON b.owner = k.owner AND b.currency = k.currency
        WHERE coalesce(b.units, 0) <> coalesce(k.units, 0)
    """,  # noqa: S608 - constants only
    "I4 matched payment of another sum or still undone": """
        SELECT m.match_id AS found FROM bank_matches m
        JOIN bank_lines b ON b.organization_id = m.organization_id AND b.bank_line_id = m.bank_line_id
        LEFT JOIN payments p ON p.organization_id = m.organization_id AND p.payment_id = m.payment_id
        WHERE m.organization_id = :organization_id AND m.payment_id <> ''
            AND (p.payment_id IS NULL OR p.amount_minor_units <> b.amount_minor_units OR p.currency <> b.currency
                 OR (p.source = m.bank_line_id AND (m.undone_at IS NULL) = (p.return_code = 'unmatched')))
    """,
    "I4 split bank line and its parts differ": """
        SELECT b.bank_line_id AS found FROM bank_lines b
        JOIN bank_lines t ON t.organization_id = b.organization_id AND t.split_from = b.bank_line_id
        WHERE b.organization_id = :organization_id
        GROUP BY b.bank_line_id, b.superseded, b.note, b.amount_minor_units
        HAVING CASE WHEN b.superseded AND b.note <> 'joined'
            THEN coalesce(sum(t.amount_minor_units) FILTER (WHERE t.note <> 'joined' OR NOT t.superseded), 0)
                <> b.amount_minor_units
            ELSE bool_or(NOT t.superseded) END
    """,
    "I4 payout and its bank line differ": """
        SELECT p.payout_id AS found FROM payouts p
        LEFT JOIN bank_lines b ON b.organization_id = p.organization_id AND b.bank_line_id = p.bank_line_id
        WHERE p.organization_id = :organization_id AND p.bank_line_id <> ''
            AND (b.payout_id IS DISTINCT FROM p.payout_id OR b.amount_minor_units <> p.net_minor_units)
    """,
    "I4 payouts and what they left unexplained differ from the books": f"""
        SELECT coalesce(t.owner, k.owner) AS found
        FROM (
            SELECT l.owner, l.currency, -sum({_SIGNED}) AS units FROM ledger_lines l
            WHERE l.organization_id = :organization_id AND l.account = 'unmatched_receipts'
            GROUP BY l.owner, l.currency
        ) AS k
        FULL JOIN (
            SELECT p.provider AS owner, t.currency, sum(t.unexplained_minor_units) AS units FROM payout_lines t
            JOIN payouts p ON p.organization_id = t.organization_id AND p.payout_id = t.payout_id
            WHERE t.organization_id = :organization_id GROUP BY p.provider, t.currency
        ) AS t ON t.owner = k.owner AND t.currency = k.currency
        WHERE coalesce(t.units, 0) <> coalesce(k.units, 0)
    """,  # noqa: S608 - constants only
}
