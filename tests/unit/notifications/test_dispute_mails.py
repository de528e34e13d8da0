"""Mails about disputes and reminders in all languages."""

from dataclasses import replace
from datetime import date

import pytest

from chassis.money import Money as Amount
from services.notifications.domain.facts import Attachment, InvoiceDocument
from services.notifications.domain.message import Kind
from services.notifications.formats.dispute_mails import dispute_mail
from services.notifications.formats.dispute_texts import DISPUTE_TEXTS
from services.notifications.formats.dunning_mails import dunning_mail
from services.notifications.formats.payment_mails import Portal
from services.notifications.translate import from_payload_dispute, from_payload_dunning
from tallyport.common.v1.money_pb2 import Money
from tallyport.invoicing.v1 import events_pb2 as pb
from tests.unit.notifications.test_mails import BRAND, MESSAGE
from tests.unit.notifications.test_payment_mails import ADA


def usd(cents: int) -> Money:
    return Money(minor_units=cents, currency="USD")


NEWS = pb.DisputeNews(dispute_id="dsp_1", invoice_number="INV-7", amount=usd(4_000))
PAYLOADS = [
    (Kind.DISPUTE_OPENED, pb.DisputeOpened(dispute=NEWS, undisputed_due=usd(6_000)), "60.00"),
    (Kind.DISPUTE_ANSWERED, pb.DisputeMessageAdded(dispute=NEWS, by_staff=True, text="We look"), "We look"),
    *(
        (Kind.DISPUTE_RESOLVED, pb.DisputeResolved(dispute=NEWS, outcome=outcome, amount_due=usd(6_000),
                                                   text="See inside", **credited), "See inside")
        for outcome, credited in (
            ("accepted", {"credited": usd(4_000)}),
            ("partly_accepted", {"credited": usd(1_000)}),
            ("rejected", {}),
        )
    ),
    (Kind.DISPUTE_RESOLVED, pb.DisputeResolved(dispute=NEWS, outcome="settled", amount_due=usd(0)),
     "does not ask you any more"),
]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize(("kind", "payload", "said"), PAYLOADS)
def test_a_mail_says_what_became_of_an_objection_and_leads_to_it(
    kind: Kind, payload: pb.DisputeResolved, said: str, language: str
) -> None:
    facts = from_payload_dispute(kind, payload.SerializeToString())
    portal = Portal(locale=language, public_url="https://pay.example")
    mail = dispute_mail(replace(MESSAGE, kind=kind), BRAND, facts, ADA, portal=portal)
    assert "https://pay.example/disputes/dsp_1" in mail.text
    assert "{" not in mail.text + mail.subject
    assert "INV-7" in mail.subject
    if language == "en":
        assert said in mail.text


NOTICE = pb.DunningNoticeIssued(
    notice_id="dnn_1", invoice_id="inv_1", invoice_number="INV-7", level=2, title="Second reminder",
    text="Please pay", amount=usd(10_000), due_date="2026-11-01", deadline_on="2026-12-01", mail=True,
    contact=pb.Contact(customer_id="cus_1", locale="en"),
)  # fmt: skip
INVOICE = InvoiceDocument(
    pay_link_token="tok", amount_due=Amount(7_500, "USD"), pdf=Attachment(file_name="i.pdf", content=b"%PDF")
)


@pytest.mark.parametrize("has_letter", [True, False])
def test_a_reminder_asks_for_what_is_still_due_and_brings_its_letter(has_letter: bool) -> None:
    facts, locale = from_payload_dunning(NOTICE.SerializeToString())
    assert (locale, facts.deadline_on) == ("en", date(2026, 12, 1))
    letter = Attachment(file_name="letter.pdf", content=b"%PDF") if has_letter else None
    mail = dunning_mail(MESSAGE, BRAND, facts, INVOICE, letter, contact=ADA, public_url="https://pay.example")
    assert "75.00" in mail.text
    assert "100.00" not in mail.text
    assert "Please pay" in mail.text
    assert "https://pay.example/l/tok" in mail.text
    assert mail.subject.startswith("Second reminder: ")
    assert mail.attachment is not None
    assert mail.attachment.file_name == ("letter.pdf" if has_letter else "i.pdf")


def test_every_language_has_the_same_words() -> None:
    assert len({frozenset(texts) for texts in DISPUTE_TEXTS.values()}) == 1
