"""The receipt on paper, in every language, and what it says once money went back."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pypdf
import pytest

from chassis.money import Money
from chassis.papers.writing import catalogue, languages
from services.payments.domain.case import Case, Organization
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Method, Part, Payment
from services.payments.domain.refund import Destination, Refund, RefundLine, RefundStatus
from services.payments.formats.receipt_pdf import WORDS, receipt_pdf

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SELLER = Organization(
    organization_id="org_1", name="Harbor Supply GmbH", locale="de-DE", primary_color="#0a5c7d",
    address_lines=("Kai 7", "20457 Hamburg"), tax_id="DE136695976", contact_email="kasse@harbor.example",
)  # fmt: skip


def eur(cents: int) -> Money:
    return Money(cents, "EUR")


def paid() -> Payment:
    return Payment(
        payment_id="pay_01kxyz", customer_id="cus_1", status=Status.SUCCEEDED, amount=eur(12_200),
        parts=(Part("inv_1", eur(10_000), "INV-000041"), Part("inv_2", eur(3_000), "INV-000042")),
        method=Method.CARD, initiated_by="Ada", created_at=NOW, finished_at=NOW, receipt_no=7,
        received_on=date(2026, 11, 21), method_summary="Visa 4242", surcharge_minor_units=200,
        credit_used_minor_units=1_000,
    )  # fmt: skip


def refund() -> Refund:
    line = RefundLine(
        invoice_id="inv_1", line_no=1, description="Oak table", quantity=Decimal(1), amount=eur(4_000)
    )
    return Refund(
        refund_id="ref_1", payment_id="pay_01kxyz", customer_id="cus_1", amount=eur(4_000), surcharge=eur(0),
        parts=(), destination=Destination.MANUAL, forgives=False, status=RefundStatus.SUCCEEDED, reason="",
        requested_by="Ada", created_at=NOW, lines=(line,),
    )  # fmt: skip


async def text_of(
    payment: Payment, locale: str, given_back: Sequence[Refund] = (), name: str = "Änne"
) -> str:
    case = Case(organization=SELLER, payment=payment)
    pdf = await receipt_pdf(case, name, locale, given_back, at=NOW)
    assert b"pdfuaid" in pdf
    (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(page.extract_text().split())


@pytest.mark.parametrize(
    ("locale", "wanted"),
    [
        ("en-GB", ("Receipt", "PAID", "Invoice INV-000041", "€100.00", "Surcharge", "-€10.00", "21 November 2026")),
        ("de-DE", ("Zahlungsbeleg", "BEZAHLT", "Rechnung INV-000041", "100,00 €", "Zuschlag", "21. November 2026")),
        ("fr-FR", ("Reçu", "PAYÉ", "Facture INV-000041", "100,00 €", "Supplément", "21 novembre 2026")),
        ("ar", ("INV-000041", "R-000007")),
        ("ja-JP", ("Zahlungsbeleg", "Rechnung INV-000041")),
    ],
)  # fmt: skip
async def test_it_is_written_for_the_payer_else_as_the_organization_writes(
    locale: str, wanted: Sequence[str]
) -> None:
    text = await text_of(paid(), locale)
    for words in (*wanted, "R-000007", "Harbor Supply GmbH", "Visa 4242", "pay_01kxyz"):
        assert words in text, words


async def test_what_was_given_back_and_what_is_left_stand_below() -> None:
    partly = replace(paid(), refunded_minor_units=4_000)
    text = await text_of(partly, "en-GB", [refund()])
    for words in ("PARTLY REFUNDED", "Given back", "Oak table × 1", "by hand", "€82.00"):
        assert words.lower() in text.lower(), words


async def test_a_returned_debit_has_a_document_that_takes_the_receipt_back() -> None:
    returned = replace(paid(), return_code="AC04", returned_at=NOW)
    text = await text_of(returned, "de-DE")
    for words in ("Stornobeleg", "R-000007-S", "AC04", "nimmt den Zahlungsbeleg R-000007 zurück"):
        assert words in text, words


async def test_a_name_that_no_font_has_never_costs_a_receipt() -> None:
    assert "□" in await text_of(paid(), "en-GB", name="\N{EGYPTIAN HIEROGLYPH A001} & Sons")


def test_every_language_says_the_same() -> None:
    def shape(language: str) -> dict[str, list[str]]:
        return {key: sorted(re.findall(r"{\w+}", text)) for key, text in catalogue(WORDS, language).items()}

    assert {"en", "de", "fr", "ar"} <= languages(WORDS)
    for language in languages(WORDS):
        assert shape(language) == shape("en"), language
