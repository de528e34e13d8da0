"""Configuration of the notifications service."""

from email.utils import parseaddr
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from chassis.settings import BaseServiceSettings


class NotificationsSettings(BaseServiceSettings):
    """What notifications takes besides what every service takes."""

    smtp_url: str | None = Field(default=None, repr=False)
    """smtp://[user:password@]host:port (STARTTLS when offered), smtps:// for TLS from the first byte."""
    mail_from: str = "Tallyport <billing@tallyport.localhost>"
    """Sender of every mail; the organization's name replaces the name, its address is the reply address."""
    public_url: str = "http://localhost:8080"
    """Where customers reach the portal; pay links begin with it."""
    mail_concurrency: int = Field(default=4, ge=1, le=32)
    """Mails sent at once by one worker process."""

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
                raise ValueError("not of the form smtp://host:port")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1]:
            raise ValueError("not an e-mail address")
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("not an http or https address")
        return value.rstrip("/")
