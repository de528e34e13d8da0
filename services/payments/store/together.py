"""The statements of the saga for many ordinary payments of one organization at once, one for each step."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from chassis.caller import Call
from chassis.database import ReadTx, WriteTx
from chassis.ledger import Entry
from services.payments.domain.attempt import Attempt
from services.payments.domain.case import Organization
from services.payments.domain.guard import DAY, SURGE_WINDOW, UNKNOWN_PAYERS
from services.payments.domain.payment import Payment
from services.payments.domain.policy import Terms
from services.payments.store import cases, policies


@dataclass(frozen=True, slots=True)
class Payer:
    """What decides whether a customer's payment is an ordinary one."""

    name: str
    terms: Terms
    has_rules: bool
    waits_at_page: bool
    """Whether a payment of theirs waits at the provider's page."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The organization, its payers, and which subjects of guards had payments refused lately."""

    organization: Organization
    payers: Mapping[str, Payer]
    suspects: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A new payment with its attempt and the subjects under which its failure would count."""

    payment: Payment
    attempt: Attempt
    subjects: Sequence[str]
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """A payment for which money came, its entry, and the call whose key is finished with it."""

    payment: Payment
    attempt: Attempt
    entry: Entry
    key: Call | None


async def look(tx: ReadTx, customer_ids: Sequence[str], subjects: Sequence[str]) -> Surroundings:
    """All that must be known before the first row of these customers' payments is written."""
    rows = (
        await tx.execute(
            _LOOK,
            {
                "organization_id": tx.organization_id,
                "customer_ids": sorted(set(customer_ids)),
                "subjects": sorted(set(subjects)),
                "unknown": UNKNOWN_PAYERS,
                "day": tx.now() - DAY,
                "surge": tx.now() - SURGE_WINDOW,
            },
        )
    ).all()
    policy = policies.from_row(rows[0].policy, rows[0].version)
    return Surroundings(
        organization=cases.organization_of(tx.organization_id, rows[0]),
        payers={
            row.customer_id: Payer(
                row.customer_name or "",
                Terms(policy, policies.segments_of(row)),
                row.has_rules,
                row.waits_at_page,
            )
            for row in rows
        },
        suspects=frozenset(rows[0].suspects),
    )


def begin_many(tx: WriteTx, openings: Sequence[Opening]) -> None:
    """Write new payments with parts, attempts and tries, as `cases.begin` does for one."""
    rows = [
        cases.new_row(tx, one.payment, one.attempt)
        | {"subjects": list(one.subjects), "is_known": one.is_known}
        for one in openings
    ]
    params = {"organization_id": tx.organization_id, "now": tx.now(), "rows": _json(rows)}
    tx.enqueue(_BEGIN_MANY, params)


async def save_many(tx: WriteTx, successes: Sequence[Success]) -> dict[str, int]:
    """Write that money came, as `cases.save` does for one; receipt numbers by payment.

    A payment that somebody else has changed since it was read is left out and left alone.
    """
    rows = [cases.saved_row(tx, one.payment, one.attempt, entry=one.entry, key=one.key) for one in successes]
    params = {"organization_id": tx.organization_id, "now": tx.now(), "rows": _json(rows)}
    return {row.payment_id: row.receipt_no for row in await tx.execute(_SAVE_MANY, params)}


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"cannot write {type(value).__name__}")


