"""The receipt of a payment as a PDF, in the payer's language: every invoice it paid, and what went back since."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from chassis.papers.printing import Logo, print_paper
from chassis.papers.writing import Words, Writer
from services.payments.domain.case import Case, Organization
from services.payments.domain.payment import Method, Payment
from services.payments.domain.refund import Destination, Refund

TEMPLATE: Final = Path(__file__).parents[1] / "templates" / "receipt.typ"
WORDS: Final = TEMPLATE.parent / "words"
DEFAULT_COLOR: Final = "#1f3a5f"
REVERSAL_SUFFIX: Final = "-S"
"""Ends the number of the counter-document that takes a receipt back."""
_LETTER_LOCALES = frozenset({"US", "CA", "MX", "PH", "CL", "CO"})
_DESTINATIONS = {
    Destination.METHOD: "to_method",
    Destination.CREDIT: "to_account_credit",
    Destination.MANUAL: "by_hand",
}


def number_of(payment: Payment) -> str:
    """The receipt's, or that of the document that takes it back."""
    return payment.receipt_number + (REVERSAL_SUFFIX if payment.return_code else "")


async def receipt_pdf(
    case: Case,
    payer_name: str,
    payer_locale: str,
    given_back: Sequence[Refund],
    *,
    at: datetime,
    logo: Logo | None = None,
) -> bytes:
    """The document; `given_back` are the refunds that hold. The same data and moment give the same bytes."""
    writer = Writer(WORDS, payer_locale, case.organization.locale)
    data = document(case, payer_name, given_back, writer)
    data["logo"] = logo.shown() if logo is not None else None
    printed = await print_paper(TEMPLATE, data, at=at)
    return printed.pdf


def document(case: Case, payer_name: str, given_back: Sequence[Refund], writer: Writer) -> dict[str, Any]:
    """Everything the template shows, as texts of the reader's locale."""
    payment, organization = case.payment, case.organization
    number = number_of(payment)
    returned_on = writer.day(organization.day_of(payment.returned_at)) if payment.returned_at else ""
    reversal = (
        writer.say("reversal", day=returned_on, code=payment.return_code, number=payment.receipt_number)
        if payment.return_code
        else None
    )
    return _letterhead(organization, writer, title=writer.word("receipt_titled", number=number)) | {
        "number": number,
        "state": writer.say(_state(payment)),
        "reversal": reversal,
        "reversed_on": returned_on if reversal else "",
        "received_on": writer.day(payment.received_on or payment.created_at.date()),
        "payer": payer_name,
        "method": payment.method_summary or writer.word(f"method_{payment.method.value}"),
        "note": payment.note if payment.method is not Method.EXTERNAL else "",
        "payment_id": payment.payment_id,
        "total": writer.money(payment.amount),
        "lines": _lines(payment, writer),
        "given_back": [
            {
                "day": writer.day(organization.day_of(one.created_at)),
                "where": writer.say(_DESTINATIONS[one.destination]),
                "amount": writer.money(one.amount),
                "lines": [_line_words(line.description, line.quantity) for line in one.lines],
            }
            for one in given_back
        ],
        "left": writer.money(payment.amount - payment.refunded),
    }


def _lines(payment: Payment, writer: Writer) -> list[dict[str, str | Words]]:
    """What the money was used for, and what came to it or was taken off."""
    paid = [
        (writer.say("invoice_numbered", number=part.invoice_number or part.invoice_id), part.amount)
        for part in payment.parts
    ]
    extras = [
        (writer.say(key), amount)
        for key, amount in (
            ("to_credit", payment.funds + payment.credit_used - payment.parts_total),
            ("discount" if payment.surcharge.is_negative else "surcharge", payment.surcharge),
            ("credit_used", -payment.credit_used),
        )
        if not amount.is_zero
    ]
    return [{"name": name, "amount": writer.money(amount)} for name, amount in (*paid, *extras)]


def _letterhead(organization: Organization, writer: Writer, *, title: str) -> dict[str, Any]:
    color = organization.primary_color
    territory = organization.locale.replace("_", "-").rpartition("-")[2].upper()
    return {
        "title": title,
        "paper": "us-letter" if territory in _LETTER_LOCALES else "a4",
        "language": writer.language,
        "second_language": writer.second_language,
        "right_to_left": writer.is_right_to_left,
        "color": color if re.fullmatch(r"#[0-9a-fA-F]{6}", color) else DEFAULT_COLOR,
        "logo": None,
        "attachment": None,
        "seller": {
            "name": organization.name,
            "display_name": organization.name,
            "lines": list(organization.address_lines),
            "tax_id": organization.tax_id,
            "email": organization.contact_email,
            "phone": "",
        },
        "words": writer.words(),
    }


def _state(payment: Payment) -> str:
    if payment.disputed_minor_units:
        return "state_disputed"
    if not payment.refunded_minor_units:
        return "state_paid"
    return "state_refunded" if payment.refunded >= payment.amount else "state_partly_refunded"


def _line_words(description: str, quantity: Decimal | None) -> str:
    return description if quantity is None else f"{description} × {quantity.normalize():f}"
