"""Shades of an organization's colour that stay readable on light and on dark pages.

Lightness moves in OKLab, so a shade keeps its hue; contrast is WCAG's.
"""

import re
from dataclasses import dataclass

DEFAULT = "#1f4f7a"
TEXT_CONTRAST = 4.5
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_LIGHT_PAGE = "#f5f6f8"
_DARK_SURFACE = "#181c23"
_INK = "#10151d"
_BLACK = "#000000"
_WHITE = "#ffffff"

_Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shades:
    """What the brand stylesheet sets, for one of the two themes."""

    fill: str
    """Buttons and marks."""
    on_fill: str
    """Text on fill: at least 4.5 to 1."""
    fill_strong: str
    """Buttons under the pointer."""
    text: str
    """Links and headings on pages and cards: at least 4.5 to 1."""
    wash: str
    """Quiet backgrounds."""


def shades(color: str) -> tuple[Shades, Shades]:
    """Shades for light and for dark pages; an unusable colour becomes the default."""
    brand = color.lower() if _HEX.fullmatch(color) else DEFAULT
    return _light(brand), _dark(brand)


def _light(brand: str) -> Shades:
    return Shades(
        fill=brand,
        on_fill=_best_on(brand),
        fill_strong=_pressed(brand),
        text=_readable(brand, _LIGHT_PAGE, -0.02),
        wash=_mixed(brand, _WHITE, 0.08),
    )


def _dark(brand: str) -> Shades:
    text = _readable(brand, _DARK_SURFACE, 0.02, 6.5)
    fill = brand if contrast(brand, _DARK_SURFACE) >= 3 else _readable(brand, _DARK_SURFACE, 0.02)
    return Shades(
        fill=fill,
        on_fill=_best_on(fill),
        fill_strong=_pressed(fill),
        text=text,
        wash=_mixed(brand, _DARK_SURFACE, 0.22),
    )


def contrast(one: str, other: str) -> float:
    """WCAG contrast of two #rrggbb colours, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _pressed(fill: str) -> str:
    """Away from the text's colour, so that the text stays readable."""
    return _shifted(fill, -0.06 if _best_on(fill) == _WHITE else 0.05)


def _best_on(fill: str) -> str:
    return _WHITE if contrast(_WHITE, fill) >= TEXT_CONTRAST else _BLACK


def _readable(color: str, background: str, step: float, wanted: float = TEXT_CONTRAST + 0.2) -> str:
    for _ in range(50):
        if contrast(color, background) >= wanted:
            return color
        color = _shifted(color, step)
    return _INK if step < 0 else _WHITE


def _shifted(color: str, lightness: float) -> str:
    light, a, b = _oklab(color)
    return _hex(_rgb((min(1.0, max(0.0, light + lightness)), a, b)))


def _mixed(color: str, other: str, share: float) -> str:
    one, two = _oklab(color), _oklab(other)
    light, a, b = (x * share + y * (1 - share) for x, y in zip(one, two, strict=True))
    return _hex(_rgb((light, a, b)))


def _channels(color: str) -> _Triple:
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return red, green, blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _encoded(value: float) -> float:
    value = min(1.0, max(0.0, value))
    return value * 12.92 if value <= 0.0031308 else float(1.055 * value ** (1 / 2.4) - 0.055)


def _luminance(color: str) -> float:
    red, green, blue = _channels(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklab(color: str) -> _Triple:
    r, g, b = _channels(color)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _rgb(lab: _Triple) -> _Triple:
    light, a, b = lab
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _hex(rgb: _Triple) -> str:
    return "#" + "".join(f"{round(_encoded(value) * 255):02x}" for value in rgb)
