"""Pages and JSON API of the mailbox."""

import re
from typing import Any
from urllib.parse import quote

from devstack.mailbox.mail import Attachment, Mail
from devstack.mailbox.store import Row, Search, Store
from devstack.webkit.asgi import HttpError, Request, Response, Route, json_response, redirect
from devstack.webkit.pages import Pages, rfc3339

_PAGE_ROWS = 200
_MAX_WAIT_SECONDS = 60.0
# A mail's own HTML: no script, no form, no frame; pictures and its inline styles are what it may have.
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data: http: https:; font-src data:; base-uri 'self'"
)
# Types a browser may open in place; anything else, HTML and SVG above all, is only saved.
_OPENS_IN_BROWSER = frozenset({"application/pdf", "image/png", "image/jpeg", "image/gif", "text/plain"})


class Web:
    """Reads the store; only deleting changes it."""

    def __init__(self, look: Pages, store: Store) -> None:
        self._look = look
        self._store = store

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self.inbox),
            Route("POST", "/clear", self.clear_from_page),
            Route("GET", "/messages/{id}", self.message_page),
            Route("GET", "/messages/{id}/html", self.message_html),
            Route("GET", "/messages/{id}/raw", self.message_raw),
            Route("GET", "/messages/{id}/attachments/{n}", self.attachment),
            Route("GET", "/api/messages", self.list_messages),
            Route("DELETE", "/api/messages", self.delete_messages),
            Route("GET", "/api/messages/{id}", self.get_message),
            Route("GET", "/api/messages/{id}/attachments/{n}", self.attachment),
        ]

    async def inbox(self, request: Request) -> Response:
        """The mails, newest first."""
        query = request.query.get("q", "")
        search = Search(query=query)
        return self._look.page(
            "inbox.html",
            query=query,
            messages=self._store.find(search, limit=_PAGE_ROWS),
            total=self._store.count(search),
            shown=_PAGE_ROWS,
        )

    async def clear_from_page(self, request: Request) -> Response:
        """Empty the mailbox."""
        if request.header("sec-fetch-site") not in {None, "same-origin", "none"}:
            raise HttpError(403, "foreign_form", "This form was sent by another site.")
        self._store.clear()
        return redirect("/")

    async def message_page(self, request: Request) -> Response:
        """One mail with all its parts."""
        row, mail = self._open(request)
        part = request.query.get("part", "")
        if part not in {"html", "text", "headers", "source"}:
            part = "html" if mail.html else "text"
        return self._look.page(
            "message.html",
            message=row,
            mail=mail,
            part=part,
            parts=[name for name in ("html", "text", "headers", "source") if name != "html" or mail.html],
            source=mail.raw[:200_000].decode("utf-8", "replace") if part == "source" else "",
        )

    async def message_html(self, request: Request) -> Response:
        """The HTML part alone, for the frame; links open a new tab, inline pictures are found."""
        _, mail = self._open(request)
        by_id = {item.content_id: item for item in mail.attachments if item.content_id}

        def address(match: re.Match[str]) -> str:
            item = by_id.get(match[1])
            return f"/messages/{request.params['id']}/attachments/{item.number}" if item else match[0]

        html = '<base target="_blank">' + re.sub(r"cid:([^\"'\s>)]+)", address, mail.html)
        return Response(html.encode(), headers=(("content-security-policy", _MAIL_POLICY),))

    async def message_raw(self, request: Request) -> Response:
        """The mail as it came, to be saved."""
        row, mail = self._open(request)
        name = _disposition("attachment", f"message-{row['id']}.eml")
        return Response(mail.raw, content_type="message/rfc822", headers=(name,))

    async def attachment(self, request: Request) -> Response:
        """One file; pictures, PDF and plain text open in the browser, others are saved."""
        _, mail = self._open(request)
        found = next((item for item in mail.attachments if str(item.number) == request.params["n"]), None)
        if found is None:
            raise HttpError(404, "not_found", "There is no such attachment.")
        kind = "inline" if found.content_type in _OPENS_IN_BROWSER else "attachment"
        media_type = "text/plain; charset=utf-8" if found.content_type == "text/plain" else found.content_type
        return Response(found.content, content_type=media_type, headers=(_disposition(kind, found.filename),))

    async def list_messages(self, request: Request) -> Response:
        """GET /api/messages; with `wait_seconds` it answers once `count` (one) mails match."""
        query = request.query
        search = Search(
            to=query.get("to", ""),
            subject=query.get("subject", ""),
            query=query.get("q", ""),
            after_id=int(_number(query, "after_id", 0)),
        )
        if wait_seconds := _number(query, "wait_seconds", 0):
            await self._store.wait_for(
                search,
                count=int(_number(query, "count", 1)),
                timeout_seconds=min(wait_seconds, _MAX_WAIT_SECONDS),
            )
        rows = self._store.find(search, limit=int(_number(query, "limit", 100)))
        return json_response(
            {"messages": [_summary(row) for row in rows], "total": self._store.count(search)}
        )

    async def get_message(self, request: Request) -> Response:
        """GET /api/messages/{id}: everything but the bytes of the files."""
        row, mail = self._open(request)
        return json_response(
            {
                **_summary(row),
                "headers": mail.headers,
                "text": mail.text,
                "html": mail.html,
                "links": mail.links,
                "attachments": [_file(row["id"], item) for item in mail.attachments],
            }
        )

    async def delete_messages(self, _request: Request) -> Response:
        """DELETE /api/messages"""
        return json_response({"deleted": self._store.clear()})

    def _open(self, request: Request) -> tuple[Row, Mail]:
        text = request.params["id"]
        row = self._store.get(int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else None
        if row is None:
            raise HttpError(404, "not_found", "There is no such mail.")
        return row, Mail(row["raw"])


def _summary(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "message_id": row["message_id"],
        "to": row["recipient"],
        "from": row["sender"],
        "subject": row["subject"],
        "attachment_count": row["attachment_count"],
        "deliveries": row["deliveries"],
        "received_at": rfc3339(row["received_at"]),
        "last_received_at": rfc3339(row["last_received_at"]),
    }


def _file(message_number: int, item: Attachment) -> dict[str, Any]:
    return {
        "number": item.number,
        "filename": item.filename,
        "content_type": item.content_type,
        "size_bytes": len(item.content),
        "url": f"/api/messages/{message_number}/attachments/{item.number}",
    }


def _disposition(kind: str, filename: str) -> tuple[str, str]:
    return "content-disposition", f"{kind}; filename*=UTF-8''{quote(filename, safe='')}"


def _number(query: dict[str, str], name: str, default: float) -> float:
    text = query.get(name) or str(default)
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text, re.ASCII):
        raise HttpError(400, "invalid", f"{name} must be a number.", field=name)
    return float(text)
