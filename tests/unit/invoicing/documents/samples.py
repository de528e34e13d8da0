"""Invoices as they come in life, for whoever makes documents of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from chassis.money import Money
from services.invoicing.domain.credit_note import CreditLine, CreditNote, CreditReason, TaxCredit
from services.invoicing.domain.invoice import Buyer, Invoice, Status, Terms
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line, Tax, TaxCategory
from services.invoicing.domain.tax_correction import CorrectedGroup
from services.invoicing.domain.transfer_slip import TransferSlip
from services.invoicing.formats.credit_note_pdf import CreditNotePaper
from tests.unit.invoicing.test_invoice import NOW, invoice

TODAY = date(2026, 11, 22)
SELLER = Organization(
    organization_id="org_1", name="Hafen Handel GmbH", display_name="Hafen", currency="EUR",
    time_zone="Europe/Berlin", locale="de-DE", address_lines=("Am Kai 1",), city="Hamburg", region="",
    postal_code="20457", country="DE", tax_id="DE136695976", contact_email="kasse@hafen.example",
    contact_phone="+49 40 1234", brand_color="#0b6e69", logo=b"", logo_media_type="", version=1,
)  # fmt: skip
SAUDI_SELLER = replace(
    SELLER, name="Red Sea Trading Co.", display_name="Red Sea Trading", locale="en-US", currency="SAR",
    city="Jeddah", postal_code="21577", country="SA", tax_id="300000000000003",
)  # fmt: skip
BUYER = Buyer(
    "Blue Anchor", ("Elbchaussee 7",), "DE", "DE811907980", legal_name="Blue Anchor GmbH", city="Hamburg",
    postal_code="22765",
)  # fmt: skip
FRENCH_BUYER = Buyer(
    "Mützen SARL", ("12 rue du Port",), "FR", "FR40303265045", city="Paris", postal_code="75001"
)
SLIP = TransferSlip(
    account_holder="Hafen Handel GmbH", account_number="DE89370400440532013000", bic="COBADEFFXXX",
    bank_name="Bank", reference="RF18539007547034", epc_qr_payload="BCD\n002\n1\nSCT\nCOBADEFFXXX\nHafen",
)  # fmt: skip
VAT = (Tax("", Decimal(19), TaxCategory.STANDARD),)
REDUCED = (Tax("", Decimal(7), TaxCategory.STANDARD),)
REVERSE_CHARGE = (Tax("", Decimal(0), TaxCategory.REVERSE_CHARGE),)


def eur(cents: int) -> Money:
    return Money(cents, "EUR")


def final(
    lines: Sequence[Line], terms: Terms | None = None, *, buyer: Buyer = BUYER, currency: str = "EUR"
) -> Invoice:
    nothing = Money.zero(currency)
    draft = replace(
        invoice(), subtotal=nothing, tax_total=nothing, total=nothing, paid=nothing, reserved=nothing,
        credited=nothing, disputed=nothing, lines=(),
    )  # fmt: skip
    return draft.with_terms(terms or Terms()).with_lines(lines).finalized("INV-000042", buyer, NOW)


def plain() -> Invoice:
    """Two lines, a period, a discount for paying early."""
    lines = [
        Line("Tauwerk, 12 mm", Decimal("2.5"), eur(1_000), Decimal(19), taxes=VAT, sku="ROPE-12"),
        Line(
            "Wartung der Anlage", Decimal(1), eur(45_000), Decimal(19), taxes=VAT,
            period_start=date(2026, 11, 1), period_end=date(2026, 11, 30),
        ),
    ]  # fmt: skip
    return final(lines, Terms(early_discount_percent=Decimal(2), early_discount_until=date(2026, 12, 25)))


def discounted() -> Invoice:
    """Discounts on lines and on the whole, two rates, a part paid and a part credited."""
    lines = [
        Line("Rope", Decimal(10), eur(1_000), Decimal(19), taxes=VAT, discount_percent=Decimal(10)),
        Line("Book on knots", Decimal(3), eur(2_000), Decimal(7), taxes=REDUCED, discount_amount=eur(500)),
    ]
    made = final(lines, Terms(discount_percent=Decimal(5)))
    return replace(
        made, paid=eur(3_000), credited=eur(1_500), purchase_order_number="PO-2026-7788",
        memo="Thank you.\nDelivered to the boat house.", status=Status.PARTLY_PAID,
    )  # fmt: skip


def reverse_charge() -> Invoice:
    line = Line("Consulting", Decimal(8), eur(12_000), Decimal(0), taxes=REVERSE_CHARGE)
    return final([line], buyer=FRENCH_BUYER)


def american() -> Invoice:
    """Two taxes on one line, and one line that is exempt."""
    taxes = (
        Tax("State", Decimal("4.5"), TaxCategory.STANDARD),
        Tax("County", Decimal("3.875"), TaxCategory.STANDARD),
    )
    exempt = (Tax("", Decimal(0), TaxCategory.EXEMPT, "Certificate 4711"),)
    lines = [
        Line("Consulting", Decimal(8), Money(12_000, "USD"), Decimal("8.375"), taxes=taxes),
        Line("Freight", Decimal(1), Money(5_000, "USD"), Decimal(0), taxes=exempt),
    ]
    return final(lines, currency="USD", buyer=Buyer("Acme", ("1 Main St",), "US", ""))


def saudi() -> Invoice:
    line = Line(
        "Office chairs", Decimal(4), Money(35_000, "SAR"), Decimal(15),
        taxes=(Tax("VAT", Decimal(15), TaxCategory.STANDARD),),
    )  # fmt: skip
    buyer = Buyer(
        "شركة الأمل للتجارة",
        ("شارع الملك فهد ١٢",),
        "SA",
        "310000000000003",
        city="الرياض",
        postal_code="11564",
    )
    return final([line], currency="SAR", buyer=buyer)


def long(line_count: int) -> Invoice:
    return final(
        [
            Line(f"Item {at}: shackle, galvanized", Decimal(at), eur(137), Decimal(19), taxes=VAT)
            for at in range(1, line_count + 1)
        ]
    )


def credit_note_paper(*, locale: str = "de-DE") -> CreditNotePaper:
    """On a line of each rate of the discounted invoice; a part had been paid."""
    note = CreditNote(
        credit_note_id="crn_1", number="CN-000003", invoice_id="inv_1", invoice_number="INV-000042",
        customer_id="cus_1", subtotal=eur(2_400), tax=eur(398), total=eur(2_798), to_credit=eur(1_000),
        reason_code=CreditReason.RETURNED, reason="Two ropes and a book came back.",
        issued_on=date(2026, 11, 20), created_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
        lines=(
            CreditLine(1, "Rope", Decimal(2), eur(2_297)), CreditLine(2, "Book on knots", Decimal(0), eur(501)),
        ),
        taxes=(
            TaxCredit("", Decimal(7), eur(468), eur(33)), TaxCredit("", Decimal(19), eur(1_932), eur(365)),
        ),
    )  # fmt: skip
    return CreditNotePaper(
        note=note, invoice=discounted(), organization=SELLER, locale=locale,
        corrected=(
            CorrectedGroup(0, eur(468), (eur(33),)), CorrectedGroup(1, eur(1_932), (eur(365),)),
        ),
    )  # fmt: skip
