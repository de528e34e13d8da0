"""The invoice as a PDF: what the template shows, written in the reader's locale."""

import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import segno
import structlog
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal

from chassis.money import Money, format_money
from chassis.pdf import PdfError, render_pdf_in_thread
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line
from services.invoicing.domain.transfer_slip import TransferSlip

TEMPLATE = Path(__file__).parent.parent / "templates" / "invoice.typ"
MEDIA_TYPE = "application/pdf"
DEFAULT_LOCALE = "en-US"
DEFAULT_COLOR = "#1f3a5f"

_LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "PH", "CL", "CO"})
_LOGO_FORMATS = {"image/svg+xml": "svg", "image/png": "png"}
_STAMPS = {Status.DRAFT: "Draft", Status.PAID: "Paid", Status.VOID: "Void"}
_log = structlog.get_logger(__name__)


def file_name_of(invoice: Invoice) -> str:
    """A name that every file system takes."""
    number = re.sub(r"[^A-Za-z0-9._-]+", "-", invoice.number or "").strip("-.")
    return f"invoice-{number or invoice.invoice_id}.pdf"


async def invoice_pdf(
    invoice: Invoice,
    organization: Organization,
    *,
    locale: str,
    today: date,
    slip: TransferSlip | None = None,
) -> bytes:
    """The document, with a box for transfers if there is a slip.

    The same invoice and slip give the same bytes on the same day; a logo that cannot be drawn is left out, and
    characters that no font has are shown as boxes."""
    data = document(invoice, organization, locale=locale, today=today, slip=slip)
    at = invoice.finalized_at or invoice.created_at
    try:
        return await render_pdf_in_thread(TEMPLATE, data, timestamp=at)
    except PdfError as error:
        if not data["logo"]:
            raise
        _log.warning("pdf.logo_left_out", organization_id=organization.organization_id, error=str(error))
        return await render_pdf_in_thread(TEMPLATE, data | {"logo": None}, timestamp=at)


def document(
    invoice: Invoice,
    organization: Organization,
    *,
    locale: str,
    today: date,
    slip: TransferSlip | None = None,
) -> dict[str, Any]:
    """Everything the template shows, as texts of the reader's locale."""
    writer = _Writer(locale, organization.locale)
    return {
        "paper": "us-letter" if organization.country in _LETTER_COUNTRIES else "a4",
        "language": writer.language,
        "color": _color(organization.brand_color),
        "logo": _logo(organization),
        "seller": _seller(organization, writer),
        "buyer": {
            "name": invoice.buyer.name,
            "lines": [*invoice.buyer.address_lines, writer.country(invoice.buyer.country)],
            "tax_id": invoice.buyer.tax_id,
        },
        "number": invoice.number or "",
        "stamp": _STAMPS.get(invoice.status, ""),
        "invoice_date": writer.day(invoice.invoice_date),
        "due_date": writer.day(invoice.due_date),
        "days_overdue": invoice.days_overdue(today),
        "purchase_order_number": invoice.purchase_order_number,
        "memo": invoice.memo,
        "has_tax": any(line.tax_rate_percent for line in invoice.lines),
        "lines": [_line(line, writer) for line in invoice.lines],
        "subtotal": writer.money(invoice.subtotal),
        "taxes": [
            {
                "rate": writer.number(tax.rate_percent),
                "taxable": writer.money(tax.taxable),
                "tax": writer.money(tax.tax),
            }
            for tax in invoice.taxes()
            if tax.rate_percent
        ],
        "total": writer.money(invoice.total),
        "paid": "" if invoice.paid.is_zero else writer.money(invoice.paid),
        "credited": "" if invoice.credited.is_zero else writer.money(invoice.credited),
        "due": writer.money(invoice.due),
        "is_payable": invoice.is_payable,
        "transfer": _transfer(slip) if slip is not None else None,
        "currency": invoice.currency,
    }


def _seller(organization: Organization, writer: "_Writer") -> dict[str, Any]:
    town = " ".join(
        part
        for part in (
            f"{organization.city}," if organization.city and organization.region else organization.city,
            organization.region,
            organization.postal_code,
        )
        if part
    )
    return {
        "name": organization.name,
        "display_name": organization.display_name,
        "lines": [
            line for line in (*organization.address_lines, town, writer.country(organization.country)) if line
        ],
        "tax_id": organization.tax_id,
        "email": organization.contact_email,
        "phone": organization.contact_phone,
    }


def _line(line: Line, writer: "_Writer") -> dict[str, str]:
    return {
        "description": line.description,
        "quantity": writer.number(line.quantity),
        "unit_price": writer.money(line.unit_price),
        "tax_rate": f"{writer.number(line.tax_rate_percent)} %" if line.tax_rate_percent else "–",
        "amount": writer.money(line.amount),
    }


def _logo(organization: Organization) -> dict[str, Any] | None:
    kind = _LOGO_FORMATS.get(organization.logo_media_type)
    if not organization.logo or kind is None:
        return None
    return {"format": kind, "bytes": list(organization.logo)}


def _transfer(slip: TransferSlip) -> dict[str, Any]:
    payload = slip.epc_qr_payload
    return {
        "holder": slip.account_holder,
        "is_iban": _is_iban(slip.account_number),
        "account": _in_groups(slip.account_number) if _is_iban(slip.account_number) else slip.account_number,
        "bic": slip.bic,
        "bank": slip.bank_name,
        "reference": _in_groups(slip.reference),
        "qr": _qr_svg(payload) if payload else "",
    }


def _qr_svg(payload: str) -> str:
    """The code with its quiet zone; level M, as the standard of the code for transfers wants."""
    code = segno.make_qr(payload.encode(), error="m", boost_error=False)
    picture = io.BytesIO()
    code.save(picture, kind="svg", border=4, xmldecl=False, light="#fff", omitsize=True)
    return picture.getvalue().decode()


def _is_iban(number: str) -> bool:
    """Payments has checked it: it begins with country and check digits."""
    return re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", number) is not None


def _in_groups(text: str) -> str:
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _color(text: str) -> str:
    return text if re.fullmatch(r"#[0-9a-fA-F]{6}", text) else DEFAULT_COLOR


class _Writer:
    """Writes amounts, numbers and days as a reader of the locale expects them."""

    def __init__(self, *wanted: str) -> None:
        self._tag = next((tag for tag in wanted if tag and _can_write(tag)), DEFAULT_LOCALE)
        self._locale = _parse(self._tag)
        self.language: str = self._locale.language

    def money(self, money: Money) -> str:
        return format_money(money, self._tag)

    def number(self, number: Decimal) -> str:
        text: str = format_decimal(number.normalize(), locale=self._locale, decimal_quantization=False)
        return text

    def day(self, day: date) -> str:
        return format_date(day, format="long", locale=self._locale)

    def country(self, code: str) -> str:
        return str(self._locale.territories.get(code, code))


def _parse(tag: str) -> Locale:
    return Locale.parse(tag.replace("-", "_"))


def _can_write(tag: str) -> bool:
    """Whether the locale is known and our font has its signs: Latin, Greek and Cyrillic."""
    try:
        locale = _parse(tag)
    except (ValueError, UnknownLocaleError):
        return False
    sample = format_date(date(2026, 5, 1), format="long", locale=locale)
    sample += format_decimal(Decimal("1234567890.5"), locale=locale)
    return all(sign < "\u0530" or "\u2000" <= sign <= "\u206f" for sign in sample)
