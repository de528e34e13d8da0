"""Builds and runs the mailbox: `python -m devstack.mailbox`.

Environment: MAILBOX_SMTP_LISTEN and MAILBOX_HTTP_LISTEN (host:port), MAILBOX_DATA_FILE (SQLite file).
"""

import logging
import os
from pathlib import Path

from devstack.mailbox.capture import smtp_server
from devstack.mailbox.store import Search, Store
from devstack.mailbox.web import Web
from devstack.webkit.asgi import App, HttpError, Request, Response, Route, json_error, json_response
from devstack.webkit.pages import Pages
from devstack.webkit.server import listening_socket, needed, run, serve


async def main() -> None:
    """Take mails and show them until told to stop."""
    smtp_listen, http_listen = (
        needed(os.environ, "MAILBOX_SMTP_LISTEN"),
        needed(os.environ, "MAILBOX_HTTP_LISTEN"),
    )
    smtp_listener = listening_socket(smtp_listen, "MAILBOX_SMTP_LISTEN")
    http_listener = listening_socket(http_listen, "MAILBOX_HTTP_LISTEN")
    store = Store(Path(needed(os.environ, "MAILBOX_DATA_FILE")))
    look = Pages(Path(__file__).parent, program="Mailbox")

    async def ready(_request: Request) -> Response:
        return json_response({"status": "ready", "messages": store.count(Search())})

    def error_page(request: Request, error: HttpError) -> Response:
        return json_error(request, error) if request.path.startswith("/api/") else look.error(error)

    routes = [Route("GET", "/readyz", ready), *Web(look, store).routes(), *look.static_routes()]
    log = logging.getLogger("devstack.mailbox")
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every command otherwise.
    log.info("mails on smtp://%s, pages on http://%s", smtp_listen, http_listen)
    try:
        async with smtp_server(store, smtp_listener):
            await serve(App(routes, error_page=error_page), http_listener)
    finally:
        store.close()


if __name__ == "__main__":
    run(main)
