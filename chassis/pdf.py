"""PDFs from Typst templates, with bundled fonts only, so that every machine renders the same bytes."""

import asyncio
import hashlib
import json
import threading
from collections import OrderedDict
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
_MOST_KEPT_BYTES = 32 * 1024 * 1024
_compilers: dict[Path, Any] = {}
_rendering = threading.Lock()
_kept: OrderedDict[bytes, bytes] = OrderedDict()
"""What was rendered last, by everything that went into it: whoever asks again, because their time was over before a
long document was done, or for another copy, gets it at once. Guarded by `_rendering`.
"""
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
    text = json.dumps(data, ensure_ascii=False, default=str)
    asked = "\0".join((str(template.resolve()), timestamp.isoformat(), *standards, text))
    key = hashlib.sha256(asked.encode(errors="surrogatepass")).digest()
    with _rendering:  # one compiler has one set of inputs at a time
        if key in _kept:
            _kept.move_to_end(key)
        else:
            _keep(key, _rendered(template, text, timestamp, standards))
        return _kept[key]


def _keep(key: bytes, pdf: bytes) -> None:
    """The last one, and of those before as many as there is room for."""
    _kept[key] = pdf
    room = _MOST_KEPT_BYTES - sum(map(len, _kept.values()))
    while room < 0 and len(_kept) > 1:
        room += len(_kept.popitem(last=False)[1])


def _rendered(template: Path, text: str, timestamp: datetime, standards: Sequence[str]) -> bytes:
    import typst

    compiler = _compilers.get(template)
    if compiler is None:
        root = _ROOT if template.resolve().is_relative_to(_ROOT) else template.parent
        compiler = typst.Compiler(template, root=root, font_paths=_fonts())
        _compilers[template] = compiler
    try:
        pdf = compiler.compile(
            format="pdf",
            sys_inputs={"data": text},
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
