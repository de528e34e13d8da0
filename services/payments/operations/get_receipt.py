"""The receipt of a succeeded payment as a PDF: numbered, unchanging, naming every invoice it paid."""

from dataclasses import dataclass
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
from services.payments.domain.payment import Method
from services.payments.operations.get_payment import check_visible
from services.payments.store import cases, copies
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
        payer = await _payer(tx, case)
    return await render_receipt(case, payer)


async def get_receipt_delivery(desk: Desk, organization_id: str, payment_id: str) -> Document:
    """For the mail that another service sends."""
    async with desk.db.read(organization_id) as tx:
        case = await cases.load(tx, payment_id)
        payer = await _payer(tx, case)
    return await render_receipt(case, payer)


async def render_receipt(case: Case, payer: Payer | None) -> Document:
    """The same bytes each time. RECEIPT_NOT_READY until the money is there; reversed once a bank debit came back."""
    payment = case.payment
    if payment.receipt_no is None or payment.finished_at is None:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "RECEIPT_NOT_READY",
            "There is no receipt: this payment has not succeeded.",
        )
    data = receipt_data(case, payer)
    timestamp = payment.returned_at or payment.finished_at
    content = await render_pdf_in_thread(TEMPLATE, data, timestamp=timestamp)
    return Document(f"receipt-{data['number']}.pdf", content)


def receipt_data(case: Case, payer: Payer | None) -> dict[str, Any]:
    """What the template prints, ready for its reader: amounts and days in the payer's way of writing."""
    payment, organization = case.payment, case.organization
    locale = (payer.locale if payer else "") or organization.locale or FALLBACK_LOCALE
    applied = sum((part.amount for part in payment.parts), start=Money.zero(payment.amount.currency))
    rest = payment.amount - applied
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
        "credit": _money(rest, locale) if not rest.is_zero else "",
        "total": _money(payment.amount, locale),
        "note": payment.note if payment.method is not Method.EXTERNAL else "",
    }


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
