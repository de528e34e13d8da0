"""The checker finds each kind of damage to the books of reversals."""

import psycopg
import pytest

from services.payments.domain.outcome import DisputeState
from services.payments.domain.payment import Method
from services.payments.operations.verify_books import verify_books
from services.payments.operations.verify_reversals import REVERSAL_CHECKS
from tests.service.payments.reversals.counter import Counter, usd

DAMAGES = {
    "I4 sums of a payment and its reversals differ": (
        "UPDATE payments SET refunded_minor_units = refunded_minor_units - 1 WHERE refunded_minor_units > 0"
    ),
    "I4 more went back than was captured": (
        "UPDATE reversals SET amount_minor_units = claim_minor_units * 10, claim_minor_units = claim_minor_units * 10"
    ),
    "I2 a cause and what it took differ": "UPDATE chargebacks SET state = 'won'",
    "I4 reversal and its ledger entries differ": (
        "UPDATE ledger_lines SET amount_minor_units = amount_minor_units + 1"
        " WHERE entry_id IN (SELECT entry_id FROM ledger_entries WHERE source = 'refund')"
    ),
    "I4 funds of a customer and payments differ": "DELETE FROM ledger_lines WHERE account = 'customer_funds'",
    "I2 returned payment has not one counter-receipt": "DELETE FROM receipt_reversals",
    "I11 refund that nobody asks about": "UPDATE refunds SET status = 'unknown', next_check_at = NULL",
}


def test_each_check_has_its_damage() -> None:
    assert set(DAMAGES) == set(REVERSAL_CHECKS)


@pytest.mark.parametrize("found", DAMAGES)
async def test_each_kind_of_damage_is_found(counter: Counter, found: str) -> None:
    case = await counter.paid({"inv_1": 5_000})
    await counter.refund(case.payment.payment_id, 1_000)
    await counter.hear(
        case, counter.provider.dispute(case.at_provider.attempt_id, "dp_1", DisputeState.OPEN, usd(500))
    )
    debit = await counter.paid({"inv_2": 5_000}, method=Method.BANK_DEBIT)
    await counter.hear(debit, counter.provider.give_back(debit.at_provider.attempt_id, "R01"))
    await counter.check_books()
    async with await psycopg.AsyncConnection.connect(counter.superuser_url, autocommit=True) as admin:
        await admin.execute("SET session_replication_role = replica")  # past triggers and foreign keys
        await admin.execute(DAMAGES[found])
    async with counter.db.read(counter.organization_id) as tx:
        assert found in {line.partition(":")[0] for line in await verify_books(tx)}


@pytest.mark.parametrize(
    "change",
    [
        "SET refunded_minor_units = amount_minor_units + 1",
        "SET disputed_minor_units = amount_minor_units + 1",
        "SET refunded_minor_units = amount_minor_units, disputed_minor_units = 1",
        "SET recredited_minor_units = 1",
    ],
)
async def test_the_database_itself_refuses_more_than_was_captured(counter: Counter, change: str) -> None:
    await counter.paid({"inv_1": 5_000})
    async with await psycopg.AsyncConnection.connect(counter.superuser_url, autocommit=True) as admin:
        with pytest.raises(psycopg.errors.CheckViolation):
            await admin.execute(f"UPDATE payments {change}")
