"""Rows of autopay: settings with all their versions, runs with their invoices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.payments.domain.autopay import AutopaySettings, Run, RunInvoice, RunStatus, Scope


@dataclass(frozen=True, slots=True)
class Page:
    """Runs and the token of the next page; empty on the last."""

    runs: list[Run]
    next_page_token: str


async def settings_of(tx: ReadTx, customer_id: str, *, lock: bool = False) -> AutopaySettings:
    """What holds now; version 0 when it was never set. `lock` keeps others from changing it meanwhile."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    row = (await tx.execute(_CURRENT_LOCKED if lock else _CURRENT, params)).first()
    return AutopaySettings(customer_id=customer_id) if row is None else _settings(row)


async def replace_settings(tx: WriteTx, settings: AutopaySettings) -> None:
    """Keep a new version; the one before stays as what was agreed then."""
    scope = {"organization_id": tx.organization_id, "customer_id": settings.customer_id}
    await tx.execute(_RETIRE, scope)
    await tx.execute(
        _KEEP,
        scope
        | {
            "version": settings.version,
            "enabled": settings.enabled,
            "payment_method_id": settings.payment_method_id,
            "scope": settings.scope.value,
            "prefixes": list(settings.prefixes),
            "days_before_due": settings.days_before_due,
            "day_of_month": settings.day_of_month,
            "cap_units": settings.cap.minor_units if settings.cap is not None else None,
            "cap_currency": settings.cap.currency if settings.cap is not None else None,
            "notice_days": settings.notice_days,
            "paused_until": settings.paused_until,
            "terms": settings.terms,
            "agreed_at": settings.agreed_at,
            "agreed_by": settings.agreed_by,
            "agreed_by_id": settings.agreed_by_id,
            "now": tx.now(),
        },
    )


async def repoint(tx: WriteTx, customer_id: str, payment_method_id: str) -> None:
    """Let autopay pay with another method from now on; what else was agreed stays."""
    settings = await settings_of(tx, customer_id, lock=True)
    if settings.version:
        await replace_settings(
            tx, replace(settings, payment_method_id=payment_method_id, version=settings.version + 1)
        )


async def customers_with_autopay(
    tx: ReadTx, *, after: tuple[str, str], limit: int
) -> Sequence[tuple[str, str]]:
    """Organization and customer of enabled settings, in order. In a sweep."""
    params = {"organization": after[0], "customer": after[1], "limit": limit}
    rows = await tx.execute(_ENABLED, params)
    return [(row.organization_id, row.customer_id) for row in rows]


async def invoices_in_runs(tx: ReadTx, customer_id: str) -> set[str]:
    """Invoices that a run has, or had and was not canceled: they are not planned again."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    return {row.invoice_id for row in await tx.execute(_TAKEN, params)}


async def insert_run(tx: WriteTx, run: Run) -> bool:
    """Keep a new run; False, and nothing is kept, when another one has one of its invoices."""
    params = _run(tx, run) | {
        "invoice_ids": [one.invoice_id for one in run.invoices],
        "numbers": [one.number for one in run.invoices],
        "amounts": [one.amount.minor_units for one in run.invoices],
    }
    return (await tx.execute(_INSERT_RUN, params)).first() is not None


async def save_run(tx: WriteTx, run: Run) -> None:
    """Write a run that is locked. A canceled one gives its invoices free; what was once paid or given up is not
    planned again, even if it is due again one day.
    """
    await tx.execute(_SAVE_RUN, _run(tx, run))
    if run.status is RunStatus.CANCELED:
        await tx.execute(_FREE, {"organization_id": tx.organization_id, "run_id": run.run_id})


async def find_run(tx: ReadTx, run_id: str, *, for_update: bool = False) -> Run | None:
    """A run of this organization."""
    params = {"organization_id": tx.organization_id, "run_id": run_id}
    if for_update:
        await tx.execute(_LOCK_RUN, params)
    row = (await tx.execute(_FIND_RUN, params)).first()
    return None if row is None else _to_run(row)


async def load_run(tx: ReadTx, run_id: str, *, for_update: bool = False) -> Run:
    """The same; NOT_FOUND."""
    run = await find_run(tx, run_id, for_update=for_update)
    if run is None:
        raise not_found("autopay_run")
    return run


async def waiting_runs(tx: ReadTx, customer_id: str) -> list[Run]:
    """Runs that may still start or be skipped."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    return [_to_run(row) for row in await tx.execute(_WAITING, params)]


