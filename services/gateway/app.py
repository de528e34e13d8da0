"""The gateway as one ASGI application: the API under /v1, everything else pages."""

from collections.abc import Mapping
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Send

from chassis.clock import Clock, SystemClock
from chassis.errors import ServiceError
from chassis.rpc.client import Channel
from services.gateway import console, portal, webhooks, well_known
from services.gateway.api import app as api
from services.gateway.clients import Services
from services.gateway.revocations import Revocations
from services.gateway.settings import GatewaySettings
from services.gateway.web import assets, brand, components, failures
from services.gateway.web.badges import Badges
from services.gateway.web.brand import Looks
from services.gateway.web.exchange import ExchangeMiddleware
from services.gateway.web.organizations import Organizations
from services.gateway.web.page import (
    SignInRequired,
    Site,
    customer_page,
    pay_link_page,
    public_page,
    staff_page,
    staff_sign_in_page,
)
from services.gateway.web.rendering import Templates
from services.gateway.web.renewal import Renewal
from services.gateway.web.session import Sealer
from services.gateway.web.test_times import TestTimes

MAX_FORM_BYTES = 10 * 1024 * 1024
_API_PATHS = ("/v1/", "/openapi.json", "/docs")


class _Paths:
    """Hands each request to the API or to the pages by its path."""

    def __init__(self, api_app: Any, pages: ASGIApp) -> None:
        self._api = api_app
        self._pages = pages

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        chosen = self._pages
        if scope["type"] == "http" and scope["path"].startswith(_API_PATHS):
            chosen = self._api
        await chosen(scope, receive, send)


def build_site(
    settings: GatewaySettings, channels: Mapping[str, Channel], clock: Clock, revocations: Revocations
) -> Site:
    """What all pages share."""
    services = Services(channels)
    static = assets.Assets()
    return Site(
        settings=settings,
        services=services,
        assets=static,
        templates=Templates(static.address, compile_now=settings.environment == "production"),
        looks=Looks(services),
        organizations=Organizations(services),
        badges=Badges(services),
        test_times=TestTimes(services, allowed=settings.test_clocks),
        renewal=Renewal(services),
        revocations=revocations,
        clock=clock,
    )


def _routers(settings: GatewaySettings) -> list[Any]:
    handlers: list[Any] = [
        assets.static_file,
        brand.brand_stylesheet,
        brand.brand_logo,
        webhooks.receive_webhook,
        well_known.apple_pay_domain,
        Router("/", route_handlers=portal.PUBLIC, dependencies={"page": Provide(public_page)}),
        Router("/", route_handlers=portal.CUSTOMER, dependencies={"page": Provide(customer_page)}),
        Router("/l", route_handlers=portal.PAY_LINK, dependencies={"page": Provide(pay_link_page)}),
        Router("/console", route_handlers=console.PUBLIC, dependencies={"page": Provide(staff_sign_in_page)}),
        Router("/console", route_handlers=console.STAFF, dependencies={"page": Provide(staff_page)}),
    ]
    if settings.environment == "development":
        handlers.append(
            Router("/", route_handlers=[components.show], dependencies={"page": Provide(public_page)})
        )
    return handlers


def build(
    settings: GatewaySettings,
    channels: Mapping[str, Channel],
    clock: Clock | None = None,
    revocations: Revocations | None = None,
) -> ASGIApp:
    """The whole gateway. `channels` holds one channel for each service; `revocations` are told of by the caller."""
    revocations = revocations or Revocations()
    pages = Litestar(
        route_handlers=_routers(settings),
        exception_handlers={
            ServiceError: failures.on_service_error,
            SignInRequired: failures.on_sign_in_required,
            HTTPException: failures.on_http_error,
            Exception: failures.on_defect,
        },
        state=State({"site": build_site(settings, channels, clock or SystemClock(), revocations)}),
        openapi_config=None,
        request_max_body_size=MAX_FORM_BYTES,
        logging_config=None,
    )
    api_app = api.build(
        channels,
        public_url=settings.public_url,
        revocations=revocations,
        test_clocks=settings.test_clocks,
    )
    return ExchangeMiddleware(_Paths(api_app, pages), settings, Sealer(settings.cookie_key()))
