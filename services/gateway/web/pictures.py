"""Small pictures as inline SVG without styles, each with its figures in words for who cannot see it."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH = 1000
_BAR_HEIGHT = 28
_GAP = 4
_TREND_HEIGHT = 160


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a bar: `tone` is its class (aging-0 to aging-4, or a status tone), `text` its figure in words."""

    label: str
    value: int
    text: str
    tone: str


def stacked_bar(shares: Sequence[Share], title: str) -> Markup:
    """One bar whose parts are proportional to their values; empty parts are left out."""
    present = [share for share in shares if share.value > 0]
    total = sum(share.value for share in present)
    words = ", ".join(f"{share.label}: {share.text}" for share in shares)
    room = _WIDTH - _GAP * max(0, len(present) - 1)
    drawn, at = [], 0.0
    for share in present:
        width = max(6.0, room * share.value / total)
        drawn.append(
            f'<rect class="share {escape(share.tone)}" x="{at:.1f}" y="0" width="{width:.1f}" '
            f'height="{_BAR_HEIGHT}"><title>{escape(share.label)}: {escape(share.text)}</title></rect>'
        )
        at += width + _GAP
    if not drawn:
        drawn.append(f'<rect class="share empty" width="{_WIDTH}" height="{_BAR_HEIGHT}"/>')
    return Markup(  # noqa: S704 - every text is escaped
        f'<svg class="bar" viewBox="0 0 {max(_WIDTH, at - _GAP):.0f} {_BAR_HEIGHT}" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(title)}. {escape(words)}">{"".join(drawn)}</svg>'
    )


def trend(values: Sequence[int], title: str, text: str) -> Markup:
    """Columns over time, the oldest first; `text` says what they show."""
    top = max([*values, 1])
    count = max(1, len(values))
    step = _WIDTH / count
    columns = []
    for index, value in enumerate(values):
        height = 0 if value <= 0 else max(3.0, (_TREND_HEIGHT - 4) * value / top)
        kind = "column last" if index == count - 1 else "column"
        columns.append(
            f'<rect class="{kind}" x="{index * step + step * 0.14:.1f}" y="{_TREND_HEIGHT - height:.1f}" '
            f'width="{step * 0.72:.1f}" height="{height:.1f}" rx="2"/>'
        )
    floor = f'<rect class="floor" x="0" y="{_TREND_HEIGHT - 1}" width="{_WIDTH}" height="1"/>'
    return Markup(  # noqa: S704 - every text is escaped
        f'<svg class="trend" viewBox="0 0 {_WIDTH} {_TREND_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)}. {escape(text)}">{floor}{"".join(columns)}</svg>'
    )
