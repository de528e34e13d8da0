"""Names as banks print them."""

import pytest

from services.payments.domain.payer_names import Likeness, NameIndex, likeness, words_of


@pytest.mark.parametrize(
    ("payer", "customer"),
    [
        ("MUELLER & SOEHNE GMBH", "Müller & Söhne G.m.b.H."),
        ("Acme Trading Limited", "ACME Trading Ltd."),
        ("Nordwind Handelsgesellscha", "Nordwind Handelsgesellschaft mbH & Co. KG"),
        ("Visser Bouw", "Bouw Visser B.V."),
        ("Garcia y Nunez S.A.", "García & Núñez"),
        ("Evergreen Servces", "Evergreen Services Inc."),
    ],
)
def test_the_same_company_is_recognised(payer: str, customer: str) -> None:
    assert likeness(payer, customer) is Likeness.SAME


@pytest.mark.parametrize(
    ("payer", "customer"),
    [("Nordwind Holding AG", "Nordwind GmbH"), ("NORDW LOGIST", "Nordwind Logistik GmbH")],
)
def test_relatives_and_abbreviations_are_only_alike(payer: str, customer: str) -> None:
    assert likeness(payer, customer) is Likeness.ALIKE


@pytest.mark.parametrize(
    ("payer", "customer"),
    [("Hansa Bau GmbH", "Hansa Medical GmbH"), ("Smith", "Jones"), ("", "Acme"), ("GmbH", "Acme GmbH")],
)
def test_strangers_are_not_alike(payer: str, customer: str) -> None:
    assert likeness(payer, customer) is Likeness.NONE


def test_a_name_that_two_customers_bear_is_certain_for_neither() -> None:
    index = NameIndex({"cus_1": "Acme Ltd", "cus_2": "ACME GmbH", "cus_3": "Other"})
    assert index.like("acme") == {"cus_1": Likeness.ALIKE, "cus_2": Likeness.ALIKE}


def test_a_name_of_legal_forms_only_is_kept() -> None:
    assert words_of("AG") == ("ag",)
