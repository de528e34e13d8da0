"""Our own icons, put into pages inline. The drawings are the symbols of icons.svg."""

import re
from pathlib import Path

from markupsafe import Markup, escape

_SYMBOL = re.compile(r'<symbol id="([a-z-]+)">(.*)</symbol>')
_DRAWINGS = dict(_SYMBOL.findall(Path(__file__).with_name("icons.svg").read_text(encoding="utf-8")))
_FLIPPED = frozenset({"arrow", "chevron", "sign-out"})


def names() -> list[str]:
    """Every icon, for the components page."""
    return sorted(_DRAWINGS)


def icon(name: str, label: str = "", size: int = 20) -> Markup:
    """Inline SVG; hidden from screen readers unless it has a label. KeyError for an unknown name."""
    classes = "icon icon-flip" if name in _FLIPPED else "icon"
    meaning = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(  # noqa: S704 - the drawings are ours, the label is escaped
        f'<svg class="{classes}" width="{size}" height="{size}" viewBox="0 0 20 20" fill="none" '
        f'stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" '
        f'focusable="false" {meaning}>{_DRAWINGS[name]}</svg>'
    )
