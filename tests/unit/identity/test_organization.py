"""What may be said about an organization."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chassis.errors import ServiceError
from services.identity.domain.organization import (
    MINIMUM_CONTRAST,
    NEUTRAL_COLOR,
    Brand,
    Organization,
    best_contrast,
    check_brand,
    check_organization,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h8v8z"/></svg>'
ORGANIZATION = Organization(
    organization_id="org_01k0000000000000000000000a",
    slug="harbor",
    name="Harbor Supply",
    currency="USD",
    time_zone="America/New_York",
    locale="en-US",
    brand=Brand(display_name="Harbor"),
    live_mode=False,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def refused_field(organization: Organization) -> str:
    with pytest.raises(ServiceError) as caught:
        check_organization(organization)
    return caught.value.fields[0].field


def test_a_decent_organization_is_taken() -> None:
    check_organization(ORGANIZATION)


def test_unknown_currency_zone_and_language_are_refused_by_name() -> None:
    assert refused_field(replace(ORGANIZATION, currency="XYZ")) == "currency"
    assert refused_field(replace(ORGANIZATION, time_zone="Mars/Olympus")) == "time_zone"
    assert refused_field(replace(ORGANIZATION, locale="!!")) == "locale"


@pytest.mark.parametrize("color", [NEUTRAL_COLOR, "#000000", "#FFFFFF", "#ffcc00", "#0a7d5a", "#777777"])
def test_every_color_reads_with_white_or_with_black_text(color: str) -> None:
    assert best_contrast(color) >= MINIMUM_CONTRAST
    check_brand(Brand(display_name="Harbor", primary_color=color))


def test_white_on_black_has_the_contrast_of_the_standard() -> None:
    assert best_contrast("#000000") == pytest.approx(21.0)
    assert best_contrast("#ffffff") == pytest.approx(21.0)


@pytest.mark.parametrize("color", ["red", "#fff", "#12345g", "rgb(0,0,0)"])
def test_what_is_not_a_color_is_refused(color: str) -> None:
    assert refused_field(replace(ORGANIZATION, brand=Brand(display_name="x", primary_color=color))) == (
        "brand.primary_color"
    )


@pytest.mark.parametrize(("logo", "kind"), [(PNG, "image/png"), (SVG, "image/svg+xml")])
def test_png_and_svg_logos_are_taken(logo: bytes, kind: str) -> None:
    check_brand(Brand(display_name="Harbor", logo=logo, logo_media_type=kind))


@pytest.mark.parametrize(
    ("logo", "kind"),
    [
        (b"GIF89a", "image/gif"),
        (SVG, "image/png"),
        (PNG, "image/svg+xml"),
        (b"<svg><script>alert(1)</script></svg>", "image/svg+xml"),
        (b'<svg onload="x()"></svg>', "image/svg+xml"),
        (PNG + b"0" * 65536, "image/png"),
    ],
)
def test_logos_that_lie_are_too_large_or_could_run_script_are_refused(logo: bytes, kind: str) -> None:
    with pytest.raises(ServiceError):
        check_brand(Brand(display_name="Harbor", logo=logo, logo_media_type=kind))
