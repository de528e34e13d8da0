"""The checker of the books is worth something only if it finds what is wrong; the tables are as described."""

import uuid
from typing import Any

import psycopg
import pytest

from chassis import books
from chassis.caller import Audience
from chassis.errors import ServiceError
from chassis.migrations import schema_differences
from services.payments.operations.verify_books import CHECKS, verify, verify_books
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import books_pb2, books_pb2_grpc, payments_pb2, refunds_pb2, refunds_pb2_grpc
from tests.service.payments.till import Till

KEEPER = frozenset({"books.read", "books.write", "payments.read", "payments.refund"})

DAMAGES = {
    "I2 succeeded payment has not one receipt": "DELETE FROM receipts",
    "I2 receipt number is missing": "UPDATE number_series SET last_number = last_number + 1",
    "I3 card payment and its attempts differ": "UPDATE payment_attempts SET state = 'failed'",
    "I5 parts do not add up": "UPDATE payment_parts SET amount_minor_units = 1",
    "I6 news was not told": "DELETE FROM outbox",
    "I1 entry does not balance": (
        "UPDATE ledger_lines SET amount_minor_units = amount_minor_units + 1 WHERE side = 'D'"
    ),
    "I4 succeeded payment and its ledger entry differ": (
        "UPDATE ledger_lines SET amount_minor_units = amount_minor_units + 1"
    ),
    "I11 outcome has been uncertain for too long": (
        "UPDATE payments SET status = 'unknown', receipt_no = NULL, received_on = NULL,"
        " created_at = created_at - interval '1 hour'"
    ),
    "I11 live attempt that nobody asks about": "UPDATE payment_attempts SET state = 'unknown'",
}


def test_each_check_has_its_damage() -> None:
    assert set(DAMAGES) >= set(CHECKS)


@pytest.mark.parametrize("found", DAMAGES)
async def test_the_checker_finds_each_kind_of_damage(till: Till, found: str) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.pay({"inv_1": 5_000})
    await till.check_books()
    async with await psycopg.AsyncConnection.connect(till.urls.superuser, autocommit=True) as admin:
        await admin.execute("SET session_replication_role = replica")  # past triggers and foreign keys
        await admin.execute(DAMAGES[found])
    async with till.db.read(till.organization_id) as tx:
        assert found in {line.partition(":")[0] for line in await verify_books(tx)}


async def test_wrong_books_stop_new_money_until_they_are_mended(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    till.invoices.add("inv_2", 5_000)
    till.invoices.add("inv_3", 5_000)
    paid = await till.pay({"inv_1": 5_000})
    begun = await till.pay({"inv_2": 5_000}, token=None)
    keeping = books_pb2_grpc.BooksStub(till.channel)
    keeper = till.by(Audience.STAFF, permissions=KEEPER)
    state = await keeping.VerifyBooks(books_pb2.VerifyBooksRequest(), metadata=keeper)
    assert (state.frozen, list(state.broken)) == (False, [])

    await till.execute(
        "UPDATE payment_parts SET amount_minor_units = 1 WHERE payment_id = :p", p=paid.payment_id
    )
    assert await books.check_due(till.db, verify) == 0  # it was looked at a moment ago
    till.clock.advance(seconds=books.SHORTEST_WAIT_SECONDS + 1)
    assert await books.check_due(till.db, verify) >= 1
    state = await keeping.GetBooksState(books_pb2.GetBooksStateRequest(), metadata=keeper)
    assert state.frozen
    assert [(one.invariant, one.found) for one in state.broken] == [
        ("I5", f"parts do not add up: {paid.payment_id}")
    ]
    with pytest.raises(ServiceError) as refused:
        await till.pay({"inv_3": 5_000})
    assert refused.value.reason == "BOOKS_FROZEN"
    refund = refunds_pb2.CreateRefundRequest(
        payment_id=paid.payment_id, amount=money_pb2.Money(minor_units=100, currency="USD"), reason="Too much"
    )
    refunding = refunds_pb2_grpc.RefundsStub(till.channel)
    with pytest.raises(ServiceError) as refused:
        await refunding.CreateRefund(refund, metadata=_keeper(till))
    assert refused.value.reason == "BOOKS_FROZEN"
    assert (await till.get(paid.payment_id)).status == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    await till.bank.type_card(begun.redirect_url)  # what had begun is written to its end
    assert (await till.refresh(begun.payment_id)).status == payments_pb2.PAYMENT_STATUS_SUCCEEDED

    lift = books_pb2.LiftFreezeRequest(reason="Mended the part by hand.")
    with pytest.raises(ServiceError) as refused:
        await keeping.LiftFreeze(lift, metadata=_keeper(till))
    assert refused.value.reason == "BOOKS_BROKEN"
    await till.execute(
        "UPDATE payment_parts SET amount_minor_units = 5000 WHERE payment_id = :p", p=paid.payment_id
    )
    state = await keeping.LiftFreeze(lift, metadata=_keeper(till))
    assert not state.frozen
    assert (await till.pay({"inv_3": 5_000})).status == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    rows = await till.rows("SELECT action FROM audit_log WHERE action LIKE 'books.%' ORDER BY seq")
    assert [row.action for row in rows] == ["books.frozen", "books.freeze_lifted"]


async def test_what_is_only_slow_is_told_and_stops_nothing(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    till.invoices.add("inv_2", 5_000)
    paid = await till.pay({"inv_1": 5_000}, token=None)
    await till.execute(
        "UPDATE payment_attempts SET next_check_at = NULL WHERE payment_id = :p", p=paid.payment_id
    )
    state = await books.check(till.db, till.organization_id, verify)
    assert [one.invariant for one in state.broken] == ["I11"]
    assert state.frozen_at is None
    assert (await till.pay({"inv_2": 5_000})).status == payments_pb2.PAYMENT_STATUS_SUCCEEDED


@pytest.mark.parametrize("table", ["payments", "refunds", "bank_matches"])
async def test_tables_of_new_money_are_guarded(till: Till, table: str) -> None:
    async with await psycopg.AsyncConnection.connect(till.urls.superuser) as admin:
        found = await admin.execute(
            "SELECT 1 FROM pg_trigger WHERE tgname = 'refuse_when_frozen' AND tgrelid = %s::regclass", [table]
        )
        assert await found.fetchone() is not None


def _keeper(till: Till) -> Any:
    return till.by(Audience.STAFF, key=uuid.uuid4().hex, permissions=KEEPER)


async def test_the_migrated_tables_are_those_of_the_code(till: Till) -> None:
    import asyncio

    differences = await asyncio.to_thread(
        schema_differences, till.urls.owner, "services.payments", app_role="payments_app"
    )
    assert differences == []
