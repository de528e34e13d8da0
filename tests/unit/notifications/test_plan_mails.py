"""Mails about instalment plans in all languages."""

import pytest

from services.notifications.domain.message import Kind
from services.notifications.formats.payment_mails import Portal
from services.notifications.formats.plan_mails import MAILS
from services.notifications.formats.plan_texts import PLAN_TEXTS
from services.notifications.translate import from_payload_plan
from tallyport.common.v1.money_pb2 import Money
from tallyport.invoicing.v1 import events_pb2 as pb
from tests.unit.notifications.test_mails import BRAND, MESSAGE
from tests.unit.notifications.test_payment_mails import ADA


def usd(cents: int) -> Money:
    return Money(minor_units=cents, currency="USD")


NEWS = pb.InstalmentNews(
    plan_id="ipl_1", total=usd(40_000), open=usd(30_000), instalments=4, invoice_numbers=["INV-1", "INV-2"]
)
PAYLOADS = {
    Kind.PLAN_OFFERED: pb.InstalmentPlanOffered(
        plan=NEWS, first_amount=usd(10_000), first_due_on="2026-12-01", offered_until="2026-11-30",
        note="As agreed on the phone", hardship_discount=usd(500),
    ),
    Kind.PLAN_ACTIVE: pb.InstalmentPlanActivated(
        plan=NEWS, first_amount=usd(10_000), first_due_on="2026-12-01", last_due_on="2027-03-01",
        terms_text="Word for word",
    ),
    Kind.INSTALMENT_DUE: pb.InstalmentDue(plan=NEWS, number=2, due_on="2027-01-01", amount=usd(10_000)),
    Kind.PLAN_BROKEN: pb.InstalmentPlanBroken(plan=NEWS, missed=usd(10_000)),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("kind", list(PAYLOADS))
def test_a_mail_says_what_is_to_pay_and_leads_to_the_plan(kind: Kind, language: str) -> None:
    facts = from_payload_plan(kind, PAYLOADS[kind].SerializeToString())
    portal = Portal(locale=language, public_url="https://pay.example")
    mail = MAILS[kind](MESSAGE, BRAND, facts, ADA, portal=portal)
    assert "https://pay.example/plans/ipl_1" in mail.text
    assert "{" not in mail.text + mail.subject
    shown = portal.language.amount(facts.open if kind is Kind.PLAN_BROKEN else facts.amount)
    assert shown in mail.text
    assert facts.text in mail.text


def test_every_language_has_the_same_words() -> None:
    assert len({frozenset(texts) for texts in PLAN_TEXTS.values()}) == 1
