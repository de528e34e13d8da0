"""Pages of invoices. Payable and overdue ones come with the earliest due date first, others newest first."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, tuple_

from chassis.database import ReadTx
from chassis.errors import invalid
from services.invoicing.domain.invoice import PAYABLE, Invoice, Status
from services.invoicing.store.invoices import invoice_of
from services.invoicing.store.pages import decode_page_token, page_of
from services.invoicing.store.rows import like_pattern
from services.invoicing.tables.invoices import invoices


class InvoiceFilter(StrEnum):
    """Which invoices."""

    ALL = "all"
    PAYABLE = "payable"
    OVERDUE = "overdue"
    PAID = "paid"
    DRAFT = "draft"
    DISPUTED = "disputed"
    UNCOLLECTIBLE = "uncollectible"


_BY_DUE_DATE = frozenset({InvoiceFilter.PAYABLE, InvoiceFilter.OVERDUE})


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceQuery:
    """What to list. `today` decides what is overdue; empty texts do not narrow."""

    page_size: int
    page_token: str
    today: date
    filter: InvoiceFilter = InvoiceFilter.ALL
    customer_id: str = ""
    query: str = ""
    external_id: str = ""
    with_drafts: bool = True


async def list_invoices(tx: ReadTx, query: InvoiceQuery) -> tuple[list[Invoice], str]:
    """A page of invoices without lines, and the token of the next one."""
    by_due_date = query.filter in _BY_DUE_DATE
    scope = "due" if by_due_date else "newest"
    sort = invoices.c.due_date if by_due_date else invoices.c.invoice_date
    statement = select(invoices).where(*_conditions(tx.organization_id, query))
    place = tuple_(sort, invoices.c.invoice_id)
    after = decode_page_token(query.page_token, scope)
    if after is not None:
        last = tuple_(_day(after[0]), after[1])
        statement = statement.where(place > last if by_due_date else place < last)
    rows = (await tx.execute(_ordered(statement, sort, by_due_date).limit(query.page_size + 1))).all()
    day = "due_date" if by_due_date else "invoice_date"
    rows, token = page_of(
        rows, query.page_size, scope, lambda last: (getattr(last, day).isoformat(), last.invoice_id)
    )
    return [invoice_of(row) for row in rows], token


def _ordered(statement: Select[Any], sort: ColumnElement[Any], by_due_date: bool) -> Select[Any]:
    if by_due_date:
        return statement.order_by(sort, invoices.c.invoice_id)
    return statement.order_by(sort.desc(), invoices.c.invoice_id.desc())


def _conditions(organization_id: str, query: InvoiceQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [invoices.c.organization_id == organization_id]
    conditions += _filter_conditions(query)
    if query.customer_id:
        conditions.append(invoices.c.customer_id == query.customer_id)
    if query.external_id:
        conditions.append(invoices.c.external_id == query.external_id)
    if not query.with_drafts:
        conditions.append(invoices.c.status != Status.DRAFT.value)
    if query.query:
        pattern = like_pattern(query.query)
        conditions.append(
            or_(
                invoices.c.number.ilike(pattern),
                invoices.c.purchase_order_number.ilike(pattern),
                invoices.c.customer_name.ilike(pattern),
            )
        )
    return conditions


def _filter_conditions(query: InvoiceQuery) -> list[ColumnElement[bool]]:
    payable = invoices.c.status.in_(sorted(PAYABLE))
    by_filter: dict[InvoiceFilter, ColumnElement[bool]] = {
        InvoiceFilter.PAYABLE: payable,
        InvoiceFilter.OVERDUE: and_(payable, invoices.c.due_date < literal(query.today)),
        InvoiceFilter.PAID: invoices.c.status == Status.PAID.value,
        InvoiceFilter.DRAFT: invoices.c.status == Status.DRAFT.value,
        InvoiceFilter.DISPUTED: invoices.c.disputed,
        InvoiceFilter.UNCOLLECTIBLE: invoices.c.status == Status.UNCOLLECTIBLE.value,
    }
    condition = by_filter.get(query.filter)
    return [] if condition is None else [condition]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid("page_token", "page_token", "This page token is not of this list.") from None
