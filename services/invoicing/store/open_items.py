"""Open invoices by what is known of them, and who has credit."""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, text, tuple_

from chassis.database import ReadTx
from chassis.money import Money
from services.invoicing.domain.invoice import PAYABLE, Invoice, Status
from services.invoicing.domain.open_item import OpenItem
from services.invoicing.store.invoices import invoice_of
from services.invoicing.tables.customers import customers
from services.invoicing.tables.invoices import invoices

_OPEN = invoices.c.status.in_(sorted(PAYABLE))
_DUE = invoices.c.total_minor_units - invoices.c.paid_minor_units - invoices.c.credited_minor_units
_DISCOUNTED = _DUE - func.round(
    (invoices.c.total_minor_units - invoices.c.credited_minor_units) * invoices.c.early_discount_percent / 100
)
_UNDISPUTED = _DUE - func.least(invoices.c.disputed_minor_units, _DUE)


async def open_invoices(tx: ReadTx, customer_ids: Collection[str]) -> list[Invoice]:
    """All open invoices of customers without lines, by due date and id."""
    query = (
        select(invoices)
        .where(invoices.c.organization_id == tx.organization_id)
        .where(invoices.c.customer_id == func.any(list(customer_ids)))
        .where(_OPEN)
        .order_by(invoices.c.due_date, invoices.c.invoice_id)
    )
    return [invoice_of(row) for row in await tx.execute(query)]


async def due_items(
    tx: ReadTx, customer_ids: Collection[str], due_until: date | None, *, also: Collection[str] = ()
) -> list[OpenItem]:
    """What customers can pay now, by customer, due date and id; what is in dispute is left out.

    The invoices `also` are there whatever their due date.
    """
    query = (
        _items(tx)
        .where(invoices.c.customer_id == func.any(list(customer_ids)))
        .where(_OPEN, invoices.c.reserved_minor_units < _UNDISPUTED)
        .order_by(invoices.c.customer_id, invoices.c.due_date, invoices.c.invoice_id)
    )
    if due_until is not None:
        named = invoices.c.invoice_id == func.any(list(also))
        query = query.where(or_(invoices.c.due_date <= due_until, named))
    return await _read(tx, query)


async def items_by_clue(
    tx: ReadTx, *, numbers: Collection[str], keys: Collection[str], invoice_ids: Collection[str]
) -> list[OpenItem]:
    """Invoices that are named by number as written, by its key, or by id: open, paid or written off."""
    query = _items(tx).where(
        or_(
            invoices.c.invoice_id == func.any(list(invoice_ids)),
            invoices.c.number_key == func.any(list(keys)),
            invoices.c.number == func.any(list(numbers)),
        ),
        invoices.c.status.in_(sorted(PAYABLE | {Status.PAID, Status.UNCOLLECTIBLE})),
    )
    return await _read(tx, query)


async def owers_of(tx: ReadTx, amounts: Collection[Money]) -> frozenset[str]:
    """Customers of whose invoices just one of these amounts is due, or would be for whoever pays early."""
    wanted = sorted({(amount.currency, amount.minor_units) for amount in amounts})
    query = select(invoices.c.customer_id).where(
        invoices.c.organization_id == tx.organization_id,
        _OPEN,
        or_(
            tuple_(invoices.c.currency, _DUE).in_(wanted),
            and_(
                invoices.c.early_discount_until.is_not(None),
                tuple_(invoices.c.currency, _DISCOUNTED).in_(wanted),
            ),
        ),
    )
    return frozenset((await tx.execute(query)).scalars())


async def customers_by_words(tx: ReadTx, words: Collection[str]) -> frozenset[str]:
    """Customers whose names have one of these words, which are in small letters."""
    found = await tx.execute(_BY_WORDS, {"organization_id": tx.organization_id, "words": sorted(words)})
    return frozenset(found.scalars())


async def open_items(tx: ReadTx, customer_ids: Collection[str]) -> list[OpenItem]:
    """All open invoices of customers."""
    return await _read(tx, _items(tx).where(invoices.c.customer_id == func.any(list(customer_ids)), _OPEN))


def _items(tx: ReadTx) -> Select[Any]:
    return (
        select(invoices, customers.c.name, customers.c.external_id.label("customer_external_id"))
        .join(
            customers,
            and_(
                customers.c.organization_id == invoices.c.organization_id,
                customers.c.customer_id == invoices.c.customer_id,
            ),
        )
        .where(invoices.c.organization_id == tx.organization_id)
    )


async def _read(tx: ReadTx, query: Select[Any]) -> list[OpenItem]:
    return [
        OpenItem(invoice_of(row), row.name, row.customer_external_id or "") for row in await tx.execute(query)
    ]


_BY_WORDS = text("""
    SELECT DISTINCT customers.customer_id
    FROM customers, regexp_split_to_table(lower(customers.name), '[^[:alnum:]]+') AS word
    WHERE customers.organization_id = :organization_id AND word = ANY(CAST(:words AS text[]))
""")
