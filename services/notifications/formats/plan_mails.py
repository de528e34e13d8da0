"""Mails about instalment plans: offered, begun, an instalment to come, broken."""

from typing import Any, Final

from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import Contact, Mail, PlanFacts
from services.notifications.domain.message import Kind, Message
from services.notifications.formats.mails import Row
from services.notifications.formats.payment_mails import Portal


def offered_mail(
    message: Message, brand: Brand, facts: PlanFacts, contact: Contact, *, portal: Portal
) -> Mail:
    """Tells of an offer, and until when it can be accepted. Nothing is agreed by not answering."""
    rows = _basics(facts, portal)
    if facts.discount is not None:
        rows.append(Row(portal.language.text("plan_discount"), portal.language.amount(facts.discount)))
    rows.append(Row(portal.language.text("plan_until"), portal.language.day(facts.day)))
    return _mail("offered", message, brand, facts, contact, portal=portal, rows=rows)


def active_mail(
    message: Message, brand: Brand, facts: PlanFacts, contact: Contact, *, portal: Portal
) -> Mail:
    """Confirms a plan that began, with the terms word for word."""
    rows = _basics(facts, portal)
    rows.append(Row(portal.language.text("plan_last"), portal.language.day(facts.day)))
    rows += [Row(portal.language.text("plan_terms"), "", facts.text)] if facts.text else []
    return _mail("active", message, brand, facts, contact, portal=portal, rows=rows)


def due_mail(message: Message, brand: Brand, facts: PlanFacts, contact: Contact, *, portal: Portal) -> Mail:
    """Tells of an instalment to come; a friendly word, no reminder."""
    language = portal.language
    rows = [
        Row(language.text("plan_number"), f"{facts.number} / {facts.instalments}"),
        Row(language.text("plan_due_on"), language.day(facts.day)),
        Row(language.text("plan_left"), language.amount(facts.open)),
    ]
    return _mail("due", message, brand, facts, contact, portal=portal, rows=rows)


def broken_mail(
    message: Message, brand: Brand, facts: PlanFacts, contact: Contact, *, portal: Portal
) -> Mail:
    """Tells that a plan ended since instalments were missed, what that means, and that talking helps."""
    language = portal.language
    rows = [
        Row(language.text("plan_missed"), language.amount(facts.amount)),
        Row(language.text("plan_left"), language.amount(facts.open), strong=True),
    ]
    return _mail("broken", message, brand, facts, contact, portal=portal, rows=rows)


def _basics(facts: PlanFacts, portal: Portal) -> list[Row]:
    language = portal.language
    first = facts.first_on or facts.day
    return [
        Row(language.text("plan_invoices"), language.isolated(", ".join(facts.invoice_numbers))),
        Row(language.text("plan_total"), language.amount(facts.total)),
        Row(language.text("plan_count"), str(facts.instalments)),
        Row(language.text("plan_first"), language.amount(facts.amount), language.day(first)),
    ]


def _mail(
    name: str,
    message: Message,
    brand: Brand,
    facts: PlanFacts,
    contact: Contact,
    *,
    portal: Portal,
    rows: list[Row],
) -> Mail:
    language = portal.language
    headline = language.amount(facts.open if name == "broken" else facts.amount)
    words = {
        "amount": headline,
        "total": language.amount(facts.total),
        "count": str(facts.instalments),
        "day": language.day(facts.day),
        "organization": brand.display_name,
    }
    lead = language.text(f"plan_{name}_lead", **words)
    if facts.text and name == "offered":
        lead = f"{lead} {language.text('plan_note', organization=brand.display_name)} {language.isolated(facts.text)}"
    button: dict[str, Any] = portal.button(f"plan_{name}_button")
    content = {
        "preview": lead,
        "eyebrow": language.text(f"plan_{name}_eyebrow"),
        "headline": headline,
        "subline": language.text(f"plan_{name}_subline", **words),
        "lead": lead,
        "rows": rows,
        **button,
        "link": f"{button['link']}plans/{facts.plan_id}",
    }
    return portal.mail(message, brand, contact, language.text(f"plan_{name}_subject", **words), content)


MAILS: Final = {
    Kind.PLAN_OFFERED: offered_mail,
    Kind.PLAN_ACTIVE: active_mail,
    Kind.INSTALMENT_DUE: due_mail,
    Kind.PLAN_BROKEN: broken_mail,
}
"""Which mail tells of what."""
