"""What makes a match certain, and what leaves it to people."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chassis.money import Money
from services.payments.domain.creditor_reference import reference_of_customer
from services.payments.domain.line_matching import Matcher
from services.payments.domain.matching import (
    Claim,
    IncomingLine,
    Knowledge,
    MatchRule,
    OpenItem,
    Proposal,
    ReasonCode,
)


def item(
    number: str, units: int, customer: str = "Acme Ltd", *, paid: bool = False, currency: str = "EUR"
) -> OpenItem:
    return OpenItem(
        invoice_id=f"inv_{number}",
        number=number,
        customer_id=f"cus_{customer.split()[0].lower()}",
        customer_name=customer,
        due=Money(0 if paid else units, currency),
        total=Money(units, currency),
        due_on=date(2026, 11, 1),
    )


def line(units: int, text: str = "", *, line_id: str = "bln_1", **more: Any) -> IncomingLine:
    currency = more.pop("currency", "EUR")
    return IncomingLine(
        bank_line_id=line_id, amount=Money(units, currency), booked_on=date(2026, 11, 20), text=text, **more
    )


def best(incoming: IncomingLine, *items: OpenItem, **knowledge: Any) -> Proposal:
    return Matcher(Knowledge(items=items, **knowledge)).propose(incoming)[0]


def paid_parts(proposal: Proposal) -> dict[str, int]:
    return {part.number: part.amount.minor_units for part in proposal.parts}


def test_a_number_with_the_exact_sum_is_certain_whoever_pays() -> None:
    found = best(
        line(5000, "thanks inv-7", name="Somebody"), item("INV-007", 5000), item("INV-070", 5000, "Beta AG")
    )
    assert found.is_automatic
    assert paid_parts(found) == {"INV-007": 5000}
    assert [reason.code for reason in found.reasons] == [ReasonCode.INVOICE_NUMBER, ReasonCode.EXACT_AMOUNT]


@pytest.mark.parametrize(
    "text",
    [
        "INV 000 123",
        "Inv-123",
        "inv000123",
        "Rechnung 123",
        "000123",
        "INV/000123.",
        "/ROC/RF74 INV0 0012 3",
        "INV-OOO123",
    ],
)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    found = best(line(5000, text, name="Acme Limited"), item("INV-000123", 5000), item("INV-001230", 700))
    assert found.is_automatic
    assert paid_parts(found) == {"INV-000123": 5000}


@pytest.mark.parametrize(
    "text", ["INV-0001234", "XINV-000123", "5000123", "1000123", "INV-000123A", "12.03.2026"]
)
def test_a_number_inside_another_is_no_hit(text: str) -> None:
    proposals = Matcher(Knowledge(items=[item("INV-000123", 5000)])).propose(line(9, text, name="Nobody"))
    assert proposals == []


def test_spaces_that_leave_the_number_open_are_left_to_people() -> None:
    found = best(line(4000, "INV 12 3", name="Acme Ltd"), item("INV-12", 5000), item("INV-123", 7000))
    assert not found.is_automatic


def test_the_same_sum_at_two_customers_without_reference_is_left_to_people() -> None:
    items = (item("INV-1", 5000), item("INV-2", 5000, "Beta AG"))
    assert not best(line(5000, "payment", name="Acme Ltd"), *items).is_automatic
    assert not best(line(5000, "payment"), *items).is_automatic


def test_the_same_sum_twice_at_one_customer_is_left_to_people_even_if_the_payer_is_certain() -> None:
    found = best(
        line(5000, name="Acme Ltd", account="DE1"),
        *(item("INV-1", 5000), item("INV-2", 5000)),
        history={"DE1": Counter({"cus_acme": 3})},
    )
    assert not found.is_automatic


def test_name_and_sum_are_enough_when_nobody_else_owes_it() -> None:
    found = best(
        line(5011, "payment", name="ACME LIMITED"), item("INV-1", 5011), item("INV-2", 700, "Beta AG")
    )
    assert found.is_automatic
    assert {reason.code for reason in found.reasons} == {ReasonCode.EXACT_AMOUNT, ReasonCode.NAME}


def test_a_name_that_a_customer_without_open_invoices_bears_as_well_is_nobodys_for_certain() -> None:
    others = {"cus_other": "Acme GmbH"}
    assert not best(line(5011, name="Acme Ltd"), item("INV-1", 5011), other_names=others).is_automatic


def test_another_currency_never_matches() -> None:
    matcher = Matcher(Knowledge(items=[item("INV-000123", 5000, currency="USD")]))
    found = matcher.propose(line(5000, "INV-000123", name="Acme Ltd"))
    assert all(not each.parts and not each.is_automatic for each in found)


def test_a_paid_number_is_left_to_people() -> None:
    items = (item("INV-000123", 5000, paid=True), item("INV-000124", 5000))
    assert not best(line(5000, "INV-000123", name="Acme Ltd"), *items).is_automatic
    assert not best(line(5000, "INV-000123, INV-000124", name="Acme Ltd"), *items).is_automatic


def test_an_unknown_number_of_our_kind_contradicts_name_and_sum() -> None:
    known = item("INV-000123", 5000)
    assert not best(line(5000, "INV-004711", name="Acme Ltd"), known).is_automatic
    assert best(line(5000, "INV-000132", name="Acme Ltd"), known).is_automatic  # two digits swapped


def test_many_numbers_are_paid_by_one_line() -> None:
    items = [item(f"INV-{number:06d}", number * 10) for number in (123, 124, 130)]
    found = best(line(3770, "INV-000123/124/130"), *items)
    assert found.is_automatic
    assert paid_parts(found) == {"INV-000123": 1230, "INV-000124": 1240, "INV-000130": 1300}


def test_many_numbers_with_less_money_are_left_to_people() -> None:
    items = [item(f"INV-{number:06d}", number * 10) for number in (123, 124)]
    assert not best(line(2400, "INV-000123 INV-000124", name="Acme Ltd"), *items).is_automatic


def test_invoices_that_add_up_are_found_for_a_payer_who_is_certain() -> None:
    items = [item("INV-1", 12_345), item("INV-2", 67_891), item("INV-3", 4_017)]
    found = best(
        line(16_362, name="Acme Ltd", account="DE1"), *items, history={"DE1": Counter({"cus_acme": 1})}
    )
    assert found.is_automatic
    assert set(paid_parts(found)) == {"INV-1", "INV-3"}


def test_round_prices_that_add_up_in_two_ways_are_left_to_people() -> None:
    items = [item(f"INV-{number}", 4900) for number in range(1, 5)]
    assert not best(line(9800, name="Acme Ltd"), *items).is_automatic


def test_two_lines_pay_one_invoice_and_a_third_finds_nothing_due() -> None:
    matcher = Matcher(Knowledge(items=[item("INV-000123", 5000)]))
    lines = [line(2500, "INV-000123", name="Acme Ltd", line_id=f"bln_{n}") for n in range(3)]
    decisions = matcher.decide(lines)
    assert [bool(each.proposal) for each in decisions] == [True, True, False]


def test_more_than_is_due_becomes_credit() -> None:
    found = best(line(5100, "INV-000123", name="Acme Ltd"), item("INV-000123", 5000))
    assert found.is_automatic
    assert found.credit == Money(100, "EUR")


def test_a_sum_that_fits_another_invoice_of_the_payer_makes_the_number_doubtful() -> None:
    items = (item("INV-000123", 9000), item("INV-000124", 5000))
    assert not best(line(5000, "INV-000123", name="Acme Ltd"), *items).is_automatic


def test_a_rule_of_staff_decides_whose_it_is() -> None:
    rule = MatchRule(match_rule_id="mru_1", name="Shop", text_contains="ref shop", customer_id="cus_acme")
    found = best(line(6000, "REF SHOP 77", name="Z"), item("INV-1", 5000), item("INV-2", 9000), rules=[rule])
    assert found.is_automatic
    assert found.rule_id == "mru_1"
    assert paid_parts(found) == {"INV-1": 5000, "INV-2": 1000}


def test_a_rule_yields_to_a_number_of_another_customer() -> None:
    rule = MatchRule(match_rule_id="mru_1", name="Shop", text_contains="shop", customer_id="cus_acme")
    items = (item("INV-1", 5000), item("INV-000123", 7000, "Beta AG"))
    found = best(line(6000, "shop INV-000123"), *items, rules=[rule])
    assert not found.is_automatic


def test_a_rule_ignores_lines() -> None:
    rule = MatchRule(match_rule_id="mru_1", name="Tax", text_contains="finanzamt", ignore=True)
    matcher = Matcher(Knowledge(items=[item("INV-1", 5000)], rules=[rule]))
    (decision,) = matcher.decide([line(5000, name="FINANZAMT Bonn")])
    assert decision.ignored_by is rule


def test_a_rule_without_conditions_fits_nothing() -> None:
    assert not MatchRule(match_rule_id="mru_1", name="All", customer_id="cus_acme").fits(
        line(5000, "anything")
    )


def test_a_claim_tells_what_the_money_is_for() -> None:
    items = (item("INV-1", 5000), item("INV-2", 5000, "Beta AG"))
    claim = Claim(
        claim_id="clm_1", customer_id="cus_acme", invoice_ids=("inv_INV-1",), amount=Money(5000, "EUR")
    )
    found = best(line(5000, "payment", name="ACME Limited"), *items, claims=[claim])
    assert found.is_automatic
    assert found.claim_id == "clm_1"


def test_a_list_that_was_cut_off_does_not_become_an_overpayment() -> None:
    text = ("Rechnungen " + "x" * 130)[:128] + " INV-000123"
    found = best(line(9000, text, name="Acme Ltd"), item("INV-000123", 5000), item("INV-000999", 8000))
    assert len(text) < 140
    assert found.is_automatic
    assert not best(line(9000, f"{text} I", name="Acme Ltd"), item("INV-000123", 5000)).is_automatic


def test_each_proposal_says_why() -> None:
    matcher = Matcher(Knowledge(items=[item("INV-1", 5000)], history={"DE1": Counter({"cus_acme": 2})}))
    for proposal in matcher.propose(line(700, name="Acme Ltd", account="de 1")):
        assert [reason.code for reason in proposal.reasons] == [ReasonCode.ACCOUNT_HISTORY, ReasonCode.NAME]
        assert proposal.reasons[0].text == "This customer has paid from this account 2 times."


def test_the_reference_of_a_customer_tells_whose_money_it_is() -> None:
    reference = reference_of_customer("cus_acme")
    items = (item("INV-1", 5000), item("INV-2", 5000, "Beta AG"))
    found = best(line(5000, reference=reference), *items, referenced={reference[4:]: "cus_acme"})
    assert found.is_automatic
    assert paid_parts(found) == {"INV-1": 5000}


@pytest.mark.parametrize(("until", "is_whole"), [(date(2026, 11, 20), True), (date(2026, 11, 19), False)])
def test_what_was_kept_for_paying_early_is_right_by_the_day_of_the_money(until: date, is_whole: bool) -> None:
    early = replace(item("INV-007", 5000), discounted_due=Money(4900, "EUR"), discount_until=until)
    matcher = Matcher(Knowledge(items=[early]))
    (decision,) = matcher.decide([line(4900, "inv-007")])
    found = decision.proposal
    assert (
        found is not None and ReasonCode.EXACT_AMOUNT in {reason.code for reason in found.reasons}
    ) is is_whole
    assert best(line(5000, "inv-007"), early).is_automatic


def planned(number: str, due: int, asked: int) -> OpenItem:
    """An invoice under a plan that asks for so much."""
    return replace(item(number, due), instalment_due=Money(asked, "EUR"))


def test_exactly_the_instalment_that_is_due_is_a_match() -> None:
    found = best(line(1250, "inv-007"), planned("INV-007", 5000, 1250))
    assert paid_parts(found) == {"INV-007": 1250}
    assert ReasonCode.EXACT_AMOUNT in {reason.code for reason in found.reasons}
    assert found.is_automatic


def test_an_instalment_is_found_by_sum_and_payer_alone() -> None:
    known = {"DE1": Counter({"cus_acme": 2})}
    matcher = Matcher(Knowledge(items=[planned("INV-1", 5000, 1250), item("INV-2", 900)], history=known))
    proposal = matcher.propose(line(1250, name="Acme Ltd", account="DE1"))[0]
    assert paid_parts(proposal) == {"INV-1": 1250}
    assert proposal.is_automatic


def test_an_instalment_over_several_invoices_is_found_by_their_sum() -> None:
    known = {"DE1": Counter({"cus_acme": 2})}
    items = [planned("INV-1", 5000, 1003), planned("INV-2", 2000, 250), planned("INV-3", 900, 0)]
    proposal = Matcher(Knowledge(items=items, history=known)).propose(
        line(1253, name="Acme Ltd", account="DE1")
    )[0]
    assert paid_parts(proposal) == {"INV-1": 1003, "INV-2": 250}


def test_other_sums_are_placed_as_without_a_plan() -> None:
    """What is more than the instalment goes to the invoice that was named, up to all that is due on it."""
    for units in (1300, 5000):
        found = best(line(units, "inv-007", name="Acme Ltd"), planned("INV-007", 5000, 1250))
        assert paid_parts(found) == {"INV-007": units}
        assert found.credit.is_zero


def test_the_same_instalment_is_not_paid_twice_in_a_batch() -> None:
    matcher = Matcher(Knowledge(items=[planned("INV-007", 5000, 1250)]))
    first, second = matcher.decide(
        [line(1250, "inv-007", line_id="bln_1"), line(1250, "inv-007", line_id="bln_2")]
    )
    assert first.proposal is not None
    assert second.proposal is None or ReasonCode.EXACT_AMOUNT not in {
        reason.code for reason in second.proposal.reasons
    }
