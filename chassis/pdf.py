"""PDFs from Typst templates, with bundled fonts only, so that every machine renders the same bytes."""

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

_FONT_FOLDERS = (
    ("font_source_sans_pro", "files"),
    ("fontpkg_noto_sans_arabic", "files"),
    ("fontpkg_noto_sans_devanagari", "files"),
    ("fontpkg_noto_sans_thai", "files"),
    ("noto_cjk_sans_jp_regular", ""),
)
"""Latin, Greek and Cyrillic; Arabic; Devanagari; Thai; Chinese, Japanese and Korean. Typst brings one with Hebrew."""
_compilers: dict[Path, Any] = {}
_rendering = threading.Lock()
_ROOT = Path(__file__).resolve().parents[1]
"""What our templates import begins here: "/chassis/papers/base.typ"."""


class PdfError(Exception):
    """The template could not be rendered; the text is for developers."""


def render_pdf(
    template: Path, data: Mapping[str, Any], *, timestamp: datetime, standards: Sequence[str] = ()
) -> bytes:
    """Renders a tagged PDF of `data`, which the template reads with `json(bytes(sys.inputs.data))`.

    The same data and timestamp give the same bytes. `standards` such as "a-3b" or "ua-1" are enforced: what
    breaks one raises PdfError. Blocks for milliseconds: see render_pdf_in_thread.
    """
    import typst

    with _rendering:  # one compiler has one set of inputs at a time
        compiler = _compilers.get(template)
        if compiler is None:
            root = _ROOT if template.resolve().is_relative_to(_ROOT) else template.parent
            compiler = typst.Compiler(template, root=root, font_paths=_fonts())
            _compilers[template] = compiler
        try:
            pdf = compiler.compile(
                format="pdf",
                sys_inputs={"data": json.dumps(data, ensure_ascii=False, default=str)},
                timestamp=timestamp.replace(microsecond=0),  # typst takes whole seconds
                pdf_standards=list(standards),  # type: ignore[arg-type]
            )
        except (typst.TypstError, RuntimeError) as error:
            raise PdfError(f"{template.name}: {error}") from error
    assert isinstance(pdf, bytes)
    return pdf


async def render_pdf_in_thread(
    template: Path, data: Mapping[str, Any], *, timestamp: datetime, standards: Sequence[str] = ()
) -> bytes:
    """As render_pdf, without holding up the event loop."""
    return await asyncio.to_thread(render_pdf, template, data, timestamp=timestamp, standards=standards)


@cache
def _fonts() -> Any:
    import typst

    folders = [str(resources.files(package) / folder) for package, folder in _FONT_FOLDERS]
    return typst.Fonts(include_system_fonts=False, font_paths=folders)
