"""Builds and runs the trace page: `python -m devstack.traces`.

Environment: TRACES_LISTEN (host:port); exporters send to `http://<host:port>/v1/traces`.
"""

import logging
import os
from pathlib import Path

from devstack.traces.ring import Ring
from devstack.traces.web import Web
from devstack.webkit.asgi import App, HttpError, Request, Response, Route, json_error, json_response
from devstack.webkit.pages import Pages
from devstack.webkit.server import listening_socket, needed, run, serve


async def main() -> None:
    """Take spans and show them until told to stop."""
    listen = needed(os.environ, "TRACES_LISTEN")
    listener = listening_socket(listen, "TRACES_LISTEN")
    ring = Ring()
    look = Pages(Path(__file__).parent, program="Traces")

    async def ready(_request: Request) -> Response:
        return json_response({"status": "ready", "traces": len(ring), "kept_bytes": ring.size_bytes})

    def error_page(request: Request, error: HttpError) -> Response:
        api = request.path.startswith(("/api/", "/v1/"))
        return json_error(request, error) if api else look.error(error)

    routes = [Route("GET", "/readyz", ready), *Web(look, ring).routes(), *look.static_routes()]
    logging.getLogger("devstack.traces").info("listening on http://%s", listen)
    await serve(App(routes, error_page=error_page), listener)


if __name__ == "__main__":
    run(main)
