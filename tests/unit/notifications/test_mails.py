"""What the mails say, in every language."""

import re
import string
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as parsing

import pytest

from chassis.clock import FrozenClock
from chassis.money import Money
from services.notifications.channels.smtp import SmtpChannel
from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import (
    AppliedPart,
    Attachment,
    InvoiceDocument,
    InvoiceFacts,
    Mail,
    ReceiptFacts,
)
from services.notifications.domain.message import Kind, Message, State
from services.notifications.formats.mails import invoice_mail, receipt_mail
from services.notifications.formats.texts import TEXTS

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MESSAGE = Message(
    organization_id="org_1",
    message_id="msg_1",
    kind=Kind.INVOICE,
    state=State.QUEUED,
    event_id="event",
    customer_id="cus_1",
    recipient="pat@buyer.example",
    about_id="inv_1",
    payload=b"",
    traceparent="",
    created_at=NOW,
    queued_at=NOW,
    due_at=NOW,
)
BRAND = Brand(
    organization_id="org_1",
    name="Harbor Supply Ltd",
    display_name="Harbor Supply",
    primary_color="#0a5c7d",
    logo=b"",
    locale="en",
    contact_email="billing@harbor.example",
    contact_phone="+49 30 1234567",
    version=1,
)
INVOICE = InvoiceFacts(
    contact_name="Ada <b>& Sons",
    number="INV-42",
    total=Money(1_284_050, "EUR"),
    invoice_date=date(2026, 11, 21),
    due_date=date(2026, 12, 21),
)
PDF = Attachment(file_name="invoice.pdf", content=b"%PDF-1.7 invoice")
DOCUMENT = InvoiceDocument(pay_link_token="tok-en_1", amount_due=Money(1_284_050, "EUR"), pdf=PDF)
RECEIPT = ReceiptFacts(
    contact_name="Ada",
    receipt_number="R-17",
    received=Money(250_000, "EUR"),
    parts=(
        AppliedPart(number="INV-40", amount=Money(120_000, "EUR"), amount_due=Money.zero("EUR")),
        AppliedPart(number="INV-42", amount=Money(100_000, "EUR"), amount_due=Money(1_184_050, "EUR")),
    ),
    credited=Money(30_000, "EUR"),
)


def an_invoice_mail(locale: str = "en-US", document: InvoiceDocument = DOCUMENT) -> Mail:
    return invoice_mail(MESSAGE, BRAND, INVOICE, document, locale=locale, public_url="https://pay.example")


def test_every_language_has_every_text_with_the_same_places() -> None:
    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for language, texts in TEXTS.items():
        assert texts.keys() == TEXTS["en"].keys(), language
        for key, text in texts.items():
            assert places(text) == places(TEXTS["en"][key]), (language, key)


def test_the_invoice_mail_says_what_is_due_when_and_where_to_pay() -> None:
    mail = an_invoice_mail()
    assert mail.subject == "Invoice INV-42 from Harbor Supply: €12,840.50 due December 21, 2026"
    for body in (mail.text, mail.html):
        assert "https://pay.example/l/tok-en_1" in body
        assert "€12,840.50" in body
        assert "December 21, 2026" in body


def test_german_readers_get_german_words_numbers_and_dates() -> None:
    mail = an_invoice_mail("de-DE")
    assert mail.subject == "Rechnung INV-42 von Harbor Supply: 12.840,50\xa0€ fällig am 21. Dezember 2026"
    assert '<html lang="de" dir="ltr"' in mail.html


def test_arabic_readers_read_from_right_to_left() -> None:
    mail = an_invoice_mail("ar-EG")
    assert '<html lang="ar" dir="rtl"' in mail.html
    assert "\u2068INV-42\u2069" in mail.subject


@pytest.mark.parametrize("locale", ["xx-YY", "", "ja-JP", "not a language"])
def test_readers_of_other_languages_get_english(locale: str) -> None:
    assert an_invoice_mail(locale).subject.startswith("Invoice INV-42 from Harbor Supply: €12,840.50 due")


def test_an_invoice_that_was_paid_meanwhile_does_not_ask_for_money() -> None:
    mail = an_invoice_mail(document=replace(DOCUMENT, amount_due=Money.zero("EUR")))
    assert mail.subject == "Invoice INV-42 from Harbor Supply"
    assert "Paid in full" in mail.text
    assert "View and pay" not in mail.html


def test_the_mail_of_a_late_fee_says_what_it_is_and_for_which_invoice() -> None:
    mail = an_invoice_mail("de-DE", replace(DOCUMENT, late_fee_for="INV-7"))
    assert mail.subject.startswith("Verzugsgebühr zu Rechnung INV-7 von Harbor Supply: 12.840,50")
    for body in (mail.text, mail.html):
        assert "Rechnung INV-7 wurde nicht rechtzeitig bezahlt" in body
        assert "INV-42" in body
        assert "hier ist Ihre Rechnung" not in body
    assert "late fee" not in an_invoice_mail().text


