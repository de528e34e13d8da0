"""Each organization's name, colour and logo on its pages."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.clients import Sender, Services
from services.gateway.web.colors import DEFAULT, Shades, shades
from tallyport.identity.v1.organizations_pb2 import Brand, GetBrandRequest

PRODUCT_NAME = "Tallyport"
_KEPT_SECONDS = 60.0
_MAX_KEPT = 2_000
_LOGO_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_LOGO_TYPES = frozenset({"image/svg+xml", "image/png"})


@dataclass(frozen=True, slots=True)
class Look:
    """What a page needs to look like its organization."""

    slug: str
    name: str
    color: str
    logo: bytes = b""
    logo_media_type: str = ""

    @property
    def version(self) -> str:
        """Changes when colour or logo do."""
        return hashlib.sha256(self.color.encode() + self.logo).hexdigest()[:10]

    @property
    def stylesheet(self) -> str:
        return f"/brand/{self.slug or '_'}.css?v={self.version}"

    @property
    def logo_address(self) -> str:
        """Empty when the organization has none."""
        return f"/brand/{self.slug}/logo?v={self.version}" if self.logo else ""

    @property
    def initial(self) -> str:
        return self.name[:1].upper()


PLAIN = Look(slug="", name=PRODUCT_NAME, color=DEFAULT)


class Looks:
    """Brands by short name, kept for a minute; pages go on with the plain look when identity is away."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: OrderedDict[str, tuple[float, Look | None]] = OrderedDict()

    async def of(self, slug: str, sender: Sender) -> Look | None:
        """None when there is no such organization."""
        if not slug:
            return None
        found = self._kept.get(slug)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        try:
            brand = await sender.call(self._services.organizations.GetBrand, GetBrandRequest(slug=slug))
            look: Look | None = _look(brand)
        except ServiceError as error:
            if error.kind is Kind.UNAVAILABLE:
                return found[1] if found else Look(slug=slug, name=PRODUCT_NAME, color=DEFAULT)
            if error.kind not in (Kind.NOT_FOUND, Kind.INVALID_ARGUMENT):
                raise
            look = None
        self._kept[slug] = (time.monotonic() + _KEPT_SECONDS, look)
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return look

    def known(self, slug: str) -> Look:
        """What is known without asking anybody: for error pages."""
        found = self._kept.get(slug)
        return (found[1] if found else None) or PLAIN


def _look(brand: Brand) -> Look:
    usable = brand.logo_media_type in _LOGO_TYPES
    return Look(
        slug=brand.slug,
        name=brand.display_name or PRODUCT_NAME,
        color=brand.primary_color or DEFAULT,
        logo=brand.logo if usable else b"",
        logo_media_type=brand.logo_media_type if usable else "",
    )


def stylesheet(color: str) -> str:
    """The few properties by which one organization's pages differ from another's."""
    light, dark = shades(color)
    return (
        f":root{{{_properties(light)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{_properties(dark)}}}}}\n"
        f":root[data-theme=dark]{{{_properties(dark)}}}\n"
    )


def _properties(of: Shades) -> str:
    return (
        f"--brand:{of.fill};--on-brand:{of.on_fill};--brand-strong:{of.fill_strong};"
        f"--brand-text:{of.text};--brand-wash:{of.wash}"
    )


async def _look_of(request: Request[Any, Any, Any], slug: str) -> Look:
    if slug == "_":
        return PLAIN
    exchange = request.scope["tallyport"]  # type: ignore[typeddict-item]
    look: Look | None = await request.app.state.site.looks.of(slug, exchange.sender())
    if look is None:
        raise NotFoundException
    return look


@get("/brand/{file_name:str}", name="brand.stylesheet")
async def brand_stylesheet(request: Request[Any, Any, Any], file_name: FromPath[str]) -> Response[str]:
    """`/brand/harbor-supply.css`: the organization's shades."""
    slug, dot, ending = file_name.rpartition(".")
    if not dot or ending != "css":
        raise NotFoundException
    look = await _look_of(request, slug)
    return Response(stylesheet(look.color), media_type="text/css", headers=_kept(request, look))


@get("/brand/{slug:str}/logo", name="brand.logo")
async def brand_logo(request: Request[Any, Any, Any], slug: FromPath[str]) -> Response[bytes]:
    """The organization's logo. It is somebody else's file: a sandbox keeps it a picture."""
    look = await _look_of(request, slug)
    if not look.logo:
        raise NotFoundException
    headers = _kept(request, look) | {"Content-Security-Policy": _LOGO_POLICY}
    return Response(look.logo, media_type=look.logo_media_type, headers=headers)


def _kept(request: Request[Any, Any, Any], look: Look) -> dict[str, str]:
    same = request.query_params.get("v") == look.version
    return {"Cache-Control": "public, max-age=31536000, immutable" if same else "public, max-age=60"}
