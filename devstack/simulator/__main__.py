"""Builds and runs the simulator: `python -m devstack.simulator`."""

import asyncio
import logging

from devstack.simulator.api import Api
from devstack.simulator.charging import Charging
from devstack.simulator.dashboard import Dashboard
from devstack.simulator.faults import Faults
from devstack.simulator.hosted_page import HostedPage
from devstack.simulator.settings import Settings
from devstack.simulator.store import Store
from devstack.simulator.views import pages
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import App, HttpError, Request, Response, Route, json_error, json_response
from devstack.webkit.server import listening_socket, run, serve


async def main() -> None:
    """Serve until told to stop."""
    settings = Settings.from_environment()
    listener = listening_socket(settings.listen, "SIMULATOR_LISTEN")
    store = Store(settings.data_file)
    faults = Faults(store)
    webhooks = Webhooks(store, faults, url=settings.webhook_url, key=settings.webhook_key)
    charging = Charging(store, faults, webhooks)
    look = pages()

    async def ready(_request: Request) -> Response:
        store.one("SELECT 1")
        return json_response({"status": "ready"})

    async def expire() -> None:
        wait_seconds = charging.expire_due()
        while await asyncio.sleep(wait_seconds, True):
            wait_seconds = charging.expire_due()

    def error_page(request: Request, error: HttpError) -> Response:
        api = request.path.startswith(("/v1/", "/faults", "/readyz"))
        return json_error(request, error) if api else look.error(error)

    app = App(
        [
            Route("GET", "/readyz", ready),
            *Api(settings, store, faults, charging, webhooks).routes(),
            *HostedPage(look, faults, charging, webhooks).routes(),
            *Dashboard(look, store, faults, webhooks).routes(),
            *look.static_routes(),
        ],
        error_page=error_page,
    )
    logging.getLogger("devstack.simulator").info("listening on http://%s", settings.listen)
    try:
        await serve(app, listener, [webhooks.run, expire])
    finally:
        store.close()


if __name__ == "__main__":
    run(main)
