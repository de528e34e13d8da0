"""Puts mails together: facts and brand into subject, text and HTML, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import mrml
from babel import Locale
from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from chassis.money import Money, format_money
from services.notifications.channels.smtp import LOGO_ID
from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import (
    Attachment,
    InvoiceDocument,
    InvoiceFacts,
    Mail,
    ReceiptFacts,
)
from services.notifications.domain.message import Message
from services.notifications.formats.texts import TEXTS, is_right_to_left, language_of, reader_locale

TEMPLATES: Final = Path(__file__).parent.parent / "templates"
_FIRST_STRONG_ISOLATE: Final = "\u2068"
_POP_ISOLATE: Final = "\u2069"
_LOGO_HEIGHT: Final = 40
_LOGO_MAX_WIDTH: Final = 240
_PNG_HEADER_BYTES: Final = 24
_NO_BREAK_SPACE: Final = "\u00a0"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a mail's table; `note` stands small below the label."""

    label: str
    value: str
    note: str = ""
    strong: bool = False


class Language:
    """Words, amounts and dates as one reader writes them.

    In right-to-left text, numbers and names are isolated, so that they do not turn the line around.
    """

    def __init__(self, tag: str) -> None:
        self.locale: Locale = reader_locale(tag)
        self.language = language_of(self.locale)
        if self.language != self.locale.language:
            self.locale = reader_locale(self.language)
        self.direction = "rtl" if is_right_to_left(self.language) else "ltr"

    def text(self, key: str, **values: str) -> str:
        """A value that ends with a full stop needs none after it."""
        pattern = TEXTS[self.language][key]
        return pattern.format(
            **{
                name: self.isolated(text.removesuffix(".") if f"{{{name}}}." in pattern else text)
                for name, text in values.items()
            }
        )

    def isolated(self, text: str) -> str:
        if self.direction == "ltr":
            return text
        return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}"

    def amount(self, money: Money) -> str:
        return format_money(money, str(self.locale))

    def day(self, day: date) -> str:
        return format_date(day, "long", locale=self.locale)


def invoice_mail(
    message: Message,
    brand: Brand,
    facts: InvoiceFacts,
    document: InvoiceDocument,
    *,
    locale: str,
    public_url: str,
) -> Mail:
    """The mail that brings a new invoice. If it was paid meanwhile, it says so instead of asking for money."""
    language = Language(locale)
    amount_due, due_date = language.amount(document.amount_due), language.day(facts.due_date)
    settled = document.amount_due.is_zero or document.amount_due.is_negative
    suffix = "_settled" if settled else ""
    kind = "late_fee" if document.late_fee_for else "invoice"
    about = document.late_fee_for
    words = {
        "number": document.late_fee_for or facts.number,
        "organization": brand.display_name,
        "amount": amount_due,
    }
    rows = [
        Row(language.text("invoice_number"), facts.number),
        Row(language.text("invoice_date"), language.day(facts.invoice_date)),
        Row(language.text("due_date"), due_date),
        Row(language.text("invoice_total"), language.amount(facts.total)),
    ]
    if document.amount_due != facts.total:
        rows.append(Row(language.text("amount_due"), amount_due, strong=True))
    if about:
        rows.insert(1, Row(language.text("late_fee_about"), about))
    rows += _early_offer(language, document)
    content = {
        "preview": language.text(f"invoice_preview{suffix}", amount=amount_due, due_date=due_date),
        "eyebrow": language.text(f"{kind}_eyebrow", number=about or facts.number),
        "headline": language.amount(facts.total) if settled else amount_due,
        "subline": language.text("invoice_settled")
        if settled
        else language.text("invoice_due_on", due_date=due_date),
        "lead": language.text("late_fee_lead", organization=brand.display_name, number=about)
        if about
        else language.text("invoice_lead", organization=brand.display_name),
        "rows": rows,
        "table_title": "",
        "button": language.text("view" if settled else "pay"),
        "link": f"{public_url}/l/{document.pay_link_token}",
        "link_hint": language.text("link_hint"),
        "link_fallback": language.text("link_fallback"),
    }
    subject = language.text(f"{kind}_subject{suffix}", due_date=due_date, **words)
    return put_together(message, brand, language, facts.contact_name, subject, content, document.pdf)


