"""The mail with a credit note in all languages."""

from dataclasses import replace

import pytest

from chassis.money import Money as Amount
from services.notifications.domain.facts import Attachment, CreditNoteDocument
from services.notifications.domain.message import Kind
from services.notifications.formats.credit_note_mails import credit_note_mail
from services.notifications.formats.credit_note_texts import CREDIT_NOTE_TEXTS
from services.notifications.formats.payment_mails import Portal
from services.notifications.translate import from_payload_credit_note
from tallyport.common.v1.money_pb2 import Money
from tallyport.invoicing.v1 import events_pb2 as pb
from tests.unit.notifications.test_mails import BRAND, MESSAGE

ISSUED = pb.CreditNoteIssued(
    credit_note_id="crn_1", number="CN-7", invoice_id="inv_1", invoice_number="INV-42",
    contact=pb.Contact(customer_id="cus_1", name="Pat", email="pat@buyer.example", locale="en"),
    total=Money(minor_units=4_000, currency="USD"), to_credit=Money(minor_units=1_500, currency="USD"),
    amount_due=Money(minor_units=6_000, currency="USD"),
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("to_credit", [0, 1_500])
def test_it_says_what_was_taken_off_which_invoice_and_brings_the_document(
    language: str, to_credit: int
) -> None:
    ISSUED.to_credit.minor_units = to_credit
    facts, contact = from_payload_credit_note(ISSUED.SerializeToString())
    document = CreditNoteDocument(
        amount_due=Amount(5_500, "USD"), pdf=Attachment(file_name="CN-7.pdf", content=b"%PDF")
    )
    portal = Portal(locale=language, public_url="https://pay.example")
    message = replace(MESSAGE, kind=Kind.CREDIT_NOTE)
    mail = credit_note_mail(message, BRAND, facts, document, contact, portal=portal)
    for word in ("CN-7", "INV-42"):
        assert word in mail.subject
        assert word in mail.text
    assert "{" not in mail.text + mail.subject
    assert "https://pay.example/invoices/inv_1" in mail.text
    assert mail.attachment is document.pdf
    if language == "en":
        # What is due is that of now, not that of when the credit note was issued.
        assert [sum_ in mail.text for sum_ in ("$40.00", "$55.00", "$60.00")] == [True, True, False]
        assert ("$15.00" in mail.text) == bool(to_credit)


def test_every_language_has_the_same_words() -> None:
    assert len({frozenset(texts) for texts in CREDIT_NOTE_TEXTS.values()}) == 1