_LOOK = text("""
    SELECT wanted.customer_id, s.segment, c.segments, c.name AS customer_name, r.customer_id IS NOT NULL AS has_rules,
           p.policy, p.version, o.name AS organization_name, o.time_zone, o.locale, o.address_lines, o.tax_id,
           o.contact_email, o.primary_color,
           EXISTS (
               SELECT FROM payments w
               WHERE w.organization_id = :organization_id AND w.customer_id = wanted.customer_id
                 AND w.status = 'requires_action'
           ) AS waits_at_page,
           ARRAY(
               SELECT DISTINCT subject FROM guard_failures
               WHERE organization_id = :organization_id
                 AND ((subject = ANY(CAST(:subjects AS text[])) AND failed_at > :day)
                      OR (subject = :unknown AND failed_at > :surge))
           ) AS suspects
    FROM unnest(CAST(:customer_ids AS text[])) AS wanted (customer_id)
    LEFT JOIN organizations o ON o.organization_id = :organization_id
    LEFT JOIN payment_policies p ON p.organization_id = :organization_id
    LEFT JOIN customer_segments s ON s.organization_id = :organization_id AND s.customer_id = wanted.customer_id
    LEFT JOIN customers c ON c.organization_id = :organization_id AND c.customer_id = wanted.customer_id
    LEFT JOIN payer_rules r ON r.organization_id = :organization_id AND r.customer_id = wanted.customer_id
""")
_BEGIN_MANY = text("""
    WITH new AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new (
            payment_id text, customer_id text, status text, amount bigint, currency text, method text,
            method_summary text, return_url text, initiated_by text, created_at timestamptz, credit_used bigint,
            surcharge bigint, prepayment bigint, scheduled_for date, starts_at timestamptz, payment_method_id text,
            payment_saves_method boolean, on_behalf_of text, source text, events integer,
            invoice_ids text[], part_amounts bigint[], numbers text[], expected_versions bigint[],
            attempt_id text, provider text, is_hosted boolean, card_token text, attempt_created_at timestamptz,
            next_check_at timestamptz, kind text, wallet text, method_token text, customer_token text,
            save_method boolean, off_session boolean, subjects text[], is_known boolean
        )
    ), payment AS (
        INSERT INTO payments (
            organization_id, payment_id, customer_id, status, amount_minor_units, currency, method,
            method_summary, return_url, initiated_by, created_at, credit_used_minor_units,
            surcharge_minor_units, prepayment_minor_units, scheduled_for, starts_at, payment_method_id,
            save_method, on_behalf_of, source, events
        )
        SELECT :organization_id, payment_id, customer_id, status, amount, currency, method,
               method_summary, return_url, initiated_by, created_at, credit_used,
               surcharge, prepayment, scheduled_for, starts_at, payment_method_id,
               payment_saves_method, on_behalf_of, source, events
        FROM new
    ), parts AS (
        INSERT INTO payment_parts (
            organization_id, payment_id, position, invoice_id, amount_minor_units, invoice_number,
            expected_version
        )
        SELECT :organization_id, payment_id, position, invoice_id, part_amount, number, expected_version
        FROM new, unnest(invoice_ids, part_amounts, numbers, expected_versions)
            WITH ORDINALITY AS part (invoice_id, part_amount, number, expected_version, position)
    ), attempt AS (
        INSERT INTO payment_attempts (
            organization_id, attempt_id, payment_id, provider, state, amount_minor_units, currency, is_hosted,
            card_token, created_at, next_check_at, kind, wallet, method_token, customer_token, save_method,
            off_session
        )
        SELECT :organization_id, attempt_id, payment_id, provider, status, amount, currency, is_hosted,
               card_token, attempt_created_at, next_check_at, kind, wallet, method_token, customer_token,
               save_method, off_session
        FROM new
    )
    INSERT INTO guarded_payments (organization_id, payment_id, subjects, is_known, created_at)
    SELECT :organization_id, payment_id, subjects, is_known, :now FROM new
    ON CONFLICT DO NOTHING
""")
# The payments' rows are locked first, and only those that nobody has changed: all else follows from them.
_SAVE_MANY = text("""
    WITH wanted AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS wanted (
            payment_id text, expected_version integer, version integer, events integer, status text,
            method_summary text, redirect_url text, failure_code text, received_on date, finished_at timestamptz,
            expected_on date, invoice_ids text[], numbers text[], attempt_id text, provider_reference text,
            next_check_at timestamptz, review_reason text, entry_id text, entry_source text, entry_kind text,
            occurred_at timestamptz, accounts text[], owners text[], currencies text[], sides text[],
            line_amounts bigint[], principal text, key_method text, key text
        )
    ), locked AS MATERIALIZED (
        SELECT p.payment_id FROM payments p JOIN wanted USING (payment_id)
        WHERE p.organization_id = :organization_id AND p.version = wanted.expected_version
        ORDER BY p.payment_id FOR UPDATE OF p
    ), number AS (
        INSERT INTO number_series (organization_id, series, last_number)
        SELECT :organization_id, 'receipt', count(*) FROM locked HAVING count(*) > 0
        ON CONFLICT (organization_id, series)
            DO UPDATE SET last_number = number_series.last_number + excluded.last_number
        RETURNING last_number
    ), given AS MATERIALIZED (
        SELECT wanted.*, number.last_number - count(*) OVER () + row_number() OVER (ORDER BY payment_id) AS receipt_no
        FROM locked JOIN wanted USING (payment_id) CROSS JOIN number
    ), receipt AS (
        INSERT INTO receipts (organization_id, receipt_no, payment_id, issued_at)
        SELECT :organization_id, receipt_no, payment_id, :now FROM given
    ), entry AS (
        INSERT INTO ledger_entries (
            organization_id, entry_id, source, source_id, kind, occurred_at, posted_at
        )
        SELECT :organization_id, entry_id, entry_source, payment_id, entry_kind, occurred_at, :now FROM given
    ), lines AS (
        INSERT INTO ledger_lines (
            organization_id, entry_id, line_no, account, owner, currency, side, amount_minor_units
        )
        SELECT :organization_id, entry_id, position, account, owner, currency, side, amount
        FROM given, unnest(accounts, owners, currencies, sides, line_amounts)
            WITH ORDINALITY AS line (account, owner, currency, side, amount, position)
    ), named AS (
        UPDATE payment_parts SET invoice_number = part.number
        FROM given, unnest(given.invoice_ids, given.numbers) AS part (invoice_id, number)
        WHERE payment_parts.organization_id = :organization_id
          AND payment_parts.payment_id = given.payment_id AND payment_parts.invoice_id = part.invoice_id
          AND payment_parts.invoice_number <> part.number AND part.number <> ''
    ), attempt AS (
        UPDATE payment_attempts
        SET state = given.status, card_token = NULL, next_check_at = given.next_check_at,
            provider_reference = coalesce(given.provider_reference, payment_attempts.provider_reference),
            review_reason = given.review_reason
        FROM given
        WHERE payment_attempts.organization_id = :organization_id
          AND payment_attempts.attempt_id = given.attempt_id
    ), finished AS (
        UPDATE idempotency_keys SET state = 'finished', response = ''
        FROM given
        WHERE idempotency_keys.organization_id = :organization_id
          AND idempotency_keys.principal = given.principal AND idempotency_keys.method = given.key_method
          AND idempotency_keys.key = given.key
    )
    UPDATE payments
    SET status = given.status, version = given.version, events = given.events,
        method_summary = given.method_summary, redirect_url = given.redirect_url,
        failure_code = given.failure_code, received_on = given.received_on, expected_on = given.expected_on,
        starts_at = NULL, finished_at = given.finished_at, receipt_no = given.receipt_no
    FROM given
    WHERE payments.organization_id = :organization_id AND payments.payment_id = given.payment_id
    RETURNING payments.payment_id, payments.receipt_no
""")
