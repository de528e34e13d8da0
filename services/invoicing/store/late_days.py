"""When something is to be decided about late invoices by the clock: the questions of the jobs that do it.

What keeps an invoice back until somebody does something is no reason to look at it each day: a dispute, a hold, a
rejected e-invoice. A plan and a promise have days of their own on which they are looked at.
"""

from typing import Final

_STILL_HELD: Final = """(
    (last.reason = 'disputed' AND invoices.disputed_minor_units >= invoices.total_minor_units
        - invoices.paid_minor_units - invoices.credited_minor_units)
    OR (last.reason = 'on_hold' AND EXISTS (
        SELECT 1 FROM customers
        WHERE customers.organization_id = :organization_id AND customers.customer_id = invoices.customer_id
          AND customers.on_hold))
    OR (last.reason = 'einvoice_rejected' AND EXISTS (
        SELECT 1 FROM einvoices
        WHERE einvoices.organization_id = :organization_id AND einvoices.document_id = invoices.invoice_id
          AND einvoices.is_waiting))
    OR (last.reason = 'promised' AND EXISTS (
        SELECT 1 FROM payment_promises AS promise
        WHERE promise.organization_id = :organization_id AND promise.customer_id = invoices.customer_id
          AND promise.state = 'open'))
    OR (last.reason = 'on_plan' AND EXISTS (
        SELECT 1 FROM plan_invoices AS part
        JOIN instalment_plans AS plan ON plan.organization_id = part.organization_id AND plan.plan_id = part.plan_id
        WHERE part.organization_id = :organization_id AND part.invoice_id = invoices.invoice_id AND part.live
          AND plan.state = 'active'))
)"""
"""What was the reason at the last look holds on; `last` is the last decision."""

DUNNING_DUE: Final = f"""
    SELECT min(day.at) FROM (
        SELECT greatest(
            coalesce(known.next_on, invoices.due_date + 1),
            CASE last.reason
                WHEN 'paused' THEN (
                    SELECT max(pause.until) + 1 FROM dunning_pauses AS pause
                    WHERE pause.organization_id = :organization_id AND pause.ended_at IS NULL
                      AND pause.customer_id = invoices.customer_id
                      AND pause.invoice_id IN ('', invoices.invoice_id))
                WHEN 'claimed' THEN held.claimed WHEN 'autopay' THEN held.autopay
            END
        )::timestamp AT TIME ZONE organizations.time_zone AS at
        FROM invoices
        JOIN organizations USING (organization_id)
        LEFT JOIN dunning_cases AS known
            ON known.organization_id = :organization_id AND known.invoice_id = invoices.invoice_id
        LEFT JOIN LATERAL (
            SELECT decision.reason FROM dunning_decisions AS decision
            WHERE decision.organization_id = :organization_id AND decision.invoice_id = invoices.invoice_id
            ORDER BY decision.decision_no DESC LIMIT 1
        ) AS last ON true
        LEFT JOIN LATERAL (
            SELECT max(hold.until) FILTER (WHERE hold.kind = 'claimed') + 1 AS claimed,
                max(hold.until) FILTER (WHERE hold.kind = 'autopay') + 1 AS autopay
            FROM dunning_holds AS hold
            WHERE hold.organization_id = :organization_id AND hold.invoice_id = invoices.invoice_id
        ) AS held ON true
        WHERE invoices.organization_id = :organization_id AND invoices.status IN ('open', 'partly_paid')
          AND invoices.kind = 'invoice' AND (known.invoice_id IS NULL OR known.next_on IS NOT NULL)
          AND {_STILL_HELD} IS NOT TRUE
          AND EXISTS (SELECT 1 FROM dunning_policies WHERE organization_id = :organization_id AND is_active)
    ) AS day WHERE day.at > :now
"""  # noqa: S608 - our own words
"""When a reminder can go out, in the organization's zone."""

LATE_FEES_DUE: Final = f"""
    SELECT min(day.at) FROM (
        SELECT coalesce(last.next_on, invoices.due_date + 1)::timestamp AT TIME ZONE organizations.time_zone AS at
        FROM invoices
        JOIN organizations USING (organization_id)
        LEFT JOIN LATERAL (
            SELECT fee.next_on, fee.period_no, fee.reason FROM late_fees AS fee
            WHERE fee.organization_id = :organization_id AND fee.invoice_id = invoices.invoice_id
            ORDER BY fee.period_no DESC LIMIT 1
        ) AS last ON true
        WHERE invoices.organization_id = :organization_id AND invoices.status IN ('open', 'partly_paid')
          AND invoices.kind <> 'late_fee' AND (last.period_no IS NULL OR last.next_on IS NOT NULL)
          AND {_STILL_HELD} IS NOT TRUE
          AND EXISTS (
            SELECT 1 FROM late_fee_policies AS policy
            JOIN customers ON customers.organization_id = policy.organization_id
                AND customers.customer_id = invoices.customer_id
            WHERE policy.organization_id = :organization_id AND policy.is_active
              AND policy.currency = invoices.currency
              AND (policy.segment = '' OR policy.segment = ANY(customers.segments))
          )
    ) AS day WHERE day.at > :now
"""  # noqa: S608 - our own words
"""When a period of an invoice begins, in the organization's zone."""
