"""Builds and runs the simulator: `python -m devstack.simulator`."""

import logging

from devstack.simulator.api import api_routes
from devstack.simulator.bank import Bank
from devstack.simulator.dashboard import Dashboard
from devstack.simulator.hosted import hosted_routes
from devstack.simulator.settings import Settings
from devstack.simulator.stripe import stripe_side
from devstack.simulator.views import pages
from devstack.webkit.asgi import App, HttpError, Request, Response, Route, json_error, json_response
from devstack.webkit.server import listening_socket, run, serve


async def main() -> None:
    """Serve until told to stop."""
    settings = Settings.from_environment()
    listener = listening_socket(settings.listen, "SIMULATOR_LISTEN")
    bank = Bank.opened(settings)
    look = pages()
    stripe_routes, stripe_work = stripe_side(bank, look)

    async def ready(_request: Request) -> Response:
        bank.store.one("SELECT 1")
        return json_response({"status": "ready"})

    def error_page(request: Request, error: HttpError) -> Response:
        api = request.path.startswith(("/v1/", "/stripe/v1/", "/faults", "/readyz"))
        return json_error(request, error) if api else look.error(error)

    app = App(
        [
            Route("GET", "/readyz", ready),
            *api_routes(bank),
            *hosted_routes(bank, look),
            *Dashboard(bank, look).routes(),
            *stripe_routes,
            *look.static_routes(),
        ],
        error_page=error_page,
    )
    logging.getLogger("devstack.simulator").info("listening on http://%s", settings.listen)
    try:
        await serve(app, listener, [bank.webhooks.run, bank.timeline.run, *stripe_work])
    finally:
        bank.store.close()


if __name__ == "__main__":
    run(main)
