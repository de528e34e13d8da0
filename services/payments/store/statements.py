"""The statements that begin, read and settle payments: each does one step of the saga in one round trip."""

from sqlalchemy import text

_WAITING_AT_PAGE = """
    SELECT p.payment_id FROM payments p
    WHERE p.organization_id = :organization_id AND p.customer_id = :customer_id
      AND p.status = 'requires_action' AND EXISTS (
          SELECT FROM payment_parts t
          WHERE t.organization_id = p.organization_id AND t.payment_id = p.payment_id
            AND t.invoice_id = ANY(CAST(:invoice_ids AS text[]))
      )
    ORDER BY p.created_at DESC LIMIT 100
"""
_BEGIN = """
    WITH payment AS (
        INSERT INTO payments (
            organization_id, payment_id, customer_id, status, amount_minor_units, currency, method,
            method_summary, return_url, initiated_by, created_at, credit_used_minor_units,
            surcharge_minor_units, prepayment_minor_units, scheduled_for, starts_at, payment_method_id,
            save_method, on_behalf_of, source, events
        ) VALUES (
            :organization_id, :payment_id, :customer_id, :status, :amount, :currency, :method,
            :method_summary, :return_url, :initiated_by, :created_at, :credit_used,
            :surcharge, :prepayment, :scheduled_for, :starts_at, :payment_method_id,
            :payment_saves_method, :on_behalf_of, :source, :events
        )
    ), parts AS (
        INSERT INTO payment_parts (
            organization_id, payment_id, position, invoice_id, amount_minor_units, invoice_number,
            expected_version
        )
        SELECT :organization_id, :payment_id, position, invoice_id, amount, number, expected_version
        FROM unnest(
            CAST(:invoice_ids AS text[]), CAST(:part_amounts AS bigint[]), CAST(:numbers AS text[]),
            CAST(:expected_versions AS bigint[])
        ) WITH ORDINALITY AS part (invoice_id, amount, number, expected_version, position)
    )
    {attempt}
    SELECT o.name AS organization_name, o.time_zone, o.locale, o.address_lines, o.tax_id, o.contact_email,
           o.primary_color, c.name AS customer_name, ARRAY({waiting}) AS waiting_payment_ids
    FROM (SELECT 1) AS one
    LEFT JOIN organizations o ON o.organization_id = :organization_id
    LEFT JOIN customers c ON c.organization_id = :organization_id AND c.customer_id = :customer_id
"""
NEW_ATTEMPT_FROM = """
    INSERT INTO payment_attempts (
        organization_id, attempt_id, payment_id, provider, state, amount_minor_units, currency, is_hosted,
        card_token, created_at, next_check_at, kind, wallet, method_token, customer_token, save_method,
        off_session
    )
    SELECT :organization_id, :attempt_id, :payment_id, :provider, :status, :amount, :currency, :is_hosted,
           :card_token, :attempt_created_at, :next_check_at, :kind, :wallet, :method_token, :customer_token,
           :save_method, :off_session
    FROM {source}
"""
WAITING_AT_PAGE = text(_WAITING_AT_PAGE)
_NEW_ATTEMPT = NEW_ATTEMPT_FROM.format(source="(SELECT 1) AS one")
BEGIN = text(_BEGIN.format(attempt=f", attempt AS ({_NEW_ATTEMPT})", waiting=_WAITING_AT_PAGE))
BEGIN_WAITING = text(_BEGIN.format(attempt="", waiting=_WAITING_AT_PAGE))

