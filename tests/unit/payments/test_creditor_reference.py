"""Creditor references (ISO 11649) and EPC QR codes, against independent implementations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from segno import helpers
from stdnum import iso11649

from chassis.ids import new_id
from chassis.money import Money
from services.payments.domain.creditor_reference import (
    creditor_reference,
    customer_id_beginning,
    find_creditor_reference,
    for_people,
    parse_creditor_reference,
    reference_of_customer,
    reference_of_invoice,
)
from services.payments.domain.epc_qr import epc_payload, epc_svg

BODIES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=21)


@given(BODIES)
def test_references_are_right_by_an_independent_check(body: str) -> None:
    assert iso11649.is_valid(creditor_reference(body))


@given(BODIES)
def test_a_reference_survives_blanks_and_small_letters(body: str) -> None:
    reference = creditor_reference(body)
    assert parse_creditor_reference(for_people(reference).lower()) == reference
    assert iso11649.validate(for_people(reference)) == reference


@given(BODIES, st.integers(0, 24), st.sampled_from("ABCXYZ"), st.sampled_from("0189"))
def test_one_wrong_sign_is_noticed(body: str, place: int, letter: str, digit: str) -> None:
    """A letter for a letter or a digit for a digit; the standard promises no more."""
    reference = creditor_reference(body)
    place %= len(reference)
    sign = digit if reference[place].isdigit() else letter
    wrong = reference[:place] + sign + reference[place + 1 :]
    assert (parse_creditor_reference(wrong) is None) == (wrong != reference)


@given(st.text(max_size=60))
def test_any_text_is_a_reference_only_if_the_independent_check_says_so(text: str) -> None:
    found = find_creditor_reference(text)
    assert not found or iso11649.is_valid(found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Invoice RF18 5390 0754 7034 thank you", "RF18539007547034"),
        ("rf18539007547034", "RF18539007547034"),
        ("RF18539007547034.", "RF18539007547034"),
        ("RF19539007547034", ""),
        ("PRF18539007547034", ""),
        ("", ""),
    ],
)
def test_references_are_found_in_what_payers_write(text: str, found: str) -> None:
    assert find_creditor_reference(text) == found


def test_a_number_gives_its_reference_whatever_stands_between() -> None:
    assert reference_of_invoice("INV-2024/0001", "inv_1") == creditor_reference("inv 2024 0001")
    assert reference_of_invoice("№ 17", "inv_1") == creditor_reference("NO17")


def test_a_number_that_is_too_long_gives_way_to_the_id() -> None:
    invoice_id = new_id("inv")
    reference = reference_of_invoice("X" * 22, invoice_id)
    assert iso11649.is_valid(reference)
    assert reference == reference_of_invoice("---", invoice_id)


def test_a_customers_reference_leads_back_to_the_customer() -> None:
    customer_id = new_id("cus")
    beginning = customer_id_beginning(reference_of_customer(customer_id))
    assert beginning is not None
    assert customer_id.startswith(beginning)
    assert len(beginning) == len("cus_") + 20


def test_a_body_beyond_the_standard_is_refused() -> None:
    for body in ("", "-", "1" * 22):
        with pytest.raises(ValueError, match="1 to 21"):
            creditor_reference(body)


@given(st.integers(1, 99_999_999_999), BODIES, st.text("abc äöü", min_size=1, max_size=90).filter(str.strip))
def test_the_qr_code_says_what_an_independent_writer_says(units: int, body: str, name: str) -> None:
    amount, reference = Money(units, "EUR"), creditor_reference(body)
    iban = "DE02120300000000202051"
    payload = epc_payload(name=name, iban=iban, bic="BYLADEM1001", amount=amount, reference=reference)
    theirs = helpers._make_epc_qr_data(  # type: ignore[attr-defined]
        " ".join(name.split())[:70], iban, amount.to_decimal(), None, reference, "BYLADEM1001", None, "utf-8"
    )
    lines = payload.split("\n")
    lines[7] = lines[7].rstrip("0").rstrip(".")  # EUR12.30 and EUR12.3 are the same
    assert "\n".join(lines).encode() == theirs
    assert len(payload.encode()) <= 331


def test_there_is_no_qr_code_beyond_the_standard() -> None:
    for amount in (Money(100, "USD"), Money(0, "EUR"), Money(100_000_000_000, "EUR")):
        payload = epc_payload(name="A", iban="DE02", bic="", amount=amount, reference="RF18539007547034")
        assert payload == epc_svg(payload) == ""


def test_the_qr_code_is_an_svg_without_scripts() -> None:
    payload = epc_payload(
        name="<b>&",
        iban="DE02120300000000202051",
        bic="",
        amount=Money(1, "EUR"),
        reference="RF18539007547034",
    )
    svg = epc_svg(payload)
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
    assert "script" not in svg
