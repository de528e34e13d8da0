"""Stand-ins and the real gateway together: real gRPC with mTLS between them, pages over an ASGI client or a port."""

import base64
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from chassis.rpc.client import connect
from chassis.rpc.server import Server
from chassis.settings import BaseServiceSettings
from services.gateway.app import build
from services.gateway.clients import SERVICES
from services.gateway.settings import GatewaySettings
from tests.support.mesh import Mesh
from tests.support.stage import identity, invoicing, payments
from tests.support.stage.data import EMAIL, PASSWORD, Stage

ORIGIN = "http://localhost:8080"


@dataclass(frozen=True)
class Theatre:
    """A gateway as an ASGI application and what is behind it."""

    stage: Stage
    app: Any
    settings: GatewaySettings

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """A client that keeps cookies and follows nothing by itself, as a browser on our own pages."""
        sent = {"sec-fetch-site": "same-origin", "accept-language": "en-US"} | headers
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=self.settings.public_url, headers=sent)

    @contextlib.asynccontextmanager
    async def signed_in(self, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A browser in which Ada has signed in."""
        async with self.browser(**headers) as browser:
            form = {
                "csrf": token_of((await browser.get("/login")).text),
                "email": EMAIL,
                "password": PASSWORD,
            }
            answer = await browser.post("/login", data=form)
            assert answer.status_code == 303, answer.text
            yield browser


def token_of(page: str) -> str:
    """The form token of a page."""
    return value_of(page, "csrf")


def value_of(page: str, name: str) -> str:
    """The first hidden field of that name."""
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


def _on_stage(role: Any, *arguments: Any) -> Any:
    """A stand-in plays only some of a contract's methods; the others answer UNIMPLEMENTED."""
    return role(*arguments)


@contextlib.asynccontextmanager
async def theatre(
    folder: Path, *, public_url: str = ORIGIN, stage: Stage | None = None
) -> AsyncIterator[Theatre]:
    """Opens the house; closes it at the end of the block."""
    mesh = Mesh(folder)
    stage = stage or Stage()
    casts = {
        "identity": identity.servicers(_on_stage(identity.Identity, stage, mesh)),
        "invoicing": invoicing.servicers(_on_stage(invoicing.Invoicing, stage)),
        "payments": payments.servicers(_on_stage(payments.Payments, stage)),
        "notifications": [],
    }
    key_file = folder / "cookie.key"
    key_file.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    async with contextlib.AsyncExitStack() as stack:
        addresses: dict[str, Any] = {}
        for name, servicers in casts.items():
            server = Server(BaseServiceSettings(**mesh.settings(name)), servicers)
            addresses[f"{name}_address"] = f"127.0.0.1:{await server.start()}"
            stack.push_async_callback(server.stop, 0)
        settings = GatewaySettings(
            **mesh.settings("gateway"),
            **addresses,
            public_url=public_url,
            cookie_key_file=key_file,
            checkout_origin="https://checkout.test",
            default_organization="harbor-supply",
        )
        channels = {name: connect(settings, name) for name in SERVICES}
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        yield Theatre(stage, build(settings, channels), settings)