def test_the_invoice_mail_offers_the_discount_for_paying_early_with_its_day() -> None:
    offered = replace(DOCUMENT, early_discount=Money(25_681, "EUR"), early_discount_until=date(2026, 12, 1))
    mail = an_invoice_mail(document=offered)
    for body in (mail.text, mail.html):
        for words in ("Pay by December 1, 2026", "€12,583.69", "€256.81 off"):
            assert words in body
    assert "Pay by" not in an_invoice_mail().text


@pytest.mark.parametrize("locale", ["en", "de", "ar"])
def test_a_name_that_ends_with_a_full_stop_has_no_second_one(locale: str) -> None:
    brand = replace(BRAND, name="Acme Ltd.", display_name="Acme Ltd.")
    mail = invoice_mail(MESSAGE, brand, INVOICE, DOCUMENT, locale=locale, public_url="https://pay.example")
    plain = mail.text.replace("\u2068", "").replace("\u2069", "")
    assert "Acme Ltd" in plain
    assert ".." not in plain


def test_names_cannot_smuggle_markup_or_header_lines() -> None:
    mail = an_invoice_mail()
    assert "Ada <b>" not in mail.html
    assert "Ada &lt;b&gt;&amp; Sons" in mail.html
    evil = replace(mail, recipient_name="Ada\r\nBcc: x@y.example", sender_name='H"; <a@b>', subject="a\nb")
    sent = parsed(evil)
    assert sent["Bcc"] is None
    assert sent["Subject"] == "a b"


def test_the_receipt_says_what_each_invoice_got_and_what_is_left() -> None:
    mail = receipt_mail(MESSAGE, BRAND, RECEIPT, PDF, locale="en-US")
    assert mail.subject == "Receipt R-17 from Harbor Supply: €2,500.00 received"
    for words in ("Invoice INV-40", "Paid in full", "€11,840.50 still to pay", "€300.00"):
        assert words in mail.text
        assert words in mail.html
    assert "/l/" not in mail.html


@pytest.mark.parametrize(
    ("color", "text_color"), [("#0a5c7d", "#ffffff"), ("#ffcc33", "#000000"), ("#777777", "#000000")]
)
def test_text_on_the_brand_color_can_be_read(color: str, text_color: str) -> None:
    assert replace(BRAND, primary_color=color).text_color == text_color


def test_mails_load_nothing_from_elsewhere() -> None:
    html = an_invoice_mail().html
    assert re.findall(r"""(?:src|href)=["'](?!https://pay\.example/|mailto:|cid:)""", html) == []
    assert "@import" not in html
    assert "url(" not in html


def parsed(mail: Mail) -> EmailMessage:
    channel = SmtpChannel("smtp://127.0.0.1:25", "Tallyport <billing@tallyport.example>", FrozenClock(NOW))
    message = message_from_bytes(channel.message(mail).as_bytes(), policy=parsing)
    assert isinstance(message, EmailMessage)
    return message


def test_the_mail_travels_as_text_and_html_with_logo_and_pdf_under_a_lasting_id() -> None:
    png = b"\x89PNG\r\n\x1a\n..."
    branded = invoice_mail(
        MESSAGE, replace(BRAND, logo=png), INVOICE, DOCUMENT, locale="en", public_url="https://pay.example"
    )
    sent = parsed(branded)
    assert sent["Message-ID"] == "<msg_1@tallyport.example>"
    assert sent["From"] == "Harbor Supply <billing@tallyport.example>"
    assert sent["Reply-To"] == "Harbor Supply <billing@harbor.example>"
    assert sent["Auto-Submitted"] == "auto-generated"
    kinds = [part.get_content_type() for part in sent.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "image/png", "application/pdf"]
    assert 'src="cid:logo"' in branded.html
    (pdf,) = sent.iter_attachments()
    assert (pdf.get_filename(), pdf.get_content()) == ("invoice.pdf", PDF.content)


@pytest.mark.parametrize(
    ("width", "height", "shown"), [(240, 72, 133), (2000, 100, 240), (100, 100, 40), (0, 0, 240)]
)
def test_a_logo_keeps_its_shape_within_the_header(width: int, height: int, shown: int) -> None:
    png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    branded = replace(BRAND, logo=png)
    mail = invoice_mail(MESSAGE, branded, INVOICE, DOCUMENT, locale="en", public_url="https://pay.example")
    assert f'width="{shown}"' in mail.html
