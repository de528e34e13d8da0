"""Prints a paper: an archivable, accessible PDF of a template and its data, whatever people wrote in them."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from chassis.pdf import PdfError, render_pdf_in_thread

ARCHIVED = ("a-3b", "ua-1")
"""PDF/A-3 keeps for ever and holds attachments; PDF/UA can be read aloud."""
_LOGO_FORMATS = {"image/svg+xml": "svg", "image/png": "png"}
_BOX, _MOST_BOXES = "\u25a1", 12
_UNKNOWN = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture with its media type."""

    content: bytes
    media_type: str

    def shown(self) -> dict[str, Any] | None:
        """As papers want it; nothing where it cannot be drawn."""
        kind = _LOGO_FORMATS.get(self.media_type)
        return {"format": kind, "bytes": list(self.content)} if self.content and kind else None


@dataclass(frozen=True, slots=True)
class Printed:
    """The document; a plain PDF when it is not archivable."""

    pdf: bytes
    is_archivable: bool


async def print_paper(template: Path, data: dict[str, Any], *, at: datetime) -> Printed:
    """The document as PDF/A-3 and PDF/UA.

    It always comes out: a logo that cannot be drawn is left out, for characters that no font has there are boxes, and
    if these are too many it is a plain PDF. The same data and moment give the same bytes.
    """
    plans = [
        (standards, logo)
        for standards in (ARCHIVED, ())
        for logo in ([True, False] if data["logo"] else [False])
    ]
    tried, texts = 0, {name: value for name, value in data.items() if name not in ("logo", "attachment")}
    while True:
        standards, has_logo = plans[0]
        rest = {"logo": data["logo"] if has_logo else None, "attachment": data["attachment"]}
        try:
            pdf = await render_pdf_in_thread(template, texts | rest, timestamp=at, standards=standards)
            break
        except PdfError as refused:
            tried += 1
            unknown = _UNKNOWN.search(str(refused))
            boxed = texts if unknown is None else _boxed(texts, _sign(unknown[1]))
            if boxed != texts and tried <= _MOST_BOXES:
                texts = boxed
            elif len(plans) == 1:
                raise
            else:
                plans.pop(0)
    if tried:
        _log.warning(
            "pdf.simplified", document=data["title"], has_logo=rest["logo"] is not None,
            is_archivable=bool(standards),
        )  # fmt: skip
    return Printed(pdf, bool(standards))


def _boxed(told: Any, sign: str) -> Any:
    """All texts with a box instead of the sign. What is ASCII stays, for colours and pictures are written in it."""
    if sign.isascii():
        return told
    if isinstance(told, dict):
        return {name: _boxed(value, sign) for name, value in told.items()}
    if isinstance(told, list):
        return [_boxed(value, sign) for value in told]
    return told.replace(sign, _BOX) if isinstance(told, str) else told


def _sign(quoted: str) -> str:
    """What Typst means: it writes signs that cannot be seen by their numbers."""
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), quoted)
