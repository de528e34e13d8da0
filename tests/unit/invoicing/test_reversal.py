"""Where the money of a reversal comes from, whatever the payment paid."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.money import Money
from services.invoicing.domain.ledger import Movement, Side, reinstatement, reversal
from services.invoicing.domain.reservation import Part
from services.invoicing.domain.reversal import Reversal, Use, by_invoice, take, total
from tests.unit.invoicing.test_invoice import NOW, usd


def asked(cents: int, *parts: tuple[str, int], **fields: object) -> Reversal:
    base: dict[str, object] = {
        "reversal_id": "ref_1", "payment_id": "pay_1", "customer_id": "cus_1", "kind": "refund",
        "amount": usd(cents), "surcharge": usd(0), "parts": [Part(one, usd(part)) for one, part in parts],
        "forgive": False, "to_credit": False, "whole": False, "fee": None, "reason": "", "receipt_number": "R-1",
        "notify": True, **fields,
    }  # fmt: skip
    return Reversal(**base)  # type: ignore[arg-type]


def used(invoice_id: str, cents: int, *, by: str = "pay_1", source: str = "pay_1") -> Use:
    return Use(by, source, invoice_id, usd(cents))


def found(parts: tuple[Use, ...]) -> list[tuple[str, str, str | None, int]]:
    return [(one.payment_id, one.source_payment_id, one.invoice_id, one.amount.minor_units) for one in parts]


def test_named_invoices_come_first_then_credit_then_the_last_invoice() -> None:
    uses = [used("inv_1", 100), used("inv_2", 100), used("inv_3", 100)]
    taken = take(asked(270, ("inv_1", 60)), credit=usd(50), uses=uses)
    assert found(taken.parts) == [
        ("pay_1", "pay_1", "inv_1", 60), ("pay_1", "pay_1", None, 50), ("pay_1", "pay_1", "inv_3", 100),
        ("pay_1", "pay_1", "inv_2", 60),
    ]  # fmt: skip
    assert taken.missing == usd(0)


def test_what_others_paid_with_its_credit_goes_back_too() -> None:
    uses = [used("inv_1", 100), used("inv_2", 40, by="pay_2")]
    taken = take(asked(140), credit=usd(0), uses=uses)
    assert by_invoice(taken.parts) == {"inv_1": usd(100), "inv_2": usd(40)}


def test_a_whole_payment_gives_back_the_credit_it_used() -> None:
    uses = [used("inv_1", 60), used("inv_1", 40, source="pay_0")]
    taken = take(asked(60, whole=True), credit=usd(0), uses=uses)
    assert by_invoice(taken.parts) == {"inv_1": usd(100)}
    only_own = take(asked(60), credit=usd(0), uses=uses[:1])
    assert by_invoice(only_own.parts) == {"inv_1": usd(60)}


def test_money_that_becomes_credit_is_not_taken_from_credit() -> None:
    taken = take(asked(100, to_credit=True), credit=usd(500), uses=[used("inv_1", 70)])
    assert (found(taken.parts), taken.missing) == ([("pay_1", "pay_1", "inv_1", 70)], usd(0))


@settings(max_examples=500)
@given(
    st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from("12"), st.integers(1, 500)), max_size=6),
    st.integers(0, 500),
    st.integers(1, 4_000),
    st.lists(st.tuples(st.sampled_from(["inv_1", "inv_2", "inv_9"]), st.integers(1, 600)), max_size=3),
)
def test_all_of_it_is_found_as_long_as_it_is_there(
    rows: list[tuple[str, str, int]], credit: int, cents: int, named: list[tuple[str, int]]
) -> None:
    uses = list({(by, one): used(f"inv_{one}", amount, by=f"pay_{by}") for one, by, amount in rows}.values())
    taken = take(asked(cents, *named), credit=usd(credit), uses=uses)
    there = total(uses, "USD") + usd(credit)
    assert total(taken.parts, "USD") == min(usd(cents), there)
    assert taken.missing == usd(cents) - total(taken.parts, "USD")
    limits = {(one.payment_id, one.invoice_id): one.amount for one in uses} | {("pay_1", None): usd(credit)}
    assert all(one.amount <= limits[one.payment_id, one.invoice_id] for one in taken.parts)
    assert len({(one.payment_id, one.invoice_id) for one in taken.parts}) == len(taken.parts)


amounts = st.integers(0, 10**6).map(usd)


@given(amounts, amounts, amounts, amounts, st.integers(-1000, 1000).map(usd), amounts, st.booleans())
def test_taking_back_and_having_again_balance(
    applied: Money,
    credited: Money,
    credit_used: Money,
    missing: Money,
    surcharge: Money,
    more: Money,
    forgiven: bool,
) -> None:
    movement = Movement(
        cash=applied + credited + missing - credit_used + more, applied=applied + more, credited=credited,
        credit_used=credit_used, surcharge=surcharge, missing=missing,
        forgiven=applied + more if forgiven else usd(0),
    )  # fmt: skip
    back = reversal("pay_1", "cus_1", "ref_1", movement, NOW)
    again = reinstatement("pay_1", "cus_1", "ref_1", movement, NOW)
    for booking in (back, again):
        signed = [one.amount.minor_units * (1 if one.side is Side.DEBIT else -1) for one in booking.postings]
        assert sum(signed) == 0
    assert {(one.account, one.amount) for one in back.postings} == {
        (one.account, one.amount) for one in again.postings
    }
