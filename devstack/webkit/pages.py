"""The page shell of the dev stack: one base template, one style sheet, one icon per program."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from devstack.webkit.asgi import HTML, HttpError, Request, Response, Route

_HERE = Path(__file__).parent
_MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action {form_action}; "
    "frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_NO_MINOR_UNIT = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND")
)
_THREE_DIGITS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def money_text(minor_units: int, currency: str) -> str:
    """An amount for people, `$1,250.00` or `CHF 12.50`; no float is involved."""
    digits = 0 if currency in _NO_MINOR_UNIT else 3 if currency in _THREE_DIGITS else 2
    whole, rest = divmod(abs(minor_units), 10**digits)
    number = f"{whole:,}" + (f".{rest:0{digits}d}" if digits else "")
    sign = "−" if minor_units < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{currency}\u00a0{number}"


def clock_text(unix_seconds: float) -> str:
    """A moment for people, in UTC."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def rfc3339(unix_seconds: float) -> str:
    """A moment for programs."""
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Pages:
    """Renders the templates of one program inside the shared shell."""

    def __init__(self, folder: Path, *, program: str, links: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._environment = Environment(
            loader=FileSystemLoader([folder / "templates", _HERE / "templates"]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["clock"] = clock_text
        self._environment.globals.update(program=program, links=dict(links or {}), money=money_text)

    def page(
        self, template: str, /, *, status: int = 200, form_action: str = "'self'", **values: Any
    ) -> Response:
        """Render a page; `form_action` lists the origins a form may lead to, redirects included."""
        body = self._environment.get_template(template).render(**values).encode()
        headers = (
            ("content-security-policy", CONTENT_SECURITY_POLICY.format(form_action=form_action)),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        )
        return Response(body, status, HTML, headers)

    def error(self, error: HttpError) -> Response:
        """An error as a page with a way on."""
        return self.page("error.html", status=error.status, error=error)

    def static_routes(self) -> list[Route]:
        """Style sheets and icons: the shell's and the program's own."""
        files = [*(_HERE / "static").iterdir(), *self._folder.glob("static/*")]
        return [Route("GET", f"/static/{file.name}", _static(file)) for file in files]


def _static(file: Path) -> Any:
    response = Response(
        file.read_bytes(), content_type=_MEDIA_TYPES[file.suffix], headers=(("cache-control", "no-cache"),)
    )

    async def handler(_request: Request) -> Response:
        return response

    return handler
