"""Sums over open invoices, each in one statement. Amounts are only added in SQL, never rounded."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx
from chassis.money import Money
from services.invoicing.domain.ageing import (
    Aged,
    bucket_of,
    by_due_date,
    by_instalments,
    late,
    planned_difference,
)
from services.invoicing.domain.customer import AccountBalance
from services.invoicing.domain.instalment_plan import InstalmentPlan, demands
from services.invoicing.domain.receivables import (
    AGING_BUCKETS,
    DSO_WINDOW_DAYS,
    TOP_DEBTORS,
    AgingBucket,
    CurrencyReceivables,
    Debtor,
    days_sales_outstanding,
)
from services.invoicing.store.instalment_plans import active_plans, all_active_plans


async def account_balances(
    tx: ReadTx, customer_id: str, *, currency: str, today: date
) -> list[AccountBalance]:
    """A customer's balances; the one in `currency` is always there and comes first.

    Invoices under an agreed plan are due as their instalments are, not by their own dates.
    """
    plans = [one for one in await active_plans(tx, customer_ids=[customer_id]) if one.is_on_track(today)]
    rows = await tx.execute(
        _ACCOUNT,
        {
            "organization_id": tx.organization_id,
            "customer_id": customer_id,
            "currency": currency,
            "today": today,
            "in_7_days": today + timedelta(days=7),
            "in_30_days": today + timedelta(days=30),
            "planned": [part.invoice_id for plan in plans for part in plan.invoices],
        },
    )
    return [
        _with_plans(balance, [one for one in plans if one.currency == balance.open.currency], today)
        for balance in map(_account_balance, rows)
    ]


async def receivables(tx: ReadTx, *, currency: str, today: date) -> list[CurrencyReceivables]:
    """The organization's totals; those in `currency` are always there and come first."""
    params = {
        "organization_id": tx.organization_id, "currency": currency, "today": today,
        "window_start": today - timedelta(days=DSO_WINDOW_DAYS), "top": TOP_DEBTORS,
    }  # fmt: skip
    plans = [one for one in await all_active_plans(tx) if one.is_on_track(today)]
    totals = (await tx.execute(_TOTALS, params)).all()
    debtors: dict[str, list[Debtor]] = {}
    for row in await tx.execute(_DEBTORS, params):
        own = [one for one in plans if one.customer_id == row.customer_id]
        open_, overdue = Money(int(row.open), row.currency), Money(int(row.overdue), row.currency)
        overdue += planned_difference(own, today, row.currency)
        debtors.setdefault(row.currency, []).append(Debtor(row.customer_id, row.name, open_, overdue))
    return [_currency_receivables(row, debtors.get(row.currency, ()), plans, today) for row in totals]


async def waiting_drafts(tx: ReadTx) -> tuple[int, datetime | None]:
    """How many drafts there are, and since when the oldest has been waiting."""
    row = (await tx.execute(_DRAFTS, {"organization_id": tx.organization_id})).one()
    return row.drafts, row.oldest


def _account_balance(row: Row[Any]) -> AccountBalance:
    def money(minor_units: Any) -> Money:
        return Money(int(minor_units), row.currency)

    return AccountBalance(
        open=money(row.open),
        overdue=money(row.overdue),
        due_in_7_days=money(row.due_in_7_days),
        due_in_30_days=money(row.due_in_30_days),
        processing=money(row.processing),
        credit=money(row.credit),
        open_invoices=row.open_invoices,
        overdue_invoices=row.overdue_invoices,
        next_due_date=row.next_due_date,
        due_now=money(row.due_now),
    )


def _with_plans(balance: AccountBalance, plans: Sequence[InstalmentPlan], today: date) -> AccountBalance:
    """Add what is due of agreed plans."""
    currency = balance.open.currency
    for plan in plans:
        parts = by_instalments(plan)
        overdue = late(parts, today, currency)

        def due_in(days: int, parts: Sequence[Aged] = parts, overdue: Money = overdue) -> Money:
            return late(parts, today + timedelta(days=days + 1), currency) - overdue

        coming = plan.schedule.next_due(plan.paid)
        days = [day for day in (balance.next_due_date, coming.due_on if coming else None) if day is not None]
        asked = demands(plan, today).values()
        balance = replace(
            balance,
            overdue=balance.overdue + overdue,
            overdue_invoices=balance.overdue_invoices + (0 if overdue.is_zero else 1),
            due_in_7_days=balance.due_in_7_days + due_in(7),
            due_in_30_days=balance.due_in_30_days + due_in(30),
            next_due_date=min(days, default=None),
            due_now=sum((one.asked for one in asked), balance.due_now),
        )
    return balance


