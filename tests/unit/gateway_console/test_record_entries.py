"""Money over open invoices: the oldest first, never more than was received."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.gateway.console.record_entries import Record, Share, confirmed_parts, mistakes, spread
from services.gateway.web.forms import Form
from tallyport.common.v1.money_pb2 import Money as MoneyMessage
from tallyport.invoicing.v1.invoices_pb2 import Invoice


def invoice(number: int, due: int, processing: int = 0) -> Invoice:
    return Invoice(
        invoice_id=f"inv_{number}",
        amount_due=MoneyMessage(minor_units=due, currency="USD"),
        amount_processing=MoneyMessage(minor_units=processing, currency="USD"),
    )


def record(entered: str, *shares: Share) -> Record:
    return Record(currency="USD", entered=entered, shares=shares)


def test_the_oldest_is_filled_before_the_next_gets_any() -> None:
    shares = spread(Money(12_000, "USD"), [invoice(1, 10_000), invoice(2, 5_000), invoice(3, 700)])
    assert [share.entered for share in shares] == ["100.00", "20.00", ""]


def test_what_is_on_its_way_already_is_left_alone() -> None:
    (share,) = spread(Money(10_000, "USD"), [invoice(1, 10_000, processing=4_000)])
    assert share.entered == "60.00"


def test_what_is_left_over_is_known() -> None:
    held = record("150", Share(invoice(1, 10_000), "100"))
    assert mistakes(held) == {}
    assert held.rest == Money(5_000, "USD")
    assert held.applied == Money(10_000, "USD")


def test_parts_beyond_the_sum_are_refused() -> None:
    held = record("50", Share(invoice(1, 10_000), "40"), Share(invoice(2, 10_000), "40"))
    assert list(mistakes(held)) == ["amount"]


def test_a_part_beyond_the_invoice_is_refused_at_its_field() -> None:
    assert list(mistakes(record("500", Share(invoice(7, 10_000), "100.01")))) == ["part_inv_7"]


def test_what_was_confirmed_is_sent_even_when_it_is_not_open_any_more() -> None:
    form = Form({"amount": ["150"], "part_inv_1": ["100"], "part_inv_2": [""], "note": ["5"]})
    (part,) = confirmed_parts(form, "USD")
    assert (part.invoice_id, part.amount.minor_units) == ("inv_1", 10_000)


def test_nothing_received_is_refused() -> None:
    assert list(mistakes(record("0"))) == ["amount"]


@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**7), max_size=12))
def test_spreading_loses_and_invents_nothing(units: int, dues: list[int]) -> None:
    invoices = [invoice(number, due) for number, due in enumerate(dues)]
    amount = Money(units, "USD")
    held = Record(currency="USD", entered=str(amount.to_decimal()), shares=spread(amount, invoices))
    assert held.applied + held.rest == amount
    assert not held.rest.is_negative
    assert held.applied.minor_units == min(units, sum(dues))
