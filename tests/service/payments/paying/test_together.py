"""Payments that share transactions end as if each had its own."""

import asyncio
import random
import uuid
from dataclasses import dataclass, replace

import pytest

from chassis import audit
from chassis.errors import ServiceError
from tallyport.payments.v1 import payments_pb2
from tests.service.payments.till import Till

PAYMENTS = 24
SUCCEEDED = payments_pb2.PaymentStatus.Name(payments_pb2.PAYMENT_STATUS_SUCCEEDED)
FAILED = payments_pb2.PaymentStatus.Name(payments_pb2.PAYMENT_STATUS_FAILED)
WAITING = payments_pb2.PaymentStatus.Name(payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION)


@dataclass(frozen=True)
class Case:
    """What is asked for with a key, and what a transaction of its own answers."""

    key: str
    parts: dict[str, int]
    token: str | None
    ends: str


def cases(till: Till, chance: random.Random) -> list[Case]:
    """Good payments among declined, wrong and hosted ones, each on invoices of its own."""
    made = []
    for number in range(PAYMENTS):
        ids = [till.invoices.add(f"inv_{number}_{part}", 1_000) for part in range(chance.randint(1, 3))]
        parts = {one: chance.randint(1, 1_000) for one in ids}
        kind = chance.choice(["good", "good", "good", "declined", "unknown", "too much", "hosted"])
        key, token, ends = uuid.uuid4().hex, "tok_visa", SUCCEEDED
        if kind == "declined":
            token, ends = "tok_insufficient_funds", FAILED
        elif kind == "unknown":
            parts, ends = {**parts, f"inv_{number}_none": 5}, "INVOICE_NOT_FOUND"
        elif kind == "too much":
            parts, ends = {ids[0]: 1_001}, "AMOUNT_EXCEEDS_DUE"
        made.append(
            Case(key, parts, None if kind == "hosted" else token, WAITING if kind == "hosted" else ends)
        )
    return made


async def answer(till: Till, case: Case) -> tuple[str, str]:
    """How it ended, and the payment's id if there is one."""
    try:
        payment = await till.pay(case.parts, key=case.key, token=case.token, timeout=30)
    except ServiceError as error:
        return error.reason, ""
    return payments_pb2.PaymentStatus.Name(payment.status), payment.payment_id


@pytest.mark.parametrize("seed", range(4))
async def test_each_payment_of_a_crowd_has_its_own_outcome(till: Till, seed: int) -> None:
    crowd = cases(till, random.Random(seed))
    found = await asyncio.gather(*(answer(till, case) for case in crowd))
    assert [ends for ends, _ in found] == [case.ends for case in crowd]
    paid = [payment_id for ends, payment_id in found if ends == SUCCEEDED]
    for payment_id in paid:
        await till.check_charged_once(payment_id)
    await till.check_books()
    numbers = await till.rows("SELECT receipt_no FROM receipts ORDER BY receipt_no")
    assert [row.receipt_no for row in numbers] == list(range(1, len(paid) + 1))
    async with till.db.read(till.organization_id) as tx:
        assert await audit.verify(tx) is None
    keys = "SELECT state, count(*) AS times FROM idempotency_keys GROUP BY state"
    answered = sum(ends in (SUCCEEDED, FAILED, WAITING) for ends, _ in found)
    assert {row.state: row.times for row in await till.rows(keys)} == {"finished": answered}
    kept = [case for case, (_, payment_id) in zip(crowd, found, strict=True) if payment_id]
    assert await asyncio.gather(*(answer(till, case) for case in kept)) == [one for one in found if one[1]]
    others = [replace(case, parts={**case.parts, "inv_other": 1}) for case in kept]
    refused = await asyncio.gather(*(answer(till, case) for case in others))
    assert refused == [("IDEMPOTENCY_KEY_REUSED", "")] * len(kept)


async def test_a_crowd_needs_few_transactions(till: Till) -> None:
    for number in range(40):
        till.invoices.add(f"inv_{number}", 1_000, customer_id=f"cus_{number}")
    await asyncio.gather(
        *(till.pay({f"inv_{n}": 1_000}, customer_id=f"cus_{n}", timeout=30) for n in range(40))
    )
    for table in ("guarded_payments", "receipts"):  # written by the first and by the second transaction only
        (row,) = await till.rows(
            f"SELECT count(DISTINCT CAST(xmin AS text)) AS n, count(*) AS all FROM {table}"
        )
        assert row.all == 40
        assert row.n <= 20
