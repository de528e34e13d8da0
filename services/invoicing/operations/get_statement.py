"""Make the statement of a customer over a period."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from chassis.caller import current_call
from chassis.database import Database, ReadTx
from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money
from services.invoicing.domain.ageing import Aged, by_instalments
from services.invoicing.domain.instalment_plan import InstalmentPlan
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.receivables import AgingBucket
from services.invoicing.domain.statement import (
    MOST_ROWS,
    OpenOnDay,
    Standing,
    Statement,
    StatementAccount,
    StatementRow,
    StatementWish,
    age,
    with_balances,
)
from services.invoicing.formats.statement_pdf import file_name_of, statement_pdf
from services.invoicing.operations.visibility import must_see_customer
from services.invoicing.store import account_statements as store
from services.invoicing.store.customer_tree import descendant_ids
from services.invoicing.store.customers import get_customer
from services.invoicing.store.instalment_plans import active_plans
from services.invoicing.store.organizations import get_organization


async def get_statement(db: Database, wish: StatementWish) -> Statement:
    """CUSTOMER_NOT_FOUND for somebody else's; STATEMENT_TOO_LONG for more than MOST_ROWS rows in a currency."""
    async with db.read(current_call().organization_id) as tx:
        return await statement_of(tx, wish)


async def get_statement_pdf(db: Database, wish: StatementWish) -> tuple[str, bytes]:
    """(file name, PDF) in the customer's language."""
    async with db.read(current_call().organization_id) as tx:
        statement = await statement_of(tx, wish)
        organization = await get_organization(tx)
        customer = await get_customer(tx, wish.customer_id)
    return file_name_of(statement), await statement_pdf(statement, organization, customer)


async def statement_of(tx: ReadTx, wish: StatementWish) -> Statement:
    """The same within a transaction."""
    organization = await get_organization(tx)
    await must_see_customer(tx, wish.customer_id)
    customer = await get_customer(tx, wish.customer_id)
    first, last = period_of(wish, organization.date_of(tx.now()))
    window = await window_of(tx, wish, organization)
    standings = await store.standings(tx, window)
    zero = Money.zero(customer.currency)
    standings.setdefault(customer.currency, Standing(opening=zero, owed=zero, credit=zero))
    rows = await _all_rows(tx, window, organization)
    open_items = await store.open_on(tx, window)
    plans = await _plans_kept(tx, open_items, organization.date_of(tx.now()), last)
    in_order = sorted(standings, key=lambda currency: (currency != customer.currency, currency))
    return Statement(
        customer_id=wish.customer_id,
        first_day=first,
        last_day=last,
        includes_children=wish.include_children,
        accounts=[
            StatementAccount(
                standing=standings[currency],
                rows=with_balances(
                    [row for row in rows if row.amount.currency == currency], standings[currency].opening
                ),
                aging=_aging(open_items.get(currency, []), plans, standings[currency], last),
            )
            for currency in in_order
        ],
        names=await store.names_of(tx, [wish.customer_id, *{row.customer_id for row in rows}]),
        created_at=tx.now(),
    )


async def _plans_kept(
    tx: ReadTx, open_items: Mapping[str, Sequence[OpenOnDay]], today: date, last: date
) -> list[InstalmentPlan]:
    """Plans that decide what is late; on days gone by due dates did, as far as is known now."""
    owed = [item.invoice_id for items in open_items.values() for item in items]
    if last < today or not owed:
        return []
    return [plan for plan in await active_plans(tx, invoice_ids=owed) if plan.is_on_track(today)]


def _aging(
    items: Sequence[OpenOnDay], plans: Sequence[InstalmentPlan], standing: Standing, last: date
) -> list[AgingBucket]:
    owed = {item.invoice_id for item in items}
    planned = [part for plan in plans for part in by_instalments(plan) if part.invoice_id in owed]
    under_plan = {one.invoice_id for plan in plans for one in plan.invoices}
    others = [
        Aged(item.invoice_id, item.due - item.disputed, item.due_date)
        for item in items
        if item.invoice_id not in under_plan and item.due != item.disputed
    ]
    disputed = sum((item.disputed for item in items), Money.zero(standing.owed.currency))
    return age([*planned, *others], disputed, standing.owed, last)


def period_of(wish: StatementWish, today: date) -> tuple[date, date]:
    """First and last day: up to today, from the first of that month. VALIDATION_FAILED if they are the wrong way."""
    last = wish.last_day or today
    first = wish.first_day or last.replace(day=1)
    if first > last:
        raise invalid("first_day", "after_last", "The first day is after the last one.")
    if last == date.max:
        raise invalid("last_day", "date", "There is no such day.")
    return first, last


async def window_of(tx: ReadTx, wish: StatementWish, organization: Organization) -> store.Window:
    """Whose entries of which moments a statement is made of."""
    first, last = period_of(wish, organization.date_of(tx.now()))
    below = await descendant_ids(tx, wish.customer_id) if wish.include_children else []
    return store.Window(
        customer_ids=[wish.customer_id, *below],
        since=organization.start_of(first),
        before=organization.start_of(last + timedelta(days=1)),
    )


async def _all_rows(tx: ReadTx, window: store.Window, organization: Organization) -> list[StatementRow]:
    rows = await store.rows_of(tx, window, organization, after=None, limit=MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "STATEMENT_TOO_LONG",
            "So much happened in this period that it does not fit a statement. Choose a shorter one, or export it.",
        )
    return rows
