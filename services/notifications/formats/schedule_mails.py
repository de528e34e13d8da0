"""Mails about schedules: an invoice to come, a new price."""

from typing import Any

from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import Contact, Mail, PriceChangeFacts, UpcomingFacts
from services.notifications.domain.message import Message
from services.notifications.formats.mails import Row
from services.notifications.formats.payment_mails import Portal


def upcoming_mail(
    message: Message, brand: Brand, facts: UpcomingFacts, contact: Contact, *, portal: Portal
) -> Mail:
    """Tells of the next invoice of a schedule."""
    language = portal.language
    amount, day = language.amount(facts.total), language.day(facts.invoice_on)
    words = {"amount": amount, "day": day, "name": facts.name, "organization": brand.display_name}
    lead = language.text("upcoming_lead", **words)
    if facts.more_by_usage:
        lead = f"{lead} {language.text('upcoming_usage')}"
    content = {
        "preview": lead,
        "eyebrow": language.text("upcoming_eyebrow"),
        "headline": amount,
        "subline": language.text("upcoming_subline", **words),
        "lead": lead,
        "rows": [
            Row(language.text("upcoming_for"), language.isolated(facts.name)),
            Row(language.text("upcoming_day"), day),
            Row(language.text("upcoming_amount"), amount, strong=True),
        ],
        **_button(portal),
    }
    return portal.mail(message, brand, contact, language.text("upcoming_subject", **words), content)


def price_change_mail(
    message: Message, brand: Brand, facts: PriceChangeFacts, contact: Contact, *, portal: Portal
) -> Mail:
    """Gives notice of a new price."""
    language = portal.language
    new, day = language.amount(facts.new_price), language.day(facts.effective_on)
    words = {"day": day, "name": facts.name, "organization": brand.display_name}
    lead = language.text("price_lead", **words)
    content = {
        "preview": lead,
        "eyebrow": language.text("price_eyebrow"),
        "headline": new,
        "subline": language.text("price_subline", **words),
        "lead": lead,
        "rows": [
            Row(language.text("price_what"), language.isolated(facts.line)),
            Row(language.text("price_old"), language.amount(facts.old_price)),
            Row(language.text("price_new"), new, strong=True),
        ],
        **_button(portal),
    }
    return portal.mail(message, brand, contact, language.text("price_subject", **words), content)


def _button(portal: Portal) -> dict[str, Any]:
    button = portal.button("subscriptions_button")
    return {**button, "link": f"{button['link']}subscriptions"}
