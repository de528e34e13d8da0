"""Reads one stored mail: its parts, links and attachments."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import MIMEPart
from functools import cached_property
from html.parser import HTMLParser

_URL = re.compile(r"https?://[^\s<>\"')\]]+")


@dataclass(frozen=True)
class Attachment:
    """A file of a mail; `number` counts from 1."""

    number: int
    filename: str
    content_type: str
    content: bytes
    content_id: str


class Mail:
    """A parsed mail; malformed ones are read as far as they go."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._message = message_from_bytes(raw, policy=policy.default)

    def header(self, name: str) -> str:
        """The first header of that name, decoded; empty when there is none."""
        return str(self._message.get(name, ""))

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self._message.items()]

    @cached_property
    def text(self) -> str:
        """The plain text part, or empty."""
        return _content(self._message.get_body(("plain",)))

    @cached_property
    def html(self) -> str:
        """The HTML part, or empty."""
        return _content(self._message.get_body(("html",)))

    @cached_property
    def attachments(self) -> list[Attachment]:
        """Files, inline pictures included."""
        bodies = {
            id(part)
            for part in (self._message.get_body(("plain",)), self._message.get_body(("html",)))
            if part is not None
        }
        files = [part for part in self._message.walk() if not part.is_multipart() and id(part) not in bodies]
        return [
            Attachment(
                number=number,
                filename=part.get_filename() or f"part-{number}",
                content_type=part.get_content_type(),
                content=_bytes(part),
                content_id=str(part.get("Content-ID", "")).strip("<>"),
            )
            for number, part in enumerate(files, start=1)
        ]

    @cached_property
    def links(self) -> list[str]:
        """Web addresses in the mail, each once: those of the HTML part first."""
        collector = _Links()
        collector.feed(self.html)
        return list(dict.fromkeys([*collector.found, *_URL.findall(self.text)]))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href") or ""
        if tag == "a" and target.startswith(("http://", "https://")):
            self.found.append(target)


def _content(part: MIMEPart | None) -> str:
    if part is None:
        return ""
    try:
        return str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, ValueError, KeyError):
        return _bytes(part).decode("utf-8", "replace")


def _bytes(part: MIMEPart) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else part.as_bytes()
