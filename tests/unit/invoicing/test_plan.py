"""What is planned is what is posted: plans over any invoices, credit and amounts, then applied."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.money import Money
from services.invoicing.domain.allocation import Allocation, Applied, allocate
from services.invoicing.domain.credit import Lot, draw, free_credit, sum_of
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.payment_preview import Plan, SkipReason, plan
from services.invoicing.domain.reservation import Part, refusal
from tests.unit.invoicing.test_invoice import BUYER, NOW, invoice, usd


@st.composite
def invoice_sets(draw: st.DrawFn) -> list[Invoice]:
    """Invoices in any state: with ties of due dates, held parts, disputes and other currencies."""
    found = []
    for at in draw(st.permutations(range(draw(st.integers(0, 8))))):
        total = draw(st.integers(1, 5_000))
        paid = draw(st.integers(0, total))
        credited = draw(st.integers(0, total - paid))
        held = draw(st.integers(0, total - paid - credited))
        one = replace(
            invoice(total, invoice_id=f"inv_{at}").finalized(f"INV-{at}", BUYER, NOW),
            due_date=date(2026, 12, draw(st.integers(1, 3))),
            disputed=usd(draw(st.integers(1, total)) if draw(st.booleans()) and draw(st.booleans()) else 0),
        )
        if paid:
            one = one.settle(usd(paid), reserved=usd(0), at=NOW)
        if credited:
            one = one.settle(usd(credited), reserved=usd(0), at=NOW).unsettle(
                usd(credited), forgive=True, at=NOW
            )
        if draw(st.integers(0, 9)) == 0 and one.status is Status.OPEN:
            one = one.voided()
        elif held:
            one = one.reserve(usd(held))
        found.append(_in_euros(one) if draw(st.integers(0, 9)) == 0 else one)
    return found


def _in_euros(one: Invoice) -> Invoice:
    def euros(amount: Money) -> Money:
        return Money(amount.minor_units, "EUR")

    return replace(
        one, subtotal=euros(one.subtotal), tax_total=euros(one.tax_total), total=euros(one.total),
        paid=euros(one.paid), reserved=euros(one.reserved), credited=euros(one.credited), disputed=euros(one.disputed),
    )  # fmt: skip


def posted(planned: Plan, invoices: Sequence[Invoice]) -> Allocation:
    """Reserve the plan and apply the payment it describes."""
    by_id = {one.invoice_id: one for one in invoices}
    parts = [Part(one.invoice.invoice_id, one.amount, one.invoice.version) for one in planned.parts]
    for part in parts:
        assert refusal(by_id[part.invoice_id], part.amount, expected_version=part.expected_version) is None
        by_id[part.invoice_id] = by_id[part.invoice_id].reserve(part.amount)
    amount = sum((one.amount for one in planned.parts), usd(0)) - planned.credit_used + planned.rest
    reserved = {part.invoice_id: part.amount for part in parts}
    return allocate(amount, parts, invoices=by_id, reserved=reserved, at=NOW, credit=planned.credit_used)


@settings(max_examples=500)
@given(invoice_sets(), st.integers(0, 6_000), st.none() | st.integers(0, 30_000), st.booleans())
def test_what_is_planned_is_what_is_posted(
    invoices: list[Invoice], credit: int, amount: int | None, keep: bool
) -> None:
    wanted = None if amount is None else usd(amount)
    planned = plan(invoices, credit=usd(credit), amount=wanted, keep_credit=keep)
    allocation = posted(planned, invoices)
    assert [(one.invoice.invoice_id, one.amount) for one in allocation.applied] == [
        (one.invoice.invoice_id, one.amount) for one in planned.parts
    ]
    assert allocation.credit_used == planned.credit_used
    assert allocation.credited == planned.rest
    sum_of_parts = sum((one.amount for one in planned.parts), usd(0))
    assert sum_of_parts + planned.rest == (planned.payable if wanted is None else wanted)
    assert planned.credit_used == (usd(0) if keep else min(usd(credit), sum_of_parts))
    assert planned.rest.is_zero or sum_of_parts == planned.payable


@settings(max_examples=300)
@given(invoice_sets(), st.integers(1, 20_000))
def test_the_oldest_due_is_paid_first_and_ties_go_by_id(invoices: list[Invoice], amount: int) -> None:
    planned = plan(invoices, credit=usd(0), amount=usd(amount))
    order = [(one.invoice.due_date, one.invoice.invoice_id) for one in planned.parts]
    assert order == sorted(order)
    assert all(one.amount == one.invoice.unreserved - one.invoice.in_dispute for one in planned.parts[:-1])
    paid = {one.invoice.invoice_id for one in planned.parts}
    left_out = {one.invoice.invoice_id for one in planned.skipped}
    for one in invoices:
        if one.invoice_id not in paid | left_out:
            assert planned.rest.is_zero
            assert (one.due_date, one.invoice_id) > max(order)


@settings(max_examples=300)
@given(invoice_sets())
def test_what_is_left_out_has_its_reason(invoices: list[Invoice]) -> None:
    planned = plan(invoices, credit=usd(0))
    reasons = {one.invoice.invoice_id: one.reason for one in planned.skipped}
    assert set(reasons) | {one.invoice.invoice_id for one in planned.parts} == {
        one.invoice_id for one in invoices
    }
    for one in invoices:
        reason = reasons.get(one.invoice_id)
        assert (reason is SkipReason.PAID) == (one.status is Status.PAID)
        assert (reason is SkipReason.NOT_PAYABLE) == (one.status is Status.VOID)
        if one.is_payable and one.currency == "USD":
            nothing_left = (one.unreserved - one.in_dispute).minor_units <= 0
            assert (reason is SkipReason.DISPUTED) == (one.is_disputed and nothing_left)
            assert (reason is SkipReason.BEING_PAID) == (not one.is_disputed and nothing_left)


def test_what_the_payment_itself_holds_does_not_stand_in_its_way() -> None:
    held = invoice(1_000).finalized("INV-1", BUYER, NOW).reserve(usd(1_000))
    assert plan([held], credit=usd(0)).skipped[0].reason is SkipReason.BEING_PAID
    assert plan([held], credit=usd(0), own={"inv_1": usd(600)}).payable == usd(600)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=6), st.integers(1, 3_000))
def test_credit_is_drawn_from_the_oldest_lot_and_never_from_what_is_held(
    sums: list[tuple[int, int]], wanted: int
) -> None:
    lots = [
        Lot(
            payment_id=f"pay_{at}", customer_id="cus_1", amount=usd(free + held), remaining=usd(free + held),
            held=usd(held), created_at=NOW,
        )
        for at, (free, held) in enumerate(sums)
    ]  # fmt: skip
    parts = draw(lots, usd(wanted))
    assert sum_of(parts, "USD") == min(usd(wanted), free_credit(lots, "USD"))
    by_id = {lot.payment_id: lot for lot in lots}
    assert all(part.amount <= by_id[part.source_payment_id].free for part in parts)
    assert all(part.amount == by_id[part.source_payment_id].free for part in parts[:-1])
    assert [part.source_payment_id for part in parts] == sorted(part.source_payment_id for part in parts)


def test_less_credit_than_was_held_means_that_less_is_paid() -> None:
    one = invoice(1_000).finalized("INV-1", BUYER, NOW).reserve(usd(1_000))
    result = allocate(
        usd(600), [Part("inv_1", usd(1_000))], invoices={"inv_1": one}, reserved={"inv_1": usd(1_000)},
        at=NOW, credit=usd(150),
    )  # fmt: skip
    (applied,) = result.applied
    assert isinstance(applied, Applied)
    assert (applied.own, applied.from_credit, result.credited) == (usd(600), usd(150), usd(0))
    assert (applied.invoice.paid, applied.invoice.reserved) == (usd(750), usd(0))
