"""What mails about automatic payments, saved cards, approvals and reversals say, in every language."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from chassis.money import Money
from services.notifications.domain.facts import (
    AppliedPart,
    ApprovalFacts,
    Contact,
    ExpiringFacts,
    FailedFacts,
    Mail,
    PlannedFacts,
    PriceChangeFacts,
    ReversalFacts,
    UpcomingFacts,
)
from services.notifications.formats.payment_mails import (
    Portal,
    approval_mail,
    expiring_mail,
    failed_mail,
    planned_mail,
    reversal_mail,
)
from services.notifications.formats.schedule_mails import price_change_mail, upcoming_mail
from services.notifications.formats.texts import TEXTS
from tests.unit.notifications.test_mails import BRAND, MESSAGE, parsed

ADA = Contact(customer_id="cus_1", email="ada@buyer.example", name="Ada <b>", locale="")
PLANNED = PlannedFacts(
    amount=Money(120_050, "EUR"),
    pay_on=date(2026, 12, 1),
    parts=(("INV-40", Money(20_050, "EUR")), ("INV-42", Money(100_000, "EUR"))),
    method="Visa 4242",
    needs_confirmation=False,
)
FAILED = FailedFacts(
    amount=Money(120_050, "EUR"),
    failure_code="insufficient_funds",
    next_try_on=date(2026, 12, 4),
    method="Visa 4242",
)
EXPIRING = ExpiringFacts(method="Visa 4242", month=date(2026, 12, 1), used_by_autopay=True)
APPROVAL = ApprovalFacts(amount=Money(120_050, "EUR"), requested_by="Bob <i>")
REVERSAL = ReversalFacts(
    kind="return",
    receipt_number="R-000017",
    amount=Money(120_050, "EUR"),
    parts=(AppliedPart(number="INV-40", amount=Money(120_050, "EUR"), amount_due=Money(120_050, "EUR")),),
    from_credit=Money.zero("EUR"),
    fee=Money(500, "EUR"),
    forgiven=False,
    to_credit=False,
)
UPCOMING = UpcomingFacts(
    name="<i>Berth</i>", invoice_on=date(2026, 12, 1), total=Money(12_050, "EUR"), more_by_usage=True
)
PRICE = PriceChangeFacts(
    name="<i>Berth</i>", line="<b>Berth 12</b>", old_price=Money(100, "EUR"), new_price=Money(120, "EUR"),
    effective_on=date(2027, 1, 1),
)  # fmt: skip
Writer = Callable[[Portal], Mail]
MAILS: dict[str, Writer] = {
    "planned": lambda portal: planned_mail(MESSAGE, BRAND, PLANNED, ADA, portal=portal),
    "asked": lambda portal: planned_mail(
        MESSAGE, BRAND, replace(PLANNED, needs_confirmation=True), ADA, portal=portal
    ),
    "failed": lambda portal: failed_mail(MESSAGE, BRAND, FAILED, ADA, portal=portal),
    "given up": lambda portal: failed_mail(
        MESSAGE, BRAND, replace(FAILED, next_try_on=None), ADA, portal=portal
    ),
    "expiring": lambda portal: expiring_mail(MESSAGE, BRAND, EXPIRING, ADA, portal=portal),
    "approval": lambda portal: approval_mail(MESSAGE, BRAND, APPROVAL, ADA, portal=portal),
    "upcoming": lambda portal: upcoming_mail(MESSAGE, BRAND, UPCOMING, ADA, portal=portal),
    "price": lambda portal: price_change_mail(MESSAGE, BRAND, PRICE, ADA, portal=portal),
    **{
        kind: lambda portal, kind=kind: reversal_mail(  # type: ignore[misc]
            MESSAGE, BRAND, replace(REVERSAL, kind=kind), ADA, portal=portal
        )
        for kind in ("return", "refund", "chargeback", "unmatched")
    },
}


def written(name: str, locale: str = "en-US") -> Mail:
    return MAILS[name](Portal(locale=locale, public_url="https://pay.example"))


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize("name", MAILS)
def test_each_mail_is_written_in_each_language_and_loads_nothing_from_elsewhere(
    name: str, language: str
) -> None:
    mail = written(name, language)
    for body in (mail.subject, mail.text, mail.html):
        assert not re.search(r"\{[a-z_]+\}", body)
    assert f'<html lang="{language}"' in mail.html
    assert re.search(r'href="https://pay\.example/(subscriptions)?"', mail.html)
    assert "<i>" not in mail.html
    assert "<b>" not in mail.html
    assert re.findall(r"""(?:src|href)=["'](?!https://pay\.example/|mailto:|cid:)""", mail.html) == []
    assert mail.attachment is None
    assert not list(parsed(mail).iter_attachments())


def test_an_announcement_says_what_is_paid_when_and_with_what() -> None:
    mail = written("planned")
    assert mail.subject == "Automatic payment of €1,200.50 to Harbor Supply on December 1, 2026"
    for words in ("INV-40", "€200.50", "Visa 4242", "skip"):
        assert words in mail.text


def test_over_the_limit_it_asks_and_says_that_nothing_is_charged() -> None:
    mail = written("asked")
    assert mail.subject.startswith("Please confirm")
    assert "Nothing is charged unless you agree" in mail.text


def test_a_failure_says_why_and_when_it_is_tried_again_or_that_it_is_not() -> None:
    assert "December 4, 2026" in written("failed").text
    assert "There was not enough money on the account." in written("failed").text
    assert "will not be tried again" in written("given up").text


def test_a_returned_debit_says_what_is_open_again_and_what_it_costs() -> None:
    mail = written("return", "de")
    assert mail.subject == "Ihre Zahlung von 1.200,50\xa0€ an Harbor Supply ist zurückgekommen"
    assert "5,00\xa0€" in mail.text
    assert "jetzt 1.200,50\xa0€ zu zahlen" in mail.text


def test_a_refund_to_credit_does_not_say_that_money_is_on_its_way() -> None:
    facts = replace(REVERSAL, kind="refund", to_credit=True, forgiven=True, fee=Money.zero("EUR"))
    mail = reversal_mail(
        MESSAGE, BRAND, facts, ADA, portal=Portal(locale="en", public_url="https://pay.example")
    )
    assert "is now credit on your account" in mail.text
    assert "on its way" not in mail.text
    assert "Nothing to pay" in mail.text
