"""The process dies at each step of the saga: afterwards there is one charge, one receipt, and balanced books."""

import asyncio
import uuid
from pathlib import Path

import pytest

from chassis.crashpoints import EXIT_CODE
from chassis.errors import ServiceError
from tallyport.payments.v1 import payments_pb2
from tests.service.payments.till import Till, pay_request
from tests.support.wait import until

SUCCEEDED = payments_pb2.PAYMENT_STATUS_SUCCEEDED
WAITING = payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION
POINTS = (
    "pay.after_claim",
    "pay.after_reserve",
    "pay.before_provider_call",
    "pay.after_provider_call",
    "pay.after_result_commit",
    "pay.before_reply",
    "group.before_commit",
    "group.after_commit",
    "group.before_commit:2",
    "group.after_commit:2",
)
"""The group's second transaction is the one after the provider's answer."""


async def crash(till: Till, point: str, folder: Path, *, key: str, token: str | None = "tok_visa") -> None:
    """Begin a payment in a process that dies at `point`."""
    async with till.process("serve", crashpoint=point, folder=folder) as process:
        with pytest.raises(ServiceError):
            await process.payments.CreatePayment(
                pay_request({"inv_1": 5_000}, token), metadata=till.as_customer(key=key), timeout=5
            )
        code = await asyncio.wait_for(process.child.wait(), 10)
        assert code == EXIT_CODE, process.log_file.read_text()


async def the_payment(till: Till) -> payments_pb2.Payment:
    """The only payment there is."""
    (payment,) = await till.page()
    return payment


@pytest.mark.parametrize("point", POINTS)
async def test_a_repeated_request_finishes_what_a_dead_process_began(
    till: Till, point: str, tmp_path: Path
) -> None:
    till.invoices.add("inv_1", 5_000)
    await crash(till, point, tmp_path, key="k1")
    till.clock.advance(seconds=7)  # the dead process's lease on the key is over
    payment = await till.pay({"inv_1": 5_000}, key="k1")
    assert payment.status == SUCCEEDED
    assert payment.parts[0].invoice_number == "INV-0001"
    assert len(await till.page()) == 1
    await till.check_charged_once(payment.payment_id)


@pytest.mark.parametrize("point", ["pay.after_claim", "pay.after_provider_call"])
async def test_the_reconciler_finishes_what_nobody_repeats(till: Till, point: str, tmp_path: Path) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    await crash(till, point, tmp_path, key="k1")
    await till.reconcile()
    payment = await the_payment(till)
    assert payment.status == SUCCEEDED
    await till.check_charged_once(payment.payment_id)
    again = await till.pay({"inv_1": 5_000}, key="k1")
    assert (again.payment_id, again.status) == (payment.payment_id, SUCCEEDED)


async def test_a_hosted_page_is_found_again_after_a_crash(till: Till, tmp_path: Path) -> None:
    till.invoices.add("inv_1", 5_000)
    await crash(till, "pay.after_provider_call", tmp_path, key="k1", token=None)
    till.clock.advance(seconds=7)
    waiting = await till.pay({"inv_1": 5_000}, key="k1", token=None)
    assert waiting.status == WAITING
    await till.bank.type_card(waiting.redirect_url)
    assert (await till.refresh(waiting.payment_id)).status == SUCCEEDED
    await till.check_charged_once(waiting.payment_id)


async def test_a_reconciler_that_dies_is_followed_by_another(till: Till, tmp_path: Path) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    await till.bank.fault("error_500_after_charging", till.organization_id)
    unclear = await till.pay({"inv_1": 5_000})
    await till.execute("UPDATE payment_attempts SET next_check_at = created_at")
    async with till.process("work", crashpoint="reconcile.after_fetch", folder=tmp_path) as process:
        assert await asyncio.wait_for(process.child.wait(), 20) == EXIT_CODE
    async with till.process("work", folder=tmp_path):

        async def settled() -> bool:
            return (await till.get(unclear.payment_id)).status == SUCCEEDED

        await until(settled, timeout_seconds=20)
    await till.check_charged_once(unclear.payment_id)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("point", POINTS)
async def test_twenty_deaths_at_each_step_make_twenty_payments_of_one_charge(
    till: Till, point: str, tmp_path: Path
) -> None:
    keys = [uuid.uuid4().hex for _ in range(20)]
    for number, key in enumerate(keys):
        till.invoices.by_id.clear()
        till.invoices.add("inv_1", 5_000)
        await crash(till, point, tmp_path, key=key)
        till.clock.advance(seconds=7)
        paid = await till.pay({"inv_1": 5_000}, key=key)
        assert paid.status == SUCCEEDED, f"death {number}"
        await till.check_charged_once(paid.payment_id)
    assert len(await till.page(page_size=100)) == 20