COLUMNS = """
    p.payment_id, p.customer_id, p.status, p.amount_minor_units, p.currency, p.method, p.method_summary,
    p.return_url, p.redirect_url, p.failure_code, p.initiated_by, p.note, p.receipt_no, p.received_on,
    p.created_at, p.finished_at, p.version, p.events, p.credit_used_minor_units, p.surcharge_minor_units,
    p.prepayment_minor_units, p.refunded_minor_units, p.disputed_minor_units, p.return_code, p.returned_at,
    p.scheduled_for, p.starts_at, p.expected_on, p.payment_method_id, p.saved_payment_method_id,
    p.disputed_minor_units > 0 AND NOT EXISTS (
        SELECT FROM chargebacks b WHERE b.organization_id = p.organization_id AND b.payment_id = p.payment_id
            AND b.state IN ('open', 'under_review')
    ) AS chargeback_lost,
    p.save_method AS payment_saves_method, p.on_behalf_of, p.source, c.name AS customer_name,
    part.invoice_ids, part.part_amounts, part.invoice_numbers,
    part.expected_versions
"""
PARTS = """
    LEFT JOIN customers c ON c.organization_id = p.organization_id AND c.customer_id = p.customer_id
    CROSS JOIN LATERAL (
        SELECT array_agg(invoice_id ORDER BY position) AS invoice_ids,
               array_agg(amount_minor_units ORDER BY position) AS part_amounts,
               array_agg(invoice_number ORDER BY position) AS invoice_numbers,
               array_agg(expected_version ORDER BY position) AS expected_versions
        FROM payment_parts
        WHERE organization_id = p.organization_id AND payment_id = p.payment_id
    ) AS part
"""
_CASE = f"""
    SELECT {COLUMNS}, a.attempt_id, a.provider, a.state, a.provider_reference, a.is_hosted, a.card_token,
           a.amount_minor_units AS attempt_amount, a.kind, a.wallet, a.method_token, a.customer_token,
           a.save_method, a.off_session, a.created_at AS attempt_created_at, a.next_check_at, a.checks,
           o.name AS organization_name, o.time_zone, o.locale, o.address_lines, o.tax_id, o.contact_email,
           o.primary_color
    FROM payments p
    {PARTS}
    LEFT JOIN payment_attempts a ON a.organization_id = p.organization_id AND a.payment_id = p.payment_id
    LEFT JOIN organizations o ON o.organization_id = p.organization_id
    WHERE p.organization_id = :organization_id
"""  # noqa: S608 - constants only
LOAD = text(f"{_CASE} AND p.payment_id = :payment_id ORDER BY a.attempt_id DESC LIMIT 1")
LOAD_BY_ATTEMPT = text(f"{_CASE} AND a.attempt_id = :attempt_id")

# The payment's row is locked first and only if nobody has changed it: all else follows from that one row.
_RECEIPT_AND_ENTRY = """
    receipt AS (
        INSERT INTO receipts (organization_id, receipt_no, payment_id, issued_at)
        SELECT :organization_id, last_number, :payment_id, :now FROM number
    ), entry AS (
        INSERT INTO ledger_entries (
            organization_id, entry_id, source, source_id, kind, occurred_at, posted_at
        )
        SELECT :organization_id, :entry_id, :entry_source, :payment_id, :entry_kind, :occurred_at, :now FROM number
        WHERE CAST(:has_entry AS boolean)
    ), lines AS (
        INSERT INTO ledger_lines (
            organization_id, entry_id, line_no, account, owner, currency, side, amount_minor_units
        )
        SELECT :organization_id, :entry_id, position, account, owner, currency, side, amount
        FROM number, unnest(
            CAST(:accounts AS text[]), CAST(:owners AS text[]), CAST(:currencies AS text[]),
            CAST(:sides AS text[]), CAST(:line_amounts AS bigint[])
        ) WITH ORDINALITY AS line (account, owner, currency, side, amount, position)
    )
"""
_DRAW_NUMBER = """
    INSERT INTO number_series (organization_id, series, last_number)
    SELECT :organization_id, 'receipt', 1 FROM {source}
    ON CONFLICT (organization_id, series) DO UPDATE SET last_number = number_series.last_number + 1
    RETURNING last_number
"""
_SET_NUMBERS = """
    UPDATE payment_parts SET invoice_number = given.number
    FROM unnest(CAST(:invoice_ids AS text[]), CAST(:numbers AS text[])) AS given (invoice_id, number)
    WHERE payment_parts.organization_id = :organization_id AND payment_parts.payment_id = :payment_id
      AND payment_parts.invoice_id = given.invoice_id AND payment_parts.invoice_number <> given.number
      AND given.number <> ''
"""
_SAVE_TEMPLATE = f"""
    WITH locked AS (
        SELECT payment_id FROM payments
        WHERE organization_id = :organization_id AND payment_id = :payment_id AND version = :expected_version
        FOR UPDATE
    ), number AS (
        {_DRAW_NUMBER.format(source="locked WHERE CAST(:received AS boolean)")}
    ), {_RECEIPT_AND_ENTRY}, numbers AS (
        {_SET_NUMBERS} AND EXISTS (SELECT 1 FROM locked)
    ), attempt AS (
        UPDATE payment_attempts
        SET state = :status, provider_reference = coalesce(:provider_reference, provider_reference),
            card_token = CASE WHEN CAST(:is_live AS boolean) THEN card_token END,
            next_check_at = :next_check_at, review_reason = :review_reason
        FROM locked
        WHERE payment_attempts.organization_id = :organization_id AND attempt_id = :attempt_id
    ) %s
    UPDATE payments
    SET status = :status, version = :version, events = :events, method_summary = :method_summary,
        redirect_url = :redirect_url, failure_code = :failure_code, received_on = :received_on,
        expected_on = :expected_on, starts_at = :starts_at,
        finished_at = :finished_at, receipt_no = coalesce((SELECT last_number FROM number), receipt_no)
    FROM locked
    WHERE payments.organization_id = :organization_id AND payments.payment_id = locked.payment_id
    RETURNING payments.receipt_no
"""  # noqa: S608 - constants only
_KEY = "organization_id = :organization_id AND principal = :principal AND method = :key_method AND key = :key"
# The kept answer is empty: a repetition is answered with the payment as it is then.
_FINISH_KEY = f""", finished AS (
        UPDATE idempotency_keys SET state = 'finished', response = '' WHERE {_KEY}
    )"""  # noqa: S608
