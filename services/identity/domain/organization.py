"""Organizations and how they look: what may be said about them, and which colours people can read."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError

from chassis.errors import ServiceError, invalid
from chassis.money import exponent_of

NEUTRAL_COLOR: Final = "#1f4e79"
MINIMUM_CONTRAST: Final = 4.5
"""WCAG 2.2 AA for normal text."""
MAX_LOGO_BYTES: Final = 64 * 1024
LOGO_MEDIA_TYPES: Final = ("image/svg+xml", "image/png")

_COLOR: Final = re.compile(r"\A#[0-9a-fA-F]{6}\Z")
_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_SVG_DANGER: Final = re.compile(rb"<script|<foreignObject|\son[a-z]+\s*=|javascript:|<!ENTITY", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """How an organization looks to its customers. An empty logo means that the name stands alone."""

    display_name: str
    primary_color: str = NEUTRAL_COLOR
    logo: bytes = b""
    logo_media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """As on invoices; `country` is ISO 3166-1 alpha-2 or empty."""

    lines: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A business that sends invoices. `version` counts its OrganizationChanged events."""

    organization_id: str
    slug: str
    name: str
    currency: str
    time_zone: str
    locale: str
    brand: Brand
    live_mode: bool
    created_at: datetime
    address: PostalAddress = field(default_factory=PostalAddress)
    tax_id: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    version: int = 1


def check_organization(organization: Organization) -> None:
    """Refuses what the contract's field rules cannot know: INVALID_ARGUMENT naming the field."""
    try:
        exponent_of(organization.currency)
    except ValueError:
        raise invalid("currency", "unknown_currency", "This currency is not in ISO 4217.") from None
    if organization.time_zone not in available_timezones():
        raise invalid("time_zone", "unknown_time_zone", "This is not a time zone of the IANA database.")
    check_locale("locale", organization.locale)
    check_brand(organization.brand)


def check_locale(field_name: str, locale: str) -> None:
    """Refuses a language that no text could be formatted in."""
    try:
        Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        raise invalid(field_name, "unknown_locale", "This is not a language that we know.") from None


def check_brand(brand: Brand) -> None:
    """Refuses colours nobody can read text on, and logos that are too large or could run script."""
    if not brand.display_name.strip():
        raise invalid("brand.display_name", "required", "The brand needs a name.")
    if not _COLOR.match(brand.primary_color):
        raise invalid("brand.primary_color", "not_a_color", "Write the colour as #rrggbb.")
    if best_contrast(brand.primary_color) < MINIMUM_CONTRAST:
        raise invalid(
            "brand.primary_color",
            "low_contrast",
            "Neither white nor black text can be read on this colour (contrast below 4.5 to 1).",
        )
    if brand.logo:
        _check_logo(brand)
    elif brand.logo_media_type:
        raise invalid("brand.logo_media_type", "no_logo", "There is a media type but no logo.")


def _check_logo(brand: Brand) -> None:
    if len(brand.logo) > MAX_LOGO_BYTES:
        raise invalid("brand.logo", "too_large", "A logo has at most 64 KiB.")
    if brand.logo_media_type not in LOGO_MEDIA_TYPES:
        raise invalid("brand.logo_media_type", "unsupported", "A logo is an SVG or a PNG.")
    if brand.logo_media_type == "image/png" and not brand.logo.startswith(_PNG_MAGIC):
        raise _not_an_image()
    if brand.logo_media_type == "image/svg+xml":
        if b"<svg" not in brand.logo[:2048]:
            raise _not_an_image()
        if _SVG_DANGER.search(brand.logo):
            raise invalid("brand.logo", "active_content", "The logo must not contain script.")


def _not_an_image() -> ServiceError:
    return invalid("brand.logo", "not_an_image", "The logo is not what its media type says.")


def best_contrast(color: str) -> float:
    """The better of the contrasts of white and of black text on this colour, 1 to 21."""
    luminance = relative_luminance(color)
    return max(1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05)


def relative_luminance(color: str) -> float:
    """WCAG's relative luminance of `#rrggbb`, 0 (black) to 1 (white)."""
    red, green, blue = (_linear(int(color[index : index + 2], 16) / 255) for index in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    linear: float = channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
    return linear
