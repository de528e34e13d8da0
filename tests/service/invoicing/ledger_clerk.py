"""A clerk who does anything that can happen to invoices and money, at random, as payments would ask for it."""

import random
from dataclasses import dataclass, field
from datetime import timedelta

from chassis.errors import ServiceError
from services.invoicing.operations.expire_reservations import expire_reservations
from tallyport.invoicing.v1 import credit_notes_pb2, invoices_pb2, reservations_pb2
from tests.service.invoicing.office import Office, usd


@dataclass(slots=True)
class Payment:
    """A payment as the payments service knows it."""

    payment_id: str
    amount: int
    parts: dict[str, int]
    credit: int
    is_done: bool = False
    reversed: dict[str, int] = field(default_factory=dict)
    reinstated: set[str] = field(default_factory=set)
    is_whole: bool = False

    @property
    def left(self) -> int:
        """What can still go back."""
        return self.amount - sum(cents for one, cents in self.reversed.items() if one not in self.reinstated)


@dataclass(slots=True)
class Clerk:
    """Works on one customer of an office with the luck of a seed."""

    office: Office
    customer_id: str
    luck: random.Random
    name: str = ""
    invoices: list[str] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    count: int = 0

    async def act(self) -> str:
        """Do one thing, or find that it is refused; returns which."""
        things = (
            self.issue, self.plan_and_pay, self.plan_and_pay, self.begin, self.succeed, self.succeed,
            self.give_up, self.lapse, self.reverse, self.reverse, self.reinstate, self.void, self.prepay,
            self.credit, self.credit, self.write_off, self.revert_write_off, self.pay_late,
        )  # fmt: skip
        thing = self.luck.choice(things)
        try:
            await thing()
        except ServiceError as refused:
            return f"{thing.__name__}: {refused.reason}"
        return thing.__name__

    def _new_id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}_{self.name}{self.count:04d}"

    async def issue(self) -> None:
        day = f"2026-12-{self.luck.randint(1, 9):02d}"
        lines = [
            invoices_pb2.InvoiceLineInput(
                description="Item", unit_price=usd(self.luck.randint(1, 1_000)),
                quantity=str(self.luck.randint(1, 3)), tax_rate_percent=self.luck.choice(("0", "7", "19")),
            )
            for _ in range(self.luck.randint(1, 3))
        ]  # fmt: skip
        terms = {}
        if self.luck.random() < 0.4:
            terms = {"early_discount_percent": "3", "early_discount_until": "2026-11-22"}
        invoice = await self.office.invoice(self.customer_id, lines=lines, due_date=day, **terms)
        self.invoices.append(invoice.invoice_id)

    async def prepay(self) -> None:
        payment = Payment(self._new_id("pay"), self.luck.randint(1, 1_000), {}, 0, is_done=True)
        await self.office.paid(payment.payment_id, self.customer_id, payment.amount, {})
        self.payments.append(payment)

    async def begin(self) -> Payment | None:
        """Plan a payment, and reserve just what was shown."""
        fields = {"amount": usd(self.luck.randint(1, 3_000))} if self.luck.random() < 0.7 else {}
        plan = await self.office.plan(self.customer_id, **fields)
        if not plan.parts:
            return None
        parts = {part.invoice_id: part.amount.minor_units for part in plan.parts}
        credit = plan.credit_used.minor_units
        payment = Payment(
            self._new_id("pay"), sum(parts.values()) - credit + plan.rest.minor_units, parts, credit
        )
        await self.office.reserve(
            payment.payment_id, self.customer_id, parts, credit=credit,
            versions={part.invoice_id: part.version for part in plan.parts},
        )  # fmt: skip
        self.payments.append(payment)
        return payment

    async def plan_and_pay(self) -> None:
        """What is planned is what is posted, whatever happened before."""
        payment = await self.begin()
        if payment is None:
            return
        before = {one: (await self.office.read(one)).amount_paid.minor_units for one in payment.parts}
        await self._succeed(payment)
        for one, cents in payment.parts.items():
            assert (await self.office.read(one)).amount_paid.minor_units == before[one] + cents

    async def succeed(self) -> None:
        """Also of payments whose reservation has lapsed: the money is there."""
        if waiting := [one for one in self.payments if not one.is_done]:
            await self._succeed(self.luck.choice(waiting))

    async def _succeed(self, payment: Payment) -> None:
        payment.is_done = True
        await self.office.paid(
            payment.payment_id, self.customer_id, payment.amount, payment.parts,
            credit_used=usd(payment.credit) if payment.credit else None,
        )  # fmt: skip

    async def give_up(self) -> None:
        if waiting := [one for one in self.payments if not one.is_done]:
            payment = self.luck.choice(waiting)
            self.payments.remove(payment)
            await self.office.release(payment.payment_id)

    async def lapse(self) -> None:
        self.office.clock.advance(timedelta(minutes=self.luck.choice((5, 45))))
        await expire_reservations(self.office.db, limit=1_000)

    async def reverse(self) -> None:
        """Some of a payment, or all of it, comes back in one way or another; sometimes it is told twice."""
        payment = self._done(lambda one: one.left > 0 and not one.is_whole)
        if payment is None:
            return
        whole = self.luck.random() < 0.3
        cents = payment.left if whole else self.luck.randint(1, payment.left)
        to_credit = not whole and self.luck.random() < 0.2
        fields = {
            "reversal_id": self._new_id("ref"), "whole": whole, "to_credit": to_credit,
            "forgive": self.luck.random() < 0.3,
        }  # fmt: skip
        if payment.parts and self.luck.random() < 0.5:
            fields["parts"] = {self.luck.choice(list(payment.parts)): self.luck.randint(1, cents)}
        if self.luck.random() < 0.2:
            fields["fee"] = self.luck.randint(1, 50)
        if not to_credit:
            payment.reversed[str(fields["reversal_id"])] = cents
        payment.is_whole = whole
        for _ in range(self.luck.choice((1, 1, 2))):
            await self.office.reversed(payment.payment_id, self.customer_id, cents, **dict(fields))

    async def reinstate(self) -> None:
        payment = self._done(lambda one: bool(one.reversed.keys() - one.reinstated))
        if payment is None:
            return
        reversal_id = self.luck.choice(sorted(payment.reversed.keys() - payment.reinstated))
        payment.reinstated.add(reversal_id)
        payment.is_whole = False
        for _ in range(self.luck.choice((1, 1, 2))):
            await self.office.reinstated(
                payment.payment_id, self.customer_id, payment.reversed[reversal_id], reversal_id
            )

    async def credit(self) -> None:
        """An amount, a line, or all that is left."""
        if not self.invoices:
            return
        invoice_id, luck = self.luck.choice(self.invoices), self.luck.random()
        if luck < 0.5:
            await self.office.credit_note(invoice_id, self.luck.randint(1, 500))
        elif luck < 0.8:
            line = credit_notes_pb2.CreditNoteLineInput(line_no=1, quantity="1")
            await self.office.credit_note(invoice_id, lines=[line])
        else:
            await self.office.credit_note(invoice_id)

    async def write_off(self) -> None:
        if self.invoices:
            await self.office.write_off(self.luck.choice(self.invoices))

    async def revert_write_off(self) -> None:
        if self.invoices:
            await self.office.revert_write_off(self.luck.choice(self.invoices))

    async def pay_late(self) -> None:
        """Money for any invoice, whether anybody expects it or not, in time or not."""
        if not self.invoices:
            return
        cents, invoice_id = self.luck.randint(1, 2_000), self.luck.choice(self.invoices)
        payment = Payment(self._new_id("pay"), cents, {invoice_id: cents}, 0, is_done=True)
        day = self.luck.choice(("2026-11-21", "2026-11-23"))
        await self.office.paid(payment.payment_id, self.customer_id, cents, payment.parts, received_on=day)
        self.payments.append(payment)

    async def void(self) -> None:
        if self.invoices:
            request = invoices_pb2.VoidInvoiceRequest(
                invoice_id=self.luck.choice(self.invoices), reason="Wrong"
            )
            await self.office.call(self.office.invoices.VoidInvoice, request)

    def _done(self, wanted: object) -> Payment | None:
        found = [one for one in self.payments if one.is_done and wanted(one)]  # type: ignore[operator]
        return self.luck.choice(found) if found else None

    async def agreed(self) -> None:
        """The sums are what the payments service would say they are."""
        request = reservations_pb2.GetCashAgreementRequest(organization_id=self.office.organization_id)
        answer = await self.office.as_payments(self.office.open_items.GetCashAgreement, request)
        received = sum(one.amount for one in self.payments if one.is_done)
        kept = sum(one.left for one in self.payments if one.is_done)
        for one in answer.sums:
            assert one.received.minor_units == received
            assert one.cash_clearing.minor_units == kept
            assert one.applied.minor_units + one.unapplied.minor_units + one.refunded.minor_units == received
