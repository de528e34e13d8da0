"""The checker of the books is worth something only if it finds what is wrong; the tables are as described."""

import psycopg
import pytest

from chassis.migrations import schema_differences
from services.payments.operations.verify_books import verify_books
from tests.service.payments.till import Till

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


async def test_the_migrated_tables_are_those_of_the_code(till: Till) -> None:
    import asyncio

    differences = await asyncio.to_thread(
        schema_differences, till.urls.owner, "services.payments", app_role="payments_app"
    )
    assert differences == []
