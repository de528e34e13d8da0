"""E-invoices are valid by the official schematron, whatever was invoiced; and its negative control."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.money import Money
from services.invoicing.domain.invoice import Buyer, Invoice, Terms
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line, Tax, TaxCategory
from services.invoicing.domain.transfer_slip import TransferSlip
from services.invoicing.formats.einvoice import CREDIT_NOTE, Syntax, einvoice, missing, of_invoice
from tests.support.schematron import Schematron
from tests.unit.invoicing.test_invoice import NOW, invoice

SELLER = Organization(
    organization_id="org_1", name="Hafen Handel GmbH", display_name="Hafen", currency="EUR",
    time_zone="Europe/Berlin", locale="de-DE", address_lines=("Am Kai 1", "Halle 3"), city="Hamburg", region="",
    postal_code="20457", country="DE", tax_id="DE136695976", contact_email="kasse@hafen.example",
    contact_phone="+49 40 1234", brand_color="#1f3a5f", logo=b"", logo_media_type="", version=1,
)  # fmt: skip
BUYER = Buyer(
    "Blaue Mützen & Söhne <KG>", ("Rue 1", "2", "3", "4"), "FR", "FR40303265045", legal_name="Mützen SARL",
    city="Paris", postal_code="75001",
)  # fmt: skip
SLIP = TransferSlip(
    account_holder="Hafen Handel GmbH", account_number="DE89370400440532013000", bic="COBADEFFXXX",
    bank_name="Bank", reference="RF18539007547034", epc_qr_payload="",
)  # fmt: skip
TAXES = st.sampled_from(
    [
        (Tax("", Decimal(19), TaxCategory.STANDARD),),
        (Tax("", Decimal(7), TaxCategory.STANDARD),),
        (
            Tax("", Decimal("4.5"), TaxCategory.STANDARD),
            Tax("County", Decimal("3.875"), TaxCategory.STANDARD),
        ),
        (Tax("", Decimal(0), TaxCategory.ZERO),),
        (Tax("", Decimal(0), TaxCategory.EXEMPT, "Exempt, certificate 4711"),),
        (Tax("", Decimal(0), TaxCategory.REVERSE_CHARGE),),
        (Tax("", Decimal(0), TaxCategory.EXPORT),),
        (Tax("", Decimal(0), TaxCategory.INTRA_COMMUNITY),),
    ]
)


@pytest.fixture(scope="module")
def schematron() -> Iterator[Schematron]:
    oracle = Schematron()
    yield oracle
    oracle.close()


def final(lines: list[Line], terms: Terms, currency: str = "EUR") -> Invoice:
    nothing = Money.zero(currency)
    draft = replace(
        invoice(), subtotal=nothing, tax_total=nothing, total=nothing, paid=nothing, reserved=nothing,
        credited=nothing, disputed=nothing, terms=terms,
    ).with_lines(lines)  # fmt: skip
    return draft.finalized("INV-000001", BUYER, NOW)


@st.composite
def documents(draw: st.DrawFn) -> Invoice:
    currency = draw(st.sampled_from(["EUR", "JPY"]))
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        taxes = draw(TAXES)
        rate = sum((tax.rate_percent for tax in taxes), Decimal(0))
        lines.append(
            Line(
                draw(st.sampled_from(["Seil & Tau", "Löschgebühr <Kai>", "繩"])),
                draw(st.sampled_from([Decimal(1), Decimal("2.5"), Decimal("0.3333"), Decimal(7)])),
                Money(draw(st.integers(-50_000, 500_000)), currency), rate, taxes=taxes,
                discount_percent=draw(st.sampled_from([Decimal(0), Decimal(10), Decimal("33.3333")])),
                sku=draw(st.sampled_from(["", "R-1"])), period_start=date(2026, 10, 1),
                period_end=date(2026, 10, 31),
            )
        )  # fmt: skip
    lines.append(Line("Sockel", Decimal(1), Money(2_000_000, currency), Decimal(19)))
    terms = Terms(
        prices_include_tax=draw(st.booleans()),
        discount_percent=draw(st.sampled_from([Decimal(0), Decimal(5), Decimal("12.5")])),
        early_discount_percent=Decimal(2), early_discount_until=date(2026, 11, 11),
    )  # fmt: skip
    return final(lines, terms, currency)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(), st.sampled_from(Syntax), st.booleans())
def test_a_generated_corpus_is_valid(
    schematron: Schematron, made: Invoice, syntax: Syntax, credit: bool
) -> None:
    document = of_invoice(made)
    if credit:
        document = replace(document, type_code=CREDIT_NOTE, corrects=("INV-000000", date(2026, 10, 1)))
    assert missing(document, SELLER) == []
    assert schematron.failures(einvoice(document, SELLER, syntax, SLIP), syntax.value) == []


@pytest.mark.parametrize("syntax", Syntax)
def test_what_is_outside_the_scope_of_tax_is_valid_too(schematron: Schematron, syntax: Syntax) -> None:
    tax = Tax("", Decimal(0), TaxCategory.OUTSIDE_SCOPE)
    made = final([Line("Spende", Decimal(1), Money(500, "EUR"), Decimal(0), taxes=(tax,))], Terms())
    assert schematron.failures(einvoice(of_invoice(made), SELLER, syntax), syntax.value) == []


@pytest.mark.parametrize("syntax", Syntax)
def test_the_oracle_finds_a_wrong_sum(schematron: Schematron, syntax: Syntax) -> None:
    """The negative control."""
    made = final([Line("Seil", Decimal(1), Money(10_000, "EUR"), Decimal(19))], Terms())
    xml = einvoice(of_invoice(made), SELLER, syntax)
    assert schematron.failures(xml, syntax.value) == []
    assert any(
        "BR-CO-15" in one for one in schematron.failures(xml.replace(b"119.00", b"119.01"), syntax.value)
    )


def test_what_is_missing_is_named() -> None:
    made = final([Line("Seil", Decimal(1), Money(10_000, "EUR"), Decimal(19))], Terms())
    document = replace(of_invoice(made), buyer=replace(BUYER, country=""))
    assert missing(document, replace(SELLER, tax_id="")) == ["the customer's country", "your tax id"]
    with pytest.raises(ValueError, match="your tax id"):
        einvoice(document, replace(SELLER, tax_id=""), Syntax.CII)
