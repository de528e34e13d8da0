"""A scheduled payment whose process dies on the way is finished by the next one, with one charge."""

import asyncio
from pathlib import Path

import pytest

from chassis.crashpoints import EXIT_CODE
from tests.service.payments.paying.counter import SUCCEEDED
from tests.service.payments.paying.test_scheduled_payments import kept_card, schedule
from tests.service.payments.till import Till
from tests.support.wait import until

POINTS = ("pay.after_claim", "pay.after_reserve", "pay.after_provider_call", "pay.after_result_commit")


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_that_dies_while_it_begins_a_payment_is_followed_by_another(
    till: Till, point: str, tmp_path: Path
) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    waiting = await schedule(till, {"inv_1": 5_000}, await kept_card(till))
    await till.execute("UPDATE payments SET scheduled_for = current_date - 1, starts_at = created_at"
                       " WHERE status = 'scheduled'")  # fmt: skip
    async with till.process("work", crashpoint=point, folder=tmp_path) as process:
        assert await asyncio.wait_for(process.child.wait(), 30) == EXIT_CODE
    await till.execute(
        "UPDATE payment_attempts SET next_check_at = created_at WHERE next_check_at IS NOT NULL"
    )
    async with till.process("work", folder=tmp_path):

        async def paid() -> bool:
            return (await till.get(waiting.payment_id)).status == SUCCEEDED

        await until(paid, timeout_seconds=30)
    await till.check_charged_once(waiting.payment_id)
