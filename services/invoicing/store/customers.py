"""Customers and what they owe."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, TextClause, and_, delete, func, insert, literal, or_, select, text, tuple_, update
from sqlalchemy.exc import IntegrityError

from chassis.database import ReadTx, WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError, not_found
from chassis.money import Money
from services.invoicing.domain.customer import Contact, Customer, CustomerBalance
from services.invoicing.domain.invoice import PAYABLE
from services.invoicing.store.customer_rows import customer_of, values_of
from services.invoicing.store.pages import decode_page_token, page_of
from services.invoicing.store.rows import insert_rows, like_pattern
from services.invoicing.tables.customers import customer_references, customers
from services.invoicing.tables.invoices import invoices

_SCOPE = "customers"


async def insert_customer(tx: WriteTx, customer: Customer) -> None:
    """Add a customer; ALREADY_EXISTS if another has its external id."""
    try:
        await tx.execute(insert(customers).values(organization_id=tx.organization_id, **values_of(customer)))
    except IntegrityError as error:
        if violated_constraint(error) == "uq_customers_external_id":
            raise _external_id_taken() from error
        raise


async def insert_customers(tx: WriteTx, new: Sequence[Customer]) -> None:
    """Add many customers in one statement; none of them has ids in other systems."""
    await insert_rows(tx, customers, [values_of(customer) for customer in new])


async def replace_references(tx: WriteTx, customer: Customer) -> None:
    """Write whom ids in other systems mean; ALREADY_EXISTS if one of them means another customer."""
    await tx.execute(
        delete(customer_references)
        .where(customer_references.c.organization_id == tx.organization_id)
        .where(customer_references.c.customer_id == customer.customer_id)
    )
    try:
        await insert_rows(
            tx,
            customer_references,
            [
                {"system": system, "reference": reference, "customer_id": customer.customer_id}
                for system, reference in sorted(customer.external_ids.items())
            ],
        )
    except IntegrityError as error:
        if violated_constraint(error) == "pk_customer_references":
            raise _external_id_taken() from error
        raise


def _external_id_taken() -> ServiceError:
    return ServiceError(
        Kind.ALREADY_EXISTS, "CUSTOMER_EXTERNAL_ID_TAKEN", "Another customer has this external id."
    )


async def update_customer(tx: WriteTx, customer: Customer) -> None:
    """Write a customer that was read for update."""
    await tx.execute(
        update(customers)
        .where(customers.c.organization_id == tx.organization_id)
        .where(customers.c.customer_id == customer.customer_id)
        .values(**values_of(customer))
    )


async def get_customer(tx: ReadTx, customer_id: str, *, for_update: bool = False) -> Customer:
    """A customer of the transaction's organization; NOT_FOUND otherwise."""
    query = select(customers).where(
        customers.c.organization_id == tx.organization_id, customers.c.customer_id == customer_id
    )
    row = (await tx.execute(query.with_for_update() if for_update else query)).first()
    if row is None:
        raise not_found("customer")
    return customer_of(row)


def asking(tx: ReadTx, customer_ids: Collection[str]) -> tuple[TextClause, Mapping[str, Any]]:
    """The question to which `found_contacts` reads the answer, to be asked together with others."""
    return _BY_ID, {"organization_id": tx.organization_id, "customer_ids": list(customer_ids)}


def found_contacts(rows: Iterable[Row[Any]], customer_ids: Collection[str]) -> Mapping[str, Contact]:
    """Whom to write to, by customer; NOT_FOUND when one of these does not exist."""
    found = {row.customer_id: Contact(row.customer_id, row.name, row.email, row.locale) for row in rows}
    if len(found) < len(set(customer_ids)):
        raise not_found("customer")
    return found


async def get_customers(tx: ReadTx, customer_ids: Collection[str]) -> Mapping[str, Customer]:
    """Customers by id; NOT_FOUND when one of these does not exist."""
    query = select(customers).where(
        customers.c.organization_id == tx.organization_id,
        customers.c.customer_id == func.any(list(customer_ids)),
    )
    found = {row.customer_id: customer_of(row) for row in await tx.execute(query)}
    if len(found) < len(set(customer_ids)):
        raise not_found("customer")
    return found


async def known_customers(tx: ReadTx, customer_ids: Collection[str]) -> frozenset[str]:
    """Those of the ids that are customers'."""
    query = select(customers.c.customer_id).where(
        customers.c.organization_id == tx.organization_id,
        customers.c.customer_id == func.any(list(customer_ids)),
    )
    return frozenset((await tx.execute(query)).scalars())


async def customers_by_external_id(tx: ReadTx, external_ids: Collection[str]) -> Mapping[str, Customer]:
    """Those of the customers that exist, by external id."""
    query = select(customers).where(
        customers.c.organization_id == tx.organization_id,
        customers.c.external_id == func.any(list(external_ids)),
    )
    return {row.external_id: customer_of(row) for row in await tx.execute(query)}


async def list_customers(
    tx: ReadTx, *, page_size: int, page_token: str, query: str, external_id: str, today: date
) -> tuple[list[CustomerBalance], str]:
    """A page by name with open sums, and the token of the next page. `today` decides what is overdue."""
    sort_name = func.lower(customers.c.name)
    page = select(customers, sort_name.label("sort_name")).where(
        customers.c.organization_id == tx.organization_id
    )
    if query:
        pattern = like_pattern(query)
        page = page.where(
            or_(
                customers.c.name.ilike(pattern),
                customers.c.email.ilike(pattern),
                customers.c.external_id.ilike(pattern),
            )
        )
    if external_id:
        page = page.where(customers.c.external_id == external_id)
    after = decode_page_token(page_token, _SCOPE)
    if after is not None:
        page = page.where(tuple_(sort_name, customers.c.customer_id) > tuple_(*after))
    page_rows = page.order_by("sort_name", customers.c.customer_id).limit(page_size + 1).subquery("page")
    unpaid = invoices.c.total_minor_units - invoices.c.paid_minor_units - invoices.c.credited_minor_units
    disputed = func.least(invoices.c.disputed_minor_units, unpaid)
    due = func.coalesce(func.sum(unpaid), 0)
    sums = (
        select(
            due.label("open"),
            func.coalesce(
                func.sum(unpaid - disputed).filter(invoices.c.due_date < literal(today)),
                0,
            ).label("overdue"),
            func.count().label("open_invoices"),
        )
        .where(
            and_(
                invoices.c.organization_id == page_rows.c.organization_id,
                invoices.c.customer_id == page_rows.c.customer_id,
                invoices.c.currency == page_rows.c.currency,
                invoices.c.status.in_(sorted(PAYABLE)),
            )
        )
        .lateral("sums")
    )
    statement = (
        select(page_rows, sums).select_from(page_rows.join(sums, literal(True)))
        .order_by(page_rows.c.sort_name, page_rows.c.customer_id)
    )  # fmt: skip
    rows = (await tx.execute(statement)).all()
    rows, token = page_of(rows, page_size, _SCOPE, lambda last: (last.sort_name, last.customer_id))
    return [_balance(row) for row in rows], token


def _balance(row: Row[Any]) -> CustomerBalance:
    return CustomerBalance(
        customer_of(row), Money(int(row.open), row.currency), Money(int(row.overdue), row.currency),
        row.open_invoices,
    )  # fmt: skip


_BY_ID = text(
    "SELECT customer_id, name, email, locale FROM customers WHERE organization_id = :organization_id"
    " AND customer_id = ANY(CAST(:customer_ids AS text[]))"
)
