"""The mail that reminds of a late invoice, with its letter or the invoice, and the way to pay."""

from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import Attachment, Contact, DunningFacts, InvoiceDocument, Mail
from services.notifications.domain.message import Message
from services.notifications.formats.mails import Language, Row, put_together


def dunning_mail(
    message: Message,
    brand: Brand,
    facts: DunningFacts,
    invoice: InvoiceDocument,
    letter: Attachment | None,
    *,
    contact: Contact,
    public_url: str,
) -> Mail:
    """Asks for what is still due when it leaves, never for more than the notice did."""
    language = Language(contact.locale or brand.locale)
    amount = language.amount(min(facts.amount, invoice.amount_due))
    day = language.day(facts.deadline_on)
    words = {"title": facts.title, "number": facts.invoice_number, "organization": brand.display_name}
    content = {
        "preview": facts.text,
        "eyebrow": facts.title,
        "headline": amount,
        "subline": language.text("dunning_subline", day=day),
        "lead": facts.text,
        "rows": [
            Row(language.text("invoice_number"), language.isolated(facts.invoice_number)),
            Row(language.text("due_date"), language.day(facts.due_date)),
            Row(language.text("dunning_deadline"), day, language.text("dunning_help")),
            Row(language.text("amount_due"), amount, strong=True),
        ],
        "table_title": "",
        "button": language.text("pay"),
        "link": f"{public_url}/l/{invoice.pay_link_token}",
        "link_hint": language.text("link_hint"),
        "link_fallback": language.text("link_fallback"),
    }
    subject = language.text("dunning_subject", **words)
    return put_together(message, brand, language, contact.name, subject, content, letter or invoice.pdf)
