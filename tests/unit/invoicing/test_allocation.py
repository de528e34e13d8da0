"""Allocation and reservation as a state machine: no sequence of payments ever breaks an invoice's guard."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chassis.money import Money
from services.invoicing.domain.allocation import allocate
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.ledger import Account, Side, application, finalization, voiding
from services.invoicing.domain.reservation import Part, refusal
from tests.unit.invoicing.test_invoice import BUYER, NOW, invoice, usd

IDS = ("inv_1", "inv_2", "inv_3")
amounts = st.integers(1, 15_000)
wishes = st.dictionaries(st.sampled_from(IDS), amounts, min_size=1)


def final(invoice_id: str, cents: int) -> Invoice:
    return invoice(cents, invoice_id=invoice_id).finalized(f"INV-{invoice_id}", BUYER, NOW)


class Payments(RuleBasedStateMachine):
    """Payments that reserve, lapse, succeed late, overpay, and invoices that are voided meanwhile."""

    @initialize(totals=st.lists(st.integers(1, 10_000), min_size=3, max_size=3))
    def open_invoices(self, totals: list[int]) -> None:
        self.invoices = {one: final(one, cents) for one, cents in zip(IDS, totals, strict=True)}
        self.held: dict[int, dict[str, Money]] = {}
        self.received = self.credited = 0
        self.next_payment = 0

    @rule(parts=wishes)
    def reserve(self, parts: dict[str, int]) -> None:
        wanted = {one: usd(cents) for one, cents in parts.items()}
        if any(refusal(self.invoices[one], amount) for one, amount in wanted.items()):
            return
        for one, amount in wanted.items():
            self.invoices[one] = self.invoices[one].reserve(amount)
        self.held[self.next_payment] = wanted
        self.next_payment += 1

    @rule(data=st.data())
    def lapse(self, data: st.DataObject) -> None:
        if not self.held:
            return
        payment = data.draw(st.sampled_from(sorted(self.held)))
        for one, amount in self.held.pop(payment).items():
            self.invoices[one] = self.invoices[one].release(amount)

    @rule(data=st.data(), parts=wishes, cents=st.integers(1, 40_000), own=st.booleans())
    def succeed(self, data: st.DataObject, parts: dict[str, int], cents: int, own: bool) -> None:
        reserved: dict[str, Money] = {}
        if own and self.held:
            reserved = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        wanted = [Part(one, usd(amount)) for one, amount in parts.items()]
        result = allocate(usd(cents), wanted, invoices=self.invoices, reserved=reserved, at=NOW)
        used = sum(applied.amount.minor_units for applied in result.applied)
        assert used + result.credited.minor_units == cents
        for applied in result.applied:
            self.invoices[applied.invoice.invoice_id] = applied.invoice
        self.received += cents
        self.credited += result.credited.minor_units

    @rule(one=st.sampled_from(IDS))
    def void(self, one: str) -> None:
        found = self.invoices[one]
        if found.status is Status.OPEN and found.paid.is_zero and found.reserved.is_zero:
            self.invoices[one] = found.voided()

    @invariant()
    def the_guard_holds(self) -> None:
        for found in getattr(self, "invoices", {}).values():
            assert found.paid.minor_units >= 0
            assert found.reserved.minor_units >= 0
            assert found.paid + found.reserved <= found.total
            assert (found.status is Status.PAID) == (found.paid == found.total)
            assert (found.status is Status.PAID) == (found.paid_at is not None)

    @invariant()
    def no_money_is_lost(self) -> None:
        if not hasattr(self, "invoices"):
            return
        paid = sum(found.paid.minor_units for found in self.invoices.values())
        assert paid + self.credited == self.received
        held = sum(amount.minor_units for parts in self.held.values() for amount in parts.values())
        assert held == sum(found.reserved.minor_units for found in self.invoices.values())


TestPayments = Payments.TestCase
TestPayments.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_what_was_reserved_surely_fits() -> None:
    found = final("inv_1", 100).reserve(usd(60)).reserve(usd(40))
    result = allocate(
        usd(60), [Part("inv_1", usd(60))], invoices={"inv_1": found}, reserved={"inv_1": usd(60)}, at=NOW
    )
    (applied,) = result.applied
    assert (applied.amount, applied.invoice.reserved, result.credited) == (usd(60), usd(40), usd(0))


def test_a_reservation_is_lifted_even_where_no_money_goes() -> None:
    found = final("inv_1", 100).reserve(usd(60))
    result = allocate(usd(60), [], invoices={"inv_1": found}, reserved={"inv_1": usd(60)}, at=NOW)
    (applied,) = result.applied
    assert (applied.amount, applied.invoice.reserved, result.credited) == (usd(0), usd(0), usd(60))


@given(received=st.integers(1, 10**9), data=st.data())
def test_bookings_balance(received: int, data: st.DataObject) -> None:
    credited = data.draw(st.integers(0, received))
    at = datetime(2026, 11, 21, tzinfo=UTC)
    done = final("inv_1", received)
    for booking in (
        application("pay_1", "cus_1", received=usd(received), credited=usd(credited), at=at),
        finalization(done, at),
        voiding(done, at),
    ):
        signed = [
            posting.amount.minor_units * (1 if posting.side is Side.DEBIT else -1)
            for posting in booking.postings
        ]
        assert sum(signed) == 0
        assert all(posting.amount.minor_units > 0 for posting in booking.postings)


def test_a_discount_larger_than_its_tax_is_booked_on_the_other_side() -> None:
    from dataclasses import replace

    odd = replace(final("inv_1", 100), subtotal=usd(110), tax_total=usd(-10))
    sides = {posting.account: posting.side for posting in finalization(odd, NOW).postings}
    assert sides[Account.TAX_PAYABLE] is Side.DEBIT
