"""Mails about disputes: received, answered, settled."""

from typing import Final

from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import Contact, DisputeFacts, Mail
from services.notifications.domain.message import Kind, Message
from services.notifications.formats.mails import Row
from services.notifications.formats.payment_mails import Portal

_NAMES: Final = {Kind.DISPUTE_OPENED: "opened", Kind.DISPUTE_ANSWERED: "answered"}


def dispute_mail(
    message: Message, brand: Brand, facts: DisputeFacts, contact: Contact, *, portal: Portal
) -> Mail:
    """Says what became of an objection, in the words that staff wrote, and leads to the whole of it."""
    language = portal.language
    name = _NAMES.get(message.kind, facts.outcome)
    words = {"number": facts.invoice_number, "organization": brand.display_name}
    credited = facts.credited
    rows = [
        Row(language.text("dispute_invoice"), language.isolated(facts.invoice_number)),
        Row(language.text("dispute_amount"), language.amount(facts.amount)),
    ]
    if credited is not None:
        rows.append(Row(language.text("dispute_credited"), language.amount(credited)))
    if facts.rest is not None:
        label = "dispute_rest" if message.kind is Kind.DISPUTE_OPENED else "dispute_due"
        rows.append(Row(language.text(label), language.amount(facts.rest), strong=True))
    lead = language.text(f"dispute_{name}_lead", **words)
    if facts.text:
        lead = f"{lead} {language.text('quoted', text=facts.text)}"
    button = portal.button("dispute_button")
    content = {
        "preview": lead,
        "eyebrow": language.text(f"dispute_{name}_eyebrow"),
        "headline": language.amount(credited if credited is not None else facts.amount),
        "subline": language.text(f"dispute_{name}_subline"),
        "lead": lead,
        "rows": rows,
        **button,
        "link": f"{button['link']}disputes/{facts.dispute_id}",
    }
    return portal.mail(message, brand, contact, language.text(f"dispute_{name}_subject", **words), content)
