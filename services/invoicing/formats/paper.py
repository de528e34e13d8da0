"""What all documents have in common: whose they are, how they look, and how they are printed."""

import asyncio
import io
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import segno

from chassis.papers import printing
from services.invoicing.domain.invoice import Buyer
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.transfer_slip import TransferSlip
from services.invoicing.formats.factur_x import NAME, with_factur_x
from services.invoicing.formats.wording import Writer

MEDIA_TYPE = "application/pdf"
DEFAULT_COLOR = "#1f3a5f"
_TEMPLATES = Path(__file__).parent.parent / "templates"
_LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "PH", "CL", "CO"})


async def print_paper(
    template: str, data: dict[str, Any], *, at: datetime, xml: bytes | None = None
) -> bytes:
    """The document as PDF/A-3 and PDF/UA, with the e-invoice inside if there is one (Factur-X). It always comes out; a
    plain PDF, if it must be, has the e-invoice attached.
    """
    attachment = None if xml is None else {"name": NAME, "text": xml.decode()}
    printed = await printing.print_paper(_TEMPLATES / template, data | {"attachment": attachment}, at=at)
    if xml is None or not printed.is_archivable:
        return printed.pdf
    return await asyncio.to_thread(with_factur_x, printed.pdf)


def letterhead(organization: Organization, writer: Writer, *, title: str) -> dict[str, Any]:
    """What every template reads: paper, colours, sender, words."""
    color = organization.brand_color
    return {
        "title": title,
        "paper": "us-letter" if organization.country in _LETTER_COUNTRIES else "a4",
        "language": writer.language,
        "second_language": writer.second_language,
        "right_to_left": writer.is_right_to_left,
        "color": color if re.fullmatch(r"#[0-9a-fA-F]{6}", color) else DEFAULT_COLOR,
        "logo": printing.Logo(organization.logo, organization.logo_media_type).shown(),
        "seller": _seller(organization, writer),
        "words": writer.words(),
    }


def party(buyer: Buyer, writer: Writer) -> dict[str, Any]:
    """Whom it is for."""
    name = buyer.legal_name or buyer.name
    return {
        "name": name,
        "lines": [*buyer.address_lines, *_town_of(buyer), writer.country(buyer.country)],
        "tax_id": buyer.tax_id or next((value for _, value in buyer.tax_ids), ""),
    }


def transfer(slip: TransferSlip) -> dict[str, Any]:
    """The box that tells where to transfer money to."""
    payload = slip.epc_qr_payload
    is_iban = _is_iban(slip.account_number)
    return {
        "holder": slip.account_holder,
        "is_iban": is_iban,
        "account": _in_groups(slip.account_number) if is_iban else slip.account_number,
        "bic": slip.bic,
        "bank": slip.bank_name,
        "reference": _in_groups(slip.reference),
        "qr": _qr_svg(payload) if payload else "",
    }


def file_name(kind: str, number: str, otherwise: str, *, ending: str = "pdf") -> str:
    """A name that every file system takes."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", number).strip("-.")
    return f"{kind}-{safe or otherwise}.{ending}"


def _town_of(buyer: Buyer) -> Sequence[str]:
    return [town] if (town := _town(buyer.city, buyer.region, buyer.postal_code, buyer.country)) else []


def _seller(organization: Organization, writer: Writer) -> dict[str, Any]:
    town = _town(organization.city, organization.region, organization.postal_code, organization.country)
    lines = (*organization.address_lines, town, writer.country(organization.country))
    return {
        "name": organization.name,
        "display_name": organization.display_name,
        "lines": [line for line in lines if line],
        "tax_id": organization.tax_id,
        "email": organization.contact_email,
        "phone": organization.contact_phone,
    }


def _town(city: str, region: str, postal_code: str, country: str) -> str:
    """As the country writes it: the code after the town in the Americas and where English is at home."""
    if country in _LETTER_COUNTRIES | {"GB", "IE", "AU", "NZ", "IN", "SA", "AE"}:
        parts = (f"{city}," if city and region else city, region, postal_code)
    else:
        parts = (postal_code, f"{city}," if city and region else city, region)
    return " ".join(part for part in parts if part)


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