def _currency_receivables(
    row: Row[Any], debtors: Sequence[Debtor], plans: Sequence[InstalmentPlan], today: date
) -> CurrencyReceivables:
    """What is in dispute is open, but has no age."""
    amounts = [row.current_due, row.due_1_30, row.due_31_60, row.due_61_90, row.due_over_90]
    open_units = int(sum(amounts) + row.disputed)
    counts = [row.current_count, row.count_1_30, row.count_31_60, row.count_61_90, row.count_over_90]
    _age_by_instalments(amounts, counts, [one for one in plans if one.currency == row.currency], today)
    aging = [
        AgingBucket(name, Money(int(amount), row.currency), count)
        for name, amount, count in zip(AGING_BUCKETS, amounts, counts, strict=True)
    ]
    return CurrencyReceivables(
        open=Money(open_units, row.currency),
        overdue=Money(int(sum(amounts[1:])), row.currency),
        disputed=Money(int(row.disputed), row.currency),
        unapplied_credit=Money(int(row.credit), row.currency),
        aging=aging,
        open_invoices=row.open_count,
        overdue_invoices=sum(counts[1:]),
        days_sales_outstanding=days_sales_outstanding(
            open_minor_units=open_units, invoiced_minor_units=int(row.invoiced)
        ),
        top_debtors=debtors,
    )


def _age_by_instalments(
    amounts: list[int], counts: list[int], plans: Sequence[InstalmentPlan], today: date
) -> None:
    """Move what is owed under plans from the ages of due dates to those of instalments."""
    for plan in plans:
        for one in by_due_date(plan):
            at = bucket_of(one.due_on, today)
            amounts[at] -= one.amount.minor_units
            counts[at] -= 1
        counted = set[str]()
        for one in by_instalments(plan):
            at = bucket_of(one.due_on, today)
            amounts[at] += one.amount.minor_units
            counts[at] += one.invoice_id not in counted
            counted.add(one.invoice_id)


