"""The same sheet of paper against the operations on PostgreSQL: random steps, and refunds at the same time."""

import asyncio
import os
import secrets
from collections.abc import Coroutine
from random import Random
from typing import Any

from chassis.errors import ServiceError
from services.payments.domain.case import Case
from services.payments.domain.outcome import DisputeState
from services.payments.domain.payment import Method
from services.payments.domain.refund import Destination, RefundStatus
from services.payments.operations.settle_refund import settle_refund
from services.payments.providers import RefundState
from tests.service.payments.reversals.counter import Counter, usd
from tests.unit.payments.reversals.reference import Sheet

SEED = int(os.environ.get("MODEL_SEED", "0")) or secrets.randbits(32)
PAYMENTS, STEPS_EACH = 50, 24
RACES = int(os.environ.get("REFUND_RACES", "100"))


class Walk:
    """Random steps of one payment, on the database and on the sheet."""

    def __init__(self, counter: Counter, chance: Random, case: Case, sheet: Sheet) -> None:
        self.counter, self.chance, self.case, self.sheet = counter, chance, case, sheet
        self.pending: list[str] = []

    @property
    def payment_id(self) -> str:
        return self.case.payment.payment_id

    async def step(self) -> None:
        steps = [self.refund, self.refund, self.finish, self.dispute, self.hear_again]
        if self.chance.random() < 0.03:
            steps = [self.come_back]
        await self.chance.choice(steps)()
        await self.agree()

    async def refund(self) -> None:
        provider, net = self.counter.provider, self.sheet.amount - self.sheet.surcharge
        destination = self.chance.choice(list(Destination))
        provider.refund_result = self.chance.choice([RefundState.SUCCEEDED, RefundState.PROCESSING])
        provider.lost_answers = int(destination is Destination.METHOD and self.chance.random() < 0.3)
        try:
            refund = await self.counter.refund(
                self.payment_id,
                self.chance.choice([None, self.chance.randint(1, net)]),
                destination=destination,
            )
        except ServiceError:
            provider.lost_answers = 0
            return
        units = refund.amount.minor_units
        assert 0 < units <= self.sheet.refundable
        if destination is Destination.CREDIT:
            self.sheet.made_credit[refund.refund_id] = units
        else:
            self.sheet.sent[refund.refund_id] = units
            self.pending += [refund.refund_id] * (destination is Destination.METHOD)

    async def finish(self) -> None:
        if not self.pending:
            return
        refund_id = self.pending.pop(self.chance.randrange(len(self.pending)))
        state = self.chance.choice([RefundState.SUCCEEDED, RefundState.FAILED])
        outcome = self.counter.provider.finish_refund(refund_id, state, "account_closed")
        refund = (await self.counter.standing(self.payment_id)).refund(refund_id)
        assert refund is not None
        await settle_refund(self.counter.desk, self.counter.organization_id, refund, outcome)
        if state is RefundState.FAILED:
            self.sheet.ended_badly.add(refund_id)

    async def dispute(self) -> None:
        reference = f"{self.chance.choice(['dp_1', 'dp_2'])}_{self.payment_id}"
        state, units = self.chance.choice(list(DisputeState)), self.chance.randint(1, self.sheet.amount)
        fee = 0 if state is DisputeState.WON else 1_500
        said = self.counter.provider.dispute(
            self.case.at_provider.attempt_id, reference, state, usd(units), fee_units=fee
        )
        for view in said.disputes:
            self.sheet.dispute(view.provider_reference, view.state.value, view.amount.minor_units)
        await self.counter.hear(self.case, said)

    async def come_back(self) -> None:
        self.sheet.is_returned = True
        await self.counter.hear(
            self.case, self.counter.provider.give_back(self.case.at_provider.attempt_id, "R10")
        )

    async def hear_again(self) -> None:
        await self.counter.hear(self.case, self.counter.provider.outcomes[self.case.at_provider.attempt_id])

    async def agree(self) -> None:
        sheet, payment = self.sheet, (await self.counter.case(self.payment_id)).payment
        standing = await self.counter.standing(self.payment_id)
        assert payment.refunded_minor_units == sheet.out + sum(sheet.made_credit.values())
        assert payment.disputed == standing.disputed
        assert bool(payment.return_code) == sheet.is_returned
        gone = standing.refunded - standing.recredited + standing.disputed + standing.returned_amount
        assert gone.minor_units == sheet.amount - sheet.left_gross
        assert payment.refunded_minor_units <= sheet.amount


async def test_a_thousand_random_steps_agree_with_the_sheet_and_the_books(counter: Counter) -> None:
    print(f"MODEL_SEED={SEED}")
    chance, steps, sheets = Random(SEED), 0, []
    for _ in range(PAYMENTS):
        net = chance.randint(100, 20_000)
        surcharge = net * chance.randint(-150, 150) // 1000
        case = await counter.paid({"inv_1": net}, surcharge=surcharge, method=Method.BANK_DEBIT)
        walk = Walk(counter, chance, case, Sheet(net + surcharge, surcharge))
        for _ in range(STEPS_EACH):
            await walk.step()
            steps += 1
        sheets.append(walk.sheet)
        await counter.check_books()
    assert steps >= 1_000
    assert await counter.balance("gone_twice") == sum(sheet.gone_twice for sheet in sheets)
    clearing = await counter.balance("provider_clearing") + await counter.balance("chargeback_fees")
    assert clearing + await counter.balance("refunds_payable") == sum(sheet.at_provider for sheet in sheets)


async def test_refunds_and_disputes_at_once_never_take_more_than_was_captured(counter: Counter) -> None:
    print(f"MODEL_SEED={SEED}, {RACES} races")
    chance = Random(SEED)
    for _ in range(RACES):
        net = chance.randint(10, 9_000)
        case = await counter.paid({"inv_1": net}, surcharge=net // 50)
        payment_id, attempt_id = case.payment.payment_id, case.at_provider.attempt_id
        counter.provider.refund_result = chance.choice([RefundState.SUCCEEDED, RefundState.FAILED])
        at_once: list[Coroutine[Any, Any, Any]] = [
            counter.refund(
                payment_id, chance.randint(1, net), destination=chance.choice(list(Destination)),
                key=chance.choice([f"same {payment_id}", None]),
            )
            for _ in range(5)
        ]  # fmt: skip
        if chance.random() < 0.5:
            said = counter.provider.dispute(
                attempt_id, f"dp_{payment_id}", DisputeState.OPEN, usd(chance.randint(1, net)), fee_units=0
            )
            at_once.append(counter.hear(case, said))
        ended = await asyncio.gather(*at_once, return_exceptions=True)
        failed = [one for one in ended if isinstance(one, BaseException)]
        assert all(isinstance(one, ServiceError) for one in failed), failed
        standing = await counter.standing(payment_id)
        payment = (await counter.case(payment_id)).payment
        held = sum(
            one.amount.minor_units for one in standing.refunds if one.status is not RefundStatus.FAILED
        )
        assert held == payment.refunded_minor_units <= payment.amount.minor_units
        assert standing.funds.minor_units >= 0
    await counter.check_books()