def _early_offer(language: Language, document: InvoiceDocument) -> list[Row]:
    kept, until = document.early_discount, document.early_discount_until
    if kept is None or until is None:
        return []
    return [
        Row(
            language.text("early_pay_by", day=language.day(until)),
            language.amount(document.amount_due - kept),
            language.text("early_kept", amount=language.amount(kept)),
        )
    ]


def receipt_mail(
    message: Message, brand: Brand, facts: ReceiptFacts, receipt: Attachment, *, locale: str
) -> Mail:
    """The mail that thanks for a payment and says what it was used for."""
    language = Language(locale)
    received = language.amount(facts.received)
    rows = [
        Row(
            language.text("receipt_invoice", number=part.number),
            language.amount(part.amount),
            language.text("receipt_paid_in_full")
            if part.amount_due.is_zero
            else language.text("receipt_left", amount=language.amount(part.amount_due)),
        )
        for part in facts.parts
    ]
    if not facts.credited.is_zero:
        credit = language.amount(facts.credited)
        rows.append(Row(language.text("receipt_credit"), credit, language.text("receipt_credit_hint")))
    rows.append(Row(language.text("receipt_total"), received, strong=True))
    content = {
        "preview": language.text("receipt_preview", amount=received),
        "eyebrow": language.text("receipt_eyebrow", number=facts.receipt_number),
        "headline": received,
        "subline": language.text("receipt_thanks"),
        "lead": language.text("receipt_lead"),
        "rows": rows,
        "table_title": language.text("receipt_used_for"),
        "button": "",
        "link": "",
    }
    subject = language.text(
        "receipt_subject", number=facts.receipt_number, organization=brand.display_name, amount=received
    )
    return put_together(message, brand, language, facts.contact_name, subject, content, receipt)


def put_together(
    message: Message,
    brand: Brand,
    language: Language,
    contact_name: str,
    subject: str,
    content: Mapping[str, Any],
    attachment: Attachment | None,
) -> Mail:
    """The mail: content in the frame that all mails share."""
    name = contact_name.strip()
    values = {
        **content,
        "subject": subject,
        "brand": brand,
        "language": language.language,
        "direction": language.direction,
        "start": "right" if language.direction == "rtl" else "left",
        "end": "left" if language.direction == "rtl" else "right",
        "logo_id": LOGO_ID,
        "logo_width": _logo_width(brand.logo),
        "greeting": language.text("greeting", name=name) if name else language.text("greeting_nobody"),
        "questions": language.text("questions_phone", phone=brand.contact_phone.replace(" ", _NO_BREAK_SPACE))
        if brand.contact_phone
        else language.text("questions"),
        "footer": language.text("footer", organization=brand.name),
    }
    return Mail(
        message_id=message.message_id,
        recipient=message.recipient,
        recipient_name=name,
        subject=subject,
        text=_template("mail.txt").render(values),
        html=_html(_template("mail.mjml").render(values)),
        attachment=attachment,
        sender_name=brand.display_name,
        reply_to=brand.contact_email,
        logo=brand.logo,
    )


def _logo_width(png: bytes) -> int:
    """Pixels at which the logo is as high as a line of the header, or as wide as fits."""
    if len(png) < _PNG_HEADER_BYTES:
        return _LOGO_MAX_WIDTH
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    if not width or not height:
        return _LOGO_MAX_WIDTH
    return max(1, min(_LOGO_MAX_WIDTH, width * _LOGO_HEIGHT // height))


def _html(mjml: str) -> str:
    """Without the web fonts that MJML would load: a mail asks no other host for anything."""
    html: str = mrml.to_html(mjml, render_options=mrml.RenderOptions(fonts={})).content
    return html


@cache
def _template(name: str) -> Template:
    """MJML is XML: everything is escaped there, and nothing in plain text."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=name.endswith(".mjml"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
