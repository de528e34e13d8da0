"""How an organization looks in its mails."""

from dataclasses import dataclass
from typing import Final

_DARKEST_LUMINANCE_WITH_BLACK_TEXT: Final = 0.1791
"""Where white and black text have the same contrast: (L + 0.05)^2 = 1.05 * 0.05."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """As identity last told it. `logo` is a PNG or empty: mail programs do not show SVG."""

    organization_id: str
    name: str
    display_name: str
    primary_color: str
    logo: bytes
    locale: str
    contact_email: str
    contact_phone: str
    version: int

    @property
    def text_color(self) -> str:
        """White or black, whichever reads better on the main colour."""
        channels = (int(self.primary_color[index : index + 2], 16) / 255 for index in (1, 3, 5))
        red, green, blue = (_linear(channel) for channel in channels)
        luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        return "#000000" if luminance > _DARKEST_LUMINANCE_WITH_BLACK_TEXT else "#ffffff"


def _linear(channel: float) -> float:
    linear: float = channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
    return linear
