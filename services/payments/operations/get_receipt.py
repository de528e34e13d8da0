"""The receipt of a succeeded payment as a PDF: numbered, naming every invoice it paid and what went back since."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel.dates import format_date

from chassis.caller import current_call
from chassis.database import ReadTx
from chassis.errors import Kind, ServiceError
from chassis.money import Money, format_money
from chassis.pdf import render_pdf_in_thread
from services.payments.desk import Desk
from services.payments.domain.case import Case
from services.payments.domain.payment import Method, Payment
from services.payments.domain.refund import Destination, Refund
from services.payments.operations.get_payment import check_visible
from services.payments.store import cases, copies, refunds
from services.payments.store.copies import Payer

TEMPLATE = Path(__file__).parents[1] / "templates" / "receipt.typ"
FALLBACK_LOCALE = "en"
REVERSAL_SUFFIX = "-S"
"""Ends the number of the counter-document that takes a receipt back."""
_METHODS = {
    Method.CARD: "Card",
    Method.CASH: "Cash",
    Method.CHEQUE: "Cheque",
    Method.BANK_TRANSFER: "Bank transfer",
    Method.EXTERNAL: "Recorded in another system",
    Method.BANK_DEBIT: "Bank debit",
    Method.WALLET: "Wallet",
    Method.REDIRECT: "Payment service",
    Method.STABLECOIN: "Stablecoin",
    Method.CREDIT: "Credit",
    Method.CARD_TERMINAL: "Card terminal",
}


_DESTINATIONS = {
    Destination.METHOD: "to the card or account",
    Destination.CREDIT: "as credit on your account",
    Destination.MANUAL: "by hand",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A file to be saved or attached."""

    file_name: str
    content: bytes


async def get_receipt(desk: Desk, payment_id: str) -> Document:
    """For the caller, who must be allowed to see the payment."""
    call = current_call()
    async with desk.db.read(call.organization_id) as tx:
        case = await cases.load(tx, payment_id)
        check_visible(call, case.payment)
        payer, given_back = await _payer(tx, case), await _given_back(tx, case)
    return await render_receipt(case, payer, given_back)


async def get_receipt_delivery(desk: Desk, organization_id: str, payment_id: str) -> Document:
    """For the mail that another service sends."""
    async with desk.db.read(organization_id) as tx:
        case = await cases.load(tx, payment_id)
        payer, given_back = await _payer(tx, case), await _given_back(tx, case)
    return await render_receipt(case, payer, given_back)


async def render_receipt(case: Case, payer: Payer | None, given_back: Sequence[Refund]) -> Document:
    """The same bytes each time until money goes back. RECEIPT_NOT_READY until the money is there.

    Reversed once a bank debit came back; `given_back` are the refunds that hold.
    """
    payment = case.payment
    if payment.receipt_no is None or payment.finished_at is None:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "RECEIPT_NOT_READY",
            "There is no receipt: this payment has not succeeded.",
        )
    data = receipt_data(case, payer, given_back)
    timestamp = payment.returned_at or max((payment.finished_at, *(one.created_at for one in given_back)))
    content = await render_pdf_in_thread(TEMPLATE, data, timestamp=timestamp)
    return Document(f"receipt-{data['number']}.pdf", content)


def receipt_data(case: Case, payer: Payer | None, given_back: Sequence[Refund]) -> dict[str, Any]:
    """What the template prints, ready for its reader: amounts and days in the payer's way of writing."""
    payment, organization = case.payment, case.organization
    locale = (payer.locale if payer else "") or organization.locale or FALLBACK_LOCALE
    rest = payment.funds + payment.credit_used - payment.parts_total
    day = payment.received_on or payment.created_at.date()
    return {
        "organization": organization.name or "",
        "address": list(organization.address_lines),
        "tax_id": organization.tax_id,
        "contact_email": organization.contact_email,
        "color": organization.primary_color or "#1f2937",
        "number": payment.receipt_number + (REVERSAL_SUFFIX if payment.return_code else ""),
        "reverses": payment.receipt_number if payment.return_code else "",
        "reversed_on": _day(organization.day_of(payment.returned_at), locale) if payment.returned_at else "",
        "return_code": payment.return_code,
        "received_on": _day(day, locale),
        "payer": payer.name if payer else "",
        "method": payment.method_summary or _METHODS[payment.method],
        "payment_id": payment.payment_id,
        "lines": [
            {"invoice": part.invoice_number or part.invoice_id, "amount": _money(part.amount, locale)}
            for part in payment.parts
        ],
        "extras": [
            {"name": name, "amount": _money(amount, locale)}
            for name, amount in (
                ("Credit on your account", rest),
                ("Surcharge" if not payment.surcharge.is_negative else "Discount", payment.surcharge),
                ("Paid with credit", -payment.credit_used),
            )
            if not amount.is_zero
        ],
        "total": _money(payment.amount, locale),
        "state": _state(payment),
        "given_back": [
            {
                "day": _day(organization.day_of(one.created_at), locale),
                "where": _DESTINATIONS[one.destination],
                "amount": _money(one.amount, locale),
                "lines": [_line_words(line.description, line.quantity) for line in one.lines],
            }
            for one in given_back
        ],
        "left": _money(payment.amount - payment.refunded, locale),
        "note": payment.note if payment.method is not Method.EXTERNAL else "",
    }


def _state(payment: Payment) -> str:
    """In one word or two, beside the amount."""
    if payment.disputed_minor_units:
        return "Disputed"
    if not payment.refunded_minor_units:
        return "Paid"
    return "Refunded" if payment.refunded >= payment.amount else "Partly refunded"


def _line_words(description: str, quantity: Decimal | None) -> str:
    return description if quantity is None else f"{description} × {quantity.normalize():f}"


async def _given_back(tx: ReadTx, case: Case) -> list[Refund]:
    if not case.payment.refunded_minor_units:
        return []
    return [one for one in await refunds.of_payment(tx, case.payment.payment_id) if one.holds]


async def _payer(tx: ReadTx, case: Case) -> Payer | None:
    return await copies.payer(tx, case.payment.customer_id)


def _money(money: Money, locale: str) -> str:
    try:
        return format_money(money, locale)
    except (ValueError, LookupError):  # a language that babel does not know
        return format_money(money, FALLBACK_LOCALE)


def _day(day: Any, locale: str) -> str:
    try:
        return format_date(day, format="long", locale=locale.replace("-", "_"))
    except (ValueError, LookupError):
        return format_date(day, format="long", locale=FALLBACK_LOCALE)
