"""What is wrong with receivables is found at once, stops what moves money, and nothing else."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

import psycopg
import pytest

from chassis import books
from chassis.book_checks import LEDGER_CHECKS
from chassis.database import Database, ReadTx
from chassis.errors import ServiceError
from services.invoicing.operations.verify_books import INVOICING_CHECKS, verify, verify_books
from tallyport.invoicing.v1 import books_pb2
from tests.service.invoicing.office import Office, usd
from tests.support.database import Databases

DAMAGES = {
    "I1 trial balance is not zero": "DELETE FROM ledger_lines WHERE account = 'receivable'",
    "I1 entry does not balance": "UPDATE ledger_lines SET amount_minor_units = 1 WHERE side = 'D'",
    "I5 received is not applied, unapplied and refunded": (
        "UPDATE payment_applications SET received_minor_units = received_minor_units + 1"
    ),
    "I4 refunded is not the sum of reversals": "DELETE FROM payment_reversals",
    "I4 money went back that was not here": "UPDATE payment_reversals SET shortfall_minor_units = 1",
    "I5 held credit is not the sum of holds": "DELETE FROM credit_holds",
    "I5 more credit is held than there is": "UPDATE customer_credits SET remaining_minor_units = -1",
    "I5 credit is held by a payment that holds nothing else": "DELETE FROM reservations",
    "I5 paid is not the sum of allocations": "DELETE FROM allocations",
    "I5 reserved is not the sum of reservations": (
        "UPDATE invoices SET reserved_minor_units = reserved_minor_units - 1 WHERE reserved_minor_units > 0"
    ),
    "I5 more is paid, credited and reserved than the total": (
        "UPDATE invoices SET reserved_minor_units = total_minor_units + 1"
    ),
    "I5 credited is not the sum of adjustments": "DELETE FROM invoice_adjustments WHERE kind = 'credit_note'",
    "I5 written off is not what was written off and did not come": (
        "UPDATE invoices SET written_off_minor_units = 1"
    ),
    "I5 reductions correct another sum of taxes than they come to": "DELETE FROM adjustment_taxes",
    "I5 a credit note is not an adjustment of its invoice": (
        "UPDATE credit_notes SET total_minor_units = 1, subtotal_minor_units = 1, tax_minor_units = 0"
    ),
    "I5 status does not follow from the sums": "UPDATE invoices SET status = 'paid'",
    "I11 reservation outlived its time": (
        "UPDATE reservations SET expires_at = '2026-01-01' WHERE state = 'held'"
    ),
    "I1 receivables ledger differs from the invoices": (
        "UPDATE invoices SET total_minor_units = total_minor_units + 1"
    ),
    "I1 credit ledger differs from the credits": (
        "UPDATE customer_credits SET remaining_minor_units = remaining_minor_units + 1"
    ),
    "I4 cash clearing differs from what was received and refunded": (
        "UPDATE payment_applications SET surcharge_minor_units = 1"
    ),
}


@pytest.fixture
async def damaged(databases: Databases) -> AsyncIterator[tuple[Office, psycopg.AsyncConnection[object]]]:
    """A database of its own with an office that has known everything, and a superuser who may do anything."""
    async with databases.fresh("invoicing") as (db, urls):
        office = await Office.opened(db)
        customer = await office.customer()
        first = await office.invoice(customer.customer_id, 10_000)
        second = await office.invoice(customer.customer_id, 5_000)
        third = await office.invoice(customer.customer_id, 1_000)
        await office.credit_note(third.invoice_id, 100)
        await office.write_off(third.invoice_id)
        await office.paid("pay_1", customer.customer_id, 14_000, {first.invoice_id: 10_000})
        await office.reversed("pay_1", customer.customer_id, 1_000)
        await office.reserve("pay_2", customer.customer_id, {second.invoice_id: 4_000}, credit=1_000)
        async with await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True) as admin:
            yield office, admin


def test_each_check_has_its_damage() -> None:
    assert set(DAMAGES) == {*LEDGER_CHECKS, *INVOICING_CHECKS}


@pytest.mark.parametrize("name", DAMAGES)
async def test_each_kind_of_damage_is_found(
    damaged: tuple[Office, psycopg.AsyncConnection[object]], name: str
) -> None:
    office, admin = damaged
    assert await _wrong(office) == set()
    await admin.execute("SET session_replication_role = replica")  # past triggers and foreign keys
    for check in await _checks_of(admin, "invoices"), await _checks_of(admin, "customer_credits"):
        for statement in check:
            await admin.execute(statement.encode())
    await admin.execute(DAMAGES[name].encode())
    assert name in await _wrong(office)


async def test_money_writes_stop_until_the_damage_is_mended(
    damaged: tuple[Office, psycopg.AsyncConnection[object]],
) -> None:
    office, admin = damaged
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 7_000)
    assert (await _check(office.db, office.organization_id)).frozen_at is None
    await office.reserve("pay_3", customer.customer_id, {invoice.invoice_id: 1_000})

    await admin.execute("UPDATE payment_applications SET received_minor_units = received_minor_units + 1")
    state = await _check(office.db, office.organization_id)
    assert state.frozen_at is not None
    assert {one.invariant for one in state.broken} == {"I4", "I5"}
    with pytest.raises(ServiceError) as refused:
        await office.reserve("pay_4", customer.customer_id, {invoice.invoice_id: 1_000})
    assert refused.value.reason == "BOOKS_FROZEN"
    assert (await office.read(invoice.invoice_id)).total == usd(7_000)  # reading goes on
    await office.paid("pay_3", customer.customer_id, 1_000, {invoice.invoice_id: 1_000})  # and what had begun
    assert (await office.read(invoice.invoice_id)).amount_paid == usd(1_000)

    assert await _lift(office) is not None
    with pytest.raises(ServiceError):
        await office.reserve("pay_4", customer.customer_id, {invoice.invoice_id: 1_000})
    await admin.execute(
        "UPDATE payment_applications SET received_minor_units = received_minor_units - 1"
        " WHERE payment_id = 'pay_1'"
    )
    assert await _lift(office) is None
    await office.reserve("pay_4", customer.customer_id, {invoice.invoice_id: 1_000})


async def test_the_command_line_names_what_is_wrong_and_lifts_a_freeze_only_once_it_is_mended(
    damaged: tuple[Office, psycopg.AsyncConnection[object]],
) -> None:
    office, admin = damaged
    await admin.execute("UPDATE outbox SET published_at = now()")
    assert await _tallyport(office.db, "verify") == (0, f"invoicing      {office.organization_id:<32} right")
    await admin.execute("UPDATE payment_applications SET surcharge_minor_units = 1")
    await _check(office.db, office.organization_id)
    status, printed = await _tallyport(office.db, "verify", "--lift", "Looks good to me.")
    assert status == 1
    assert "I5 received is not applied, unapplied and refunded: pay_1" in printed
    assert "money writes are frozen since" in printed
    await admin.execute("UPDATE payment_applications SET surcharge_minor_units = 0")
    status, printed = await _tallyport(office.db, "verify")
    assert (status, "I5" in printed, "frozen since" in printed) == (1, False, True)
    assert (await _tallyport(office.db, "verify", "--lift", "Mended by hand."))[0] == 0
    assert (await _tallyport(office.db, "verify"))[0] == 0


async def test_another_organization_is_not_stopped(
    damaged: tuple[Office, psycopg.AsyncConnection[object]],
) -> None:
    office, admin = damaged
    await admin.execute("UPDATE payment_applications SET received_minor_units = received_minor_units + 1")
    other = await Office.opened(office.db)
    customer = await other.customer()
    invoice = await other.invoice(customer.customer_id, 7_000)
    assert await books.check_due(office.db, verify) == 2
    await other.reserve("pay_9", customer.customer_id, {invoice.invoice_id: 1_000})
    assert (await _check(office.db, office.organization_id)).frozen_at is not None


async def _tallyport(db: Database, *arguments: str) -> tuple[int, str]:
    """Exit status, and what was printed."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cli", *arguments],
        env=os.environ | {"DATABASE_URL": db.engine.url.render_as_string(hide_password=False)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout.strip()


async def _wrong(office: Office) -> set[str]:
    async with office.db.read(office.organization_id) as tx:
        return {line.partition(":")[0] for line in await verify_books(tx)}


async def _check(db: Database, organization_id: str) -> books.BooksState:
    return await books.check(db, organization_id, verify)


async def _lift(office: Office) -> books.Broken | None:
    async with office.db.write(office.organization_id) as tx:
        return await books.lift(tx, verify, reason="Mended by hand.")


async def _checks_of(admin: psycopg.AsyncConnection[object], table: str) -> list[str]:
    """How to take the table's own checks away, which would refuse the damage."""
    rows = await admin.execute(
        "SELECT format('ALTER TABLE %%I DROP CONSTRAINT %%I', conrelid::regclass::text, conname)"
        " FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
        [table],
    )
    return [row[0] for row in await rows.fetchall()]  # type: ignore[index]


async def test_staff_lift_a_freeze_once_the_books_are_right(office: Office) -> None:
    async def wrong(tx: ReadTx) -> Sequence[books.Broken]:
        return [books.Broken("I1", "something")]

    await books.check(office.db, office.organization_id, wrong)
    keeping = office.books
    state = await office.call(keeping.GetReceivablesBooks, books_pb2.GetReceivablesBooksRequest())
    assert (state.frozen, list(state.broken)) == (True, ["I1 something"])
    request = books_pb2.LiftReceivablesFreezeRequest(reason="put right")
    assert not (await office.call(keeping.LiftReceivablesFreeze, request)).frozen
    await _check(office.db, office.organization_id)
    state = await office.call(keeping.GetReceivablesBooks, books_pb2.GetReceivablesBooksRequest())
    assert (state.frozen, list(state.broken)) == (False, [])
