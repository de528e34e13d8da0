"""Sixty-four workers finalize at once, and every fifth transaction fails after it has drawn its number."""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from chassis.caller import call_scope, service_call
from chassis.database import Database, WriteTx
from chassis.errors import ServiceError
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain.invoice import Invoice, new_draft
from services.invoicing.domain.pricing import Line
from services.invoicing.operations.issue_invoice import issue_invoice
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import insert_invoices
from services.invoicing.tables.invoices import invoices
from tests.service.invoicing.office import Office
from tests.service.invoicing.test_races import BUSY

WORKERS = 64
_FAILS_ONE_IN = 5


class _GivenUpError(Exception):
    """The transaction ends after the number was drawn."""


async def _drafts(office: Office, count: int) -> list[Invoice]:
    customer = await office.customer()

    async def write(tx: WriteTx) -> list[Invoice]:
        owner, today = await get_customer(tx, customer.customer_id), tx.now().date()
        made = [
            new_draft(
                invoice_id=new_id("inv"), customer_id=owner.customer_id, currency="USD",
                buyer=owner.as_buyer(), invoice_date=today, due_date=today, created_at=tx.now(),
            ).with_lines([Line("Rope", Decimal(1), Money(100 + at, "USD"), Decimal(0))])
            for at in range(count)
        ]  # fmt: skip
        await insert_invoices(tx, made)
        return made

    return await office.db.run_write(office.organization_id, write)


async def _finalize_all(db: Database, office: Office, drafts: Iterator[Invoice], luck: random.Random) -> int:
    """One worker; returns how many of its transactions were rolled back."""
    failed = 0
    for draft in drafts:
        while True:
            fails = luck.random() < 1 / _FAILS_ONE_IN
            try:
                with call_scope(service_call("invoicing", office.organization_id)):
                    async with db.write(office.organization_id) as tx:
                        await issue_invoice(tx, replace(draft))
                        if fails:
                            raise _GivenUpError
                break
            except _GivenUpError:
                failed += 1
            except ServiceError as busy:  # more workers than connections, or others keep the machine busy
                if busy.reason not in BUSY:
                    raise
    return failed


@pytest.mark.parametrize("count", [2_000, pytest.param(10_000, marks=pytest.mark.chaos)])
async def test_numbers_stay_contiguous_and_unique(office: Office, count: int) -> None:
    drafts = await _drafts(office, count)
    luck, shared = random.Random(count), iter(drafts)
    began = time.monotonic()
    failed = await asyncio.gather(*(_finalize_all(office.db, office, shared, luck) for _ in range(WORKERS)))
    seconds = time.monotonic() - began
    print(f"{count / seconds:.0f} finalized a second, {sum(failed)} rolled back")
    async with office.db.read(office.organization_id) as tx:
        query = select(invoices.c.number).where(invoices.c.organization_id == office.organization_id)
        numbers = sorted((await tx.execute(query)).scalars())
    assert numbers == [f"INV-{at:06d}" for at in range(1, count + 1)]
    assert sum(failed) > count // 10
    assert await office.wrongs() == []
