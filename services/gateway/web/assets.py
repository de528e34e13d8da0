"""Stylesheet, script and pictures of our own, read once, named by their content so that browsers keep them."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

_FOLDER = Path(__file__).parent / "static"
_STYLESHEET = "app.css"
_YEAR_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    media_type: str
    content: bytes
    compressed: bytes
    version: str


def _asset(name: str, content: bytes) -> Asset:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    version = hashlib.sha256(content).hexdigest()[:12]
    return Asset(media_type, content, gzip.compress(content, 9, mtime=0), version)


class Assets:
    """All static files; the stylesheets of static/css become one, in the order of their names."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        sheets = sorted((folder / "css").glob("*.css"))
        stylesheet = b"\n".join(sheet.read_bytes() for sheet in sheets)
        self._files = {_STYLESHEET: _asset(_STYLESHEET, stylesheet)}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".css":
                name = path.relative_to(folder).as_posix()
                self._files[name] = _asset(name, path.read_bytes())

    def address(self, name: str) -> str:
        """Where the file is, with its version. KeyError for an unknown one."""
        return f"/static/{name}?v={self._files[name].version}"

    def find(self, name: str) -> Asset | None:
        return self._files.get(name)


@get("/static/{name:path}", name="static", sync_to_thread=False)
def static_file(name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
    """A static file, for a year when the address carries its version."""
    assets: Assets = request.app.state.site.assets
    asset = assets.find(name.lstrip("/"))
    if asset is None:
        raise NotFoundException
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    kept = request.query_params.get("v") == asset.version
    headers = {
        "Cache-Control": f"public, max-age={_YEAR_SECONDS}, immutable" if kept else "no-cache",
        "ETag": f'"{asset.version}"',
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(b"", status_code=304, headers=headers)
    if zipped:
        headers["Content-Encoding"] = "gzip"
    return Response(
        asset.compressed if zipped else asset.content, media_type=asset.media_type, headers=headers
    )
