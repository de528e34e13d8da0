"""Mail by SMTP."""

import email.policy
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from chassis.clock import Clock
from services.notifications.domain.facts import Mail
from services.notifications.domain.message import Refused, TryLater

TIMEOUT_SECONDS: Final = 10.0
"""For each step of the conversation."""
_SMTP_PORT: Final = 25
_SMTPS_PORT: Final = 465
_MAX_REASON_CHARACTERS: Final = 500
LOGO_ID: Final = "logo"
"""Content-ID under which the HTML refers to the logo."""


class SmtpChannel:
    """A mail server at `smtp://[user:password@]host:port`; `smtps://` speaks TLS from the first byte."""

    def __init__(self, url: str, mail_from: str, clock: Clock) -> None:
        parts = urlsplit(url)
        self._implicit_tls = parts.scheme == "smtps"
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (_SMTPS_PORT if self._implicit_tls else _SMTP_PORT)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._sender = parseaddr(mail_from)[1]
        self._clock = clock

    async def deliver(self, mail: Mail) -> None:
        """Returns once the server has taken responsibility for it."""
        message = self.message(mail)
        try:
            await aiosmtplib.send(
                message,
                sender=self._sender,
                recipients=[mail.recipient],
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._implicit_tls,
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            raise _outcome(refusal.code, refusal.message) from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise TryLater(_words(error.code, error.message), inside=False) from error  # ours to repair
        except aiosmtplib.SMTPResponseException as error:
            raise _outcome(error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            reason = f"mail server not reached: {error or type(error).__name__}"
            raise TryLater(reason[:_MAX_REASON_CHARACTERS], inside=False) from error

    def message(self, mail: Mail) -> EmailMessage:
        """The mail as it travels: text and HTML as alternatives, the logo inside the HTML, the PDF attached."""
        message = EmailMessage(policy=email.policy.SMTP)
        domain = self._sender.rpartition("@")[2]
        message["Message-ID"] = f"<{mail.message_id}@{domain}>"
        message["Date"] = format_datetime(_whole_seconds(mail.dated or self._clock.now()))
        message["From"] = Address(_one_line(mail.sender_name), addr_spec=self._sender)
        message["To"] = Address(_one_line(mail.recipient_name), addr_spec=mail.recipient)
        if mail.reply_to:
            message["Reply-To"] = Address(_one_line(mail.sender_name), addr_spec=mail.reply_to)
        message["Subject"] = _one_line(mail.subject)
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        if mail.logo:
            html = message.get_payload(1)
            assert isinstance(html, EmailMessage)
            html.add_related(mail.logo, "image", "png", cid=f"<{LOGO_ID}>", filename="logo.png")
        if mail.attachment is not None:
            message.add_attachment(
                mail.attachment.content,
                maintype="application",
                subtype="pdf",
                filename=_one_line(mail.attachment.file_name),
            )
        return message


def _outcome(code: int, text: str) -> Exception:
    """5xx is for good, everything else may pass."""
    words = _words(code, text)
    return Refused(words) if 500 <= code < 600 else TryLater(words, inside=False)


def _words(code: int, text: str) -> str:
    return f"{code} {' '.join(text.split())}"[:_MAX_REASON_CHARACTERS]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _whole_seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)