SAVE = text(_SAVE_TEMPLATE % "")
SAVE_AND_FINISH = text(_SAVE_TEMPLATE % _FINISH_KEY)
FORGET_KEY = text(f"DELETE FROM idempotency_keys WHERE {_KEY}")  # noqa: S608
NUMBERS = text(_SET_NUMBERS)
KEEP_NOTE = text(
    "UPDATE payments SET note = :note WHERE organization_id = :organization_id AND payment_id = :payment_id"
)
NOTE_SAVED_METHOD = text(
    "UPDATE payments SET saved_payment_method_id = :payment_method_id"
    " WHERE organization_id = :organization_id AND payment_id = :payment_id"
)
NOTE_ATTEMPT = text("""
    UPDATE payment_attempts
    SET provider_reference = coalesce(:provider_reference, provider_reference), next_check_at = :next_check_at
    WHERE organization_id = :organization_id AND attempt_id = :attempt_id
""")
INSERT_RECEIVED = text(f"""
    WITH known AS (
        SELECT 1 FROM payments
        WHERE organization_id = :organization_id AND external_reference = :external_reference
    ), number AS (
        {_DRAW_NUMBER.format(source="(SELECT 1) AS one WHERE NOT EXISTS (SELECT 1 FROM known)")}
    ), payment AS (
        INSERT INTO payments (
            organization_id, payment_id, customer_id, status, amount_minor_units, currency, method,
            method_summary, initiated_by, note, external_reference, receipt_no, received_on, created_at,
            finished_at, events, surcharge_minor_units, prepayment_minor_units, on_behalf_of, source
        )
        SELECT :organization_id, :payment_id, :customer_id, :status, :amount, :currency, :method,
               :method_summary, :initiated_by, :note, :external_reference, last_number, :received_on,
               :created_at, :finished_at, :events, :surcharge, :prepayment, :on_behalf_of, :source
        FROM number RETURNING receipt_no
    ), parts AS (
        INSERT INTO payment_parts (
            organization_id, payment_id, position, invoice_id, amount_minor_units, invoice_number
        )
        SELECT :organization_id, :payment_id, position, invoice_id, amount, invoice_number
        FROM payment, unnest(
            CAST(:invoice_ids AS text[]), CAST(:part_amounts AS bigint[]), CAST(:numbers AS text[])
        ) WITH ORDINALITY AS part (invoice_id, amount, invoice_number, position)
    ), {_RECEIPT_AND_ENTRY}
    SELECT receipt_no FROM payment
""")  # noqa: S608 - constants only
ORGANIZATION = text(
    "SELECT name AS organization_name, time_zone, locale, address_lines, tax_id, contact_email, primary_color"
    " FROM organizations WHERE organization_id = :organization_id"
)
CHANGE_SUMS = text("""
    WITH payment AS (
        UPDATE payments SET amount_minor_units = :amount, surcharge_minor_units = :surcharge,
            prepayment_minor_units = :prepayment
        WHERE organization_id = :organization_id AND payment_id = :payment_id
    ), got_nothing AS (
        DELETE FROM payment_parts WHERE organization_id = :organization_id AND payment_id = :payment_id
            AND NOT (invoice_id = ANY(CAST(:invoice_ids AS text[])))
    )
    UPDATE payment_parts SET amount_minor_units = given.amount
    FROM unnest(CAST(:invoice_ids AS text[]), CAST(:part_amounts AS bigint[])) AS given (invoice_id, amount)
    WHERE payment_parts.organization_id = :organization_id AND payment_parts.payment_id = :payment_id
        AND payment_parts.invoice_id = given.invoice_id
""")
