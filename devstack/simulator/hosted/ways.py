"""The way back to the merchant, and what forms need of it."""

import json
from urllib.parse import urlencode, urlsplit, urlunsplit

from devstack.simulator.bank import Bank
from devstack.simulator.saving import Acceptance
from devstack.simulator.store import Row
from devstack.webkit.asgi import Handler, Request, Response


def on_account(bank: Bank, table: str, handler: Handler) -> Handler:
    """The same, in the time of the account whose page it is."""

    async def timed(request: Request) -> Response:
        row = bank.store.by_id(table, request.params["id"])
        bank.clock.enter("" if row is None else json.loads(row["metadata"]).get("organization_id", ""))
        return await handler(request)

    return timed


def back_url(row: Row, name: str) -> str:
    """The merchant's return address; it carries only the id, since the result is always asked of the API."""
    parts = urlsplit(row["return_url"])
    query = "&".join(part for part in (parts.query, urlencode({name: row["id"]})) if part)
    return str(urlunsplit(parts._replace(query=query)))


def form_action(row: Row) -> str:
    """Browsers apply form-action to the redirect after a form as well, so the merchant's origin is named."""
    parts = urlsplit(row["return_url"])
    return f"'self' {parts.scheme}://{parts.netloc}"


def acceptance(request: Request, holder: str) -> Acceptance:
    """Who accepts a mandate, as far as a request tells."""
    client = request.scope.get("client") or ("", 0)
    return Acceptance(holder, str(client[0]), (request.header("user-agent") or "")[:300])


def whole(text: str) -> int:
    """A number from a form; -1 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
