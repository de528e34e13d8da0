"""`tallyport verify`: whether everything that must always be true of the books is true."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli import databases

if TYPE_CHECKING:
    from chassis.books import Verify
    from chassis.database import Database, ReadTx

ACROSS = "across"
"""In place of a service: what two of them must agree on."""
SETTLED_WITHIN_SECONDS = 20.0
"""Services agree once the news of a payment have arrived, hence not at every moment."""
LOOK_AGAIN_SECONDS = 0.5
Finding = tuple[str, str, list[str]]
"""(service, organization, what is wrong)"""


def verify(
    service: databases.MaybeService = None,
    lift: Annotated[
        str,
        typer.Option(
            metavar="REASON",
            help="Allow money writes again where they are frozen and nothing is wrong any more; the reason is logged.",
        ),
    ] = "",
) -> None:
    """Check the invariants I1 to I12 of every organization: ledgers, payments, invoices, events, audit logs.

    Ends with 1 when something is wrong. Payments and invoicing are also compared with each other where both can be
    read: in the dev stack. Reads the database in DATABASE_URL, else those of the running dev stack.
    """
    wrong = 0
    for name, organization_id, found in databases.run(_verify, databases.urls(service), lift):
        typer.echo(f"{name:<14} {organization_id:<32} {'WRONG' if found else 'right'}")
        for line in found:
            typer.echo(f"    {line}")
        wrong += bool(found)
    if wrong:
        databases.fail(f"wrong in {wrong} places")


async def _verify(urls: Mapping[str, str], lift: str) -> list[Finding]:
    found: list[Finding] = []
    async with AsyncExitStack() as stack:
        opened = {
            name: await stack.enter_async_context(databases.opened(name, url)) for name, url in urls.items()
        }
        for name, db in opened.items():
            found += [one async for one in _of_service(name, db, lift)]
        if {"payments", "invoicing"} <= opened.keys():
            found += await _across(opened["payments"], opened["invoicing"])
    return found


async def _of_service(name: str, db: "Database", lift: str) -> AsyncIterator[Finding]:
    from chassis import audit, book_checks

    own = _own_checks().get(name)
    async with db.transport() as tx:
        organizations = await audit.organizations(tx)
    for organization_id in organizations:
        async with db.read(organization_id) as read:
            found = await book_checks.failing_transport(read)
            found += await own[0](read) if own else await book_checks.failing_audit(read)
        if own:
            found += await _freeze(db, organization_id, own[1], lift)
        yield name, organization_id, found


async def _freeze(db: "Database", organization_id: str, check: "Verify", lift: str) -> list[str]:
    """A freeze that is still there, after it was lifted if that was asked for and can be done."""
    from chassis import books
    from chassis.caller import call_scope, service_call

    async with db.read(organization_id) as read:
        frozen_at = (await books.state(read)).frozen_at
    if frozen_at is None:
        return []
    if lift:
        with call_scope(service_call("cli", organization_id, method="tallyport verify")):
            async with db.write(organization_id) as tx:
                if await books.lift(tx, check, reason=lift) is None:
                    return []
    return [f"money writes are frozen since {frozen_at:%Y-%m-%d %H:%M} UTC"]


def _own_checks() -> "dict[str, tuple[Callable[[ReadTx], Awaitable[list[str]]], Verify]]":
    from services.invoicing.operations import verify_books as invoicing
    from services.payments.operations import verify_books as payments

    return {
        "invoicing": (invoicing.verify_books, invoicing.verify),
        "payments": (payments.verify_books, payments.verify),
    }


async def _across(payments: "Database", invoicing: "Database") -> list[Finding]:
    """Customers' money in payments is what invoicing has received, applied, kept and given back, to the cent."""
    import asyncio
    import time

    from chassis import audit

    organizations = set()
    for db in (payments, invoicing):
        async with db.transport() as tx:
            organizations.update(await audit.organizations(tx))
    findings: list[Finding] = []
    ends_at = time.monotonic() + SETTLED_WITHIN_SECONDS
    for organization_id in sorted(organizations):
        while found := await _disagreements(payments, invoicing, organization_id):
            if time.monotonic() > ends_at:
                break
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        findings.append((ACROSS, organization_id, found))
    return findings


async def _disagreements(payments: "Database", invoicing: "Database", organization_id: str) -> list[str]:
    from chassis.closing import balances
    from services.invoicing.store.agreement import cash_sums
    from services.payments.books import CUSTOMER_FUNDS

    async with payments.read(organization_id) as tx:
        booked = await balances(tx, before=datetime.max.replace(tzinfo=UTC))
    async with invoicing.read(organization_id) as tx:
        sums = {one.cash_clearing.currency: one for one in await cash_sums(tx)}
    funds = {one.balance.currency: -one.balance for one in booked if one.account == CUSTOMER_FUNDS}
    found = []
    for currency in sorted({*funds, *sums}):
        mine = funds[currency].minor_units if currency in funds else 0
        theirs = sums[currency].cash_clearing.minor_units if currency in sums else 0
        if mine != theirs:
            found.append(f"I4 customers' funds differ: {currency} payments {mine}, invoicing {theirs}")
    for currency, one in sums.items():
        if one.received != one.applied + one.unapplied + one.refunded:
            found.append(f"I5 received is not applied, unapplied and refunded: {currency}")
    return found