_ACCOUNT = text("""
    WITH owed AS (
        SELECT currency,
            sum(due) AS open,
            sum(asked)
                FILTER (WHERE NOT planned AND due_date < :today) AS overdue,
            sum(asked)
                FILTER (WHERE NOT planned AND due_date BETWEEN :today AND :in_7_days) AS due_in_7_days,
            sum(asked)
                FILTER (WHERE NOT planned AND due_date BETWEEN :today AND :in_30_days) AS due_in_30_days,
            sum(reserved_minor_units) AS processing,
            count(*) AS open_invoices,
            count(*) FILTER (WHERE NOT planned AND due_date < :today AND asked > 0) AS overdue_invoices,
            min(due_date) FILTER (WHERE NOT planned) AS next_due_date,
            sum(greatest(0, asked - reserved_minor_units))
                FILTER (WHERE NOT planned AND due_date <= :today) AS due_now
        FROM (
            SELECT *, due - least(disputed_minor_units, due) AS asked, invoice_id = ANY(:planned) AS planned
            FROM invoices, LATERAL (SELECT total_minor_units - paid_minor_units - credited_minor_units AS due)
            WHERE organization_id = :organization_id AND customer_id = :customer_id
              AND status IN ('open', 'partly_paid')
        ) AS open_invoice
        GROUP BY currency
    ), credit AS (
        SELECT currency, sum(remaining_minor_units - held_minor_units) AS credit FROM customer_credits
        WHERE organization_id = :organization_id AND customer_id = :customer_id
        GROUP BY currency
    ), own AS (SELECT CAST(:currency AS text) AS currency)
    SELECT currency, coalesce(open, 0) AS open, coalesce(overdue, 0) AS overdue,
        coalesce(due_in_7_days, 0) AS due_in_7_days, coalesce(due_in_30_days, 0) AS due_in_30_days,
        coalesce(processing, 0) AS processing, coalesce(credit, 0) AS credit,
        coalesce(open_invoices, 0) AS open_invoices, coalesce(overdue_invoices, 0) AS overdue_invoices,
        next_due_date, coalesce(due_now, 0) AS due_now
    FROM own FULL JOIN owed USING (currency) FULL JOIN credit USING (currency)
    ORDER BY currency <> :currency, currency
""")
_DRAFTS = text("""
    SELECT count(*) AS drafts, min(created_at) AS oldest FROM invoices
    WHERE organization_id = :organization_id AND status = 'draft'
""")
_TOTALS = text("""
    WITH owed AS (
        SELECT currency, due - least(disputed_minor_units, due) AS asked,
            CAST(:today AS date) - due_date AS days, least(disputed_minor_units, due) AS disputed
        FROM invoices, LATERAL (SELECT total_minor_units - paid_minor_units - credited_minor_units AS due)
        WHERE organization_id = :organization_id AND status IN ('open', 'partly_paid')
    ), aged AS (
        SELECT currency,
            coalesce(sum(asked) FILTER (WHERE days <= 0), 0) AS current_due,
            coalesce(sum(asked) FILTER (WHERE days BETWEEN 1 AND 30), 0) AS due_1_30,
            coalesce(sum(asked) FILTER (WHERE days BETWEEN 31 AND 60), 0) AS due_31_60,
            coalesce(sum(asked) FILTER (WHERE days BETWEEN 61 AND 90), 0) AS due_61_90,
            coalesce(sum(asked) FILTER (WHERE days > 90), 0) AS due_over_90,
            count(*) FILTER (WHERE days <= 0 AND asked > 0) AS current_count,
            count(*) FILTER (WHERE days BETWEEN 1 AND 30 AND asked > 0) AS count_1_30,
            count(*) FILTER (WHERE days BETWEEN 31 AND 60 AND asked > 0) AS count_31_60,
            count(*) FILTER (WHERE days BETWEEN 61 AND 90 AND asked > 0) AS count_61_90,
            count(*) FILTER (WHERE days > 90 AND asked > 0) AS count_over_90,
            coalesce(sum(disputed), 0) AS disputed, count(*) AS open_count
        FROM owed GROUP BY currency
    ), invoiced AS (
        SELECT currency, sum(total_minor_units) AS invoiced FROM invoices
        WHERE organization_id = :organization_id AND status IN ('open', 'partly_paid', 'paid')
          AND invoice_date > :window_start AND invoice_date <= :today
        GROUP BY currency
    ), credit AS (
        SELECT currency, sum(remaining_minor_units) AS credit FROM customer_credits
        WHERE organization_id = :organization_id GROUP BY currency
    ), own AS (SELECT CAST(:currency AS text) AS currency)
    SELECT currency,
        coalesce(current_due, 0) AS current_due, coalesce(due_1_30, 0) AS due_1_30,
        coalesce(due_31_60, 0) AS due_31_60, coalesce(due_61_90, 0) AS due_61_90,
        coalesce(due_over_90, 0) AS due_over_90,
        coalesce(current_count, 0) AS current_count, coalesce(count_1_30, 0) AS count_1_30,
        coalesce(count_31_60, 0) AS count_31_60, coalesce(count_61_90, 0) AS count_61_90,
        coalesce(count_over_90, 0) AS count_over_90,
        coalesce(disputed, 0) AS disputed, coalesce(open_count, 0) AS open_count,
        coalesce(invoiced, 0) AS invoiced, coalesce(credit, 0) AS credit
    FROM own FULL JOIN aged USING (currency) FULL JOIN invoiced USING (currency)
    FULL JOIN credit USING (currency)
    ORDER BY currency <> :currency, currency
""")
_DEBTORS = text("""
    WITH owed AS (
        SELECT currency, customer_id, sum(due) AS open,
            coalesce(sum(due - least(disputed_minor_units, due)) FILTER (WHERE due_date < :today), 0) AS overdue
        FROM invoices, LATERAL (SELECT total_minor_units - paid_minor_units - credited_minor_units AS due)
        WHERE organization_id = :organization_id AND status IN ('open', 'partly_paid')
        GROUP BY currency, customer_id
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY currency ORDER BY open DESC, customer_id) AS place FROM owed
    )
    SELECT ranked.currency, ranked.customer_id, customers.name, ranked.open, ranked.overdue
    FROM ranked JOIN customers
        ON customers.organization_id = :organization_id AND customers.customer_id = ranked.customer_id
    WHERE place <= :top
    ORDER BY ranked.currency, place
""")