async def due_runs(tx: ReadTx, *, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
    """Organization and id of runs that the clock has something to do with. In a sweep."""
    rows = await tx.execute(_DUE, {"now": now, "limit": limit})
    return [(row.organization_id, row.run_id) for row in rows]


async def page_of_runs(tx: ReadTx, *, customer_id: str, size: int, token: str) -> Page:
    """A customer's runs, or everybody's: what is to come first, the next one on top, then the newest."""
    offset = int(token) if token.isdigit() else 0
    params = {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "limit": size + 1,
        "offset": offset,
    }
    runs = [_to_run(row) for row in await tx.execute(_PAGE, params)]
    return Page(runs[:size], str(offset + size) if len(runs) > size else "")


def _run(tx: WriteTx, run: Run) -> dict[str, Any]:
    return {
        "organization_id": tx.organization_id,
        "run_id": run.run_id,
        "customer_id": run.customer_id,
        "amount": run.amount.minor_units,
        "currency": run.amount.currency,
        "pay_on": run.pay_on,
        "status": run.status.value,
        "confirmed_by": list(run.confirmed_by),
        "payment_id": run.payment_id,
        "failure_code": run.failure_code,
        "tries": run.tries,
        "first_tried_at": run.first_tried_at,
        "next_try_on": run.next_try_on,
        "noticed_at": run.noticed_at,
        "act_at": run.act_at,
        "created_at": run.created_at,
        "version": run.version + 1,
        "events": run.events,
    }


def _to_run(row: Row[Any]) -> Run:
    return Run(
        run_id=row.run_id,
        customer_id=row.customer_id,
        invoices=tuple(
            RunInvoice(
                invoice_id=invoice_id,
                number=number,
                amount=Money(units, row.currency),
                paid=_money(paid, row.currency),
            )
            for invoice_id, number, units, paid in zip(
                row.invoice_ids, row.numbers, row.amounts, row.paid_amounts, strict=True
            )
        ),
        amount=Money(row.amount_minor_units, row.currency),
        pay_on=row.pay_on,
        created_at=row.created_at,
        status=RunStatus(row.status),
        confirmed_by=tuple(row.confirmed_by),
        payment_id=row.payment_id,
        failure_code=row.failure_code,
        tries=row.tries,
        first_tried_at=row.first_tried_at,
        next_try_on=row.next_try_on,
        noticed_at=row.noticed_at,
        act_at=row.act_at,
        version=row.version,
        events=row.events,
        paid=_money(row.paid_minor_units, row.currency),
    )


def _money(units: int | None, currency: str) -> Money | None:
    return None if units is None else Money(units, currency)


def _settings(row: Row[Any]) -> AutopaySettings:
    return AutopaySettings(
        customer_id=row.customer_id,
        enabled=row.enabled,
        payment_method_id=row.payment_method_id,
        scope=Scope(row.scope),
        prefixes=tuple(row.prefixes),
        days_before_due=row.days_before_due,
        day_of_month=row.day_of_month,
        cap=None if row.cap_minor_units is None else Money(row.cap_minor_units, row.cap_currency),
        notice_days=row.notice_days,
        paused_until=row.paused_until,
        terms=row.terms,
        agreed_at=row.agreed_at,
        agreed_by=row.agreed_by,
        agreed_by_id=row.agreed_by_id,
        version=row.version,
    )


_CUSTOMER = "organization_id = :organization_id AND customer_id = :customer_id"
_CURRENT = text(f"SELECT * FROM autopay_settings WHERE {_CUSTOMER} AND is_current")  # noqa: S608 - constants only
_CURRENT_LOCKED = text(f"SELECT * FROM autopay_settings WHERE {_CUSTOMER} AND is_current FOR UPDATE")  # noqa: S608
_RETIRE = text(f"UPDATE autopay_settings SET is_current = false WHERE {_CUSTOMER} AND is_current")  # noqa: S608
_KEEP = text("""
    INSERT INTO autopay_settings (
        organization_id, customer_id, version, is_current, enabled, payment_method_id, scope, prefixes,
        days_before_due, day_of_month, cap_minor_units, cap_currency, notice_days, paused_until, terms, agreed_at,
        agreed_by, agreed_by_id, created_at
    ) VALUES (
        :organization_id, :customer_id, :version, true, :enabled, :payment_method_id, :scope, :prefixes,
        :days_before_due, :day_of_month, :cap_units, :cap_currency, :notice_days, :paused_until, :terms,
        :agreed_at, :agreed_by, :agreed_by_id, :now
    )
""")
_ENABLED = text("""
    SELECT organization_id, customer_id FROM autopay_settings
    WHERE is_current AND enabled AND (organization_id, customer_id) > (:organization, :customer)
    ORDER BY organization_id, customer_id LIMIT :limit
""")
_TAKEN = text(
    "SELECT i.invoice_id FROM autopay_run_invoices i JOIN autopay_runs r USING (organization_id, run_id)"
    " WHERE r.organization_id = :organization_id AND r.customer_id = :customer_id AND i.is_open"
)
_INSERT_RUN = text("""
    WITH free AS (
        SELECT 1 WHERE NOT EXISTS (
            SELECT 1 FROM autopay_run_invoices
            WHERE organization_id = :organization_id AND is_open
              AND invoice_id = ANY(CAST(:invoice_ids AS text[]))
        )
    ), run AS (
        INSERT INTO autopay_runs (
            organization_id, run_id, customer_id, amount_minor_units, currency, pay_on, status, act_at, created_at
        ) SELECT :organization_id, :run_id, :customer_id, :amount, :currency, :pay_on, :status, :act_at,
                 :created_at FROM free
        RETURNING run_id
    )
    INSERT INTO autopay_run_invoices (
        organization_id, run_id, position, invoice_id, number, amount_minor_units, is_open
    )
    SELECT :organization_id, run.run_id, position, invoice_id, number, amount, true
    FROM run, unnest(
        CAST(:invoice_ids AS text[]), CAST(:numbers AS text[]), CAST(:amounts AS bigint[])
    ) WITH ORDINALITY AS one (invoice_id, number, amount, position)
    RETURNING run_id
""")
_SAVE_RUN = text("""
    UPDATE autopay_runs SET
        amount_minor_units = :amount, pay_on = :pay_on, status = :status, confirmed_by = :confirmed_by,
        payment_id = :payment_id, failure_code = :failure_code, tries = :tries,
        first_tried_at = :first_tried_at, next_try_on = :next_try_on, noticed_at = :noticed_at, act_at = :act_at,
        version = :version, events = :events
    WHERE organization_id = :organization_id AND run_id = :run_id
""")
_FREE = text(
    "UPDATE autopay_run_invoices SET is_open = false"
    " WHERE organization_id = :organization_id AND run_id = :run_id AND is_open"
)
_LOCK_RUN = text(
    "SELECT 1 FROM autopay_runs WHERE organization_id = :organization_id AND run_id = :run_id FOR UPDATE"
)
_RUNS = """
    SELECT r.*, p.amount_minor_units AS paid_minor_units, one.invoice_ids, one.numbers, one.amounts, one.paid_amounts
    FROM autopay_runs r
    LEFT JOIN payments p ON p.organization_id = r.organization_id AND p.payment_id = r.payment_id
        AND p.status = 'succeeded'
    CROSS JOIN LATERAL (
        SELECT array_agg(i.invoice_id ORDER BY i.position) AS invoice_ids,
               array_agg(i.number ORDER BY i.position) AS numbers,
               array_agg(i.amount_minor_units ORDER BY i.position) AS amounts,
               array_agg(part.amount_minor_units ORDER BY i.position) AS paid_amounts
        FROM autopay_run_invoices i
        LEFT JOIN payment_parts part ON part.organization_id = i.organization_id
            AND part.payment_id = p.payment_id AND part.invoice_id = i.invoice_id
        WHERE i.organization_id = r.organization_id AND i.run_id = r.run_id
    ) AS one
    WHERE r.organization_id = :organization_id
"""
_FIND_RUN = text(f"{_RUNS} AND r.run_id = :run_id")
_WAITING = text(
    f"{_RUNS} AND r.customer_id = :customer_id"
    " AND r.status IN ('planned', 'needs_confirmation', 'retrying') ORDER BY r.pay_on, r.run_id"
)
_DUE = text(
    "SELECT organization_id, run_id FROM autopay_runs WHERE act_at <= :now ORDER BY act_at LIMIT :limit"
)
_PAGE = text(f"""
    {_RUNS} AND (CAST(:customer_id AS text) = '' OR r.customer_id = :customer_id)
    ORDER BY r.status NOT IN ('planned', 'needs_confirmation', 'retrying', 'skipped'),
             CASE WHEN r.status IN ('planned', 'needs_confirmation', 'retrying', 'skipped')
                  THEN coalesce(r.next_try_on, r.pay_on) END,
             r.pay_on DESC, r.run_id DESC
    LIMIT :limit OFFSET :offset
""")
