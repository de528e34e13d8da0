"""The mail that brings a credit note."""

from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import Contact, CreditNoteDocument, CreditNoteFacts, Mail
from services.notifications.domain.message import Message
from services.notifications.formats.mails import Row, put_together
from services.notifications.formats.payment_mails import Portal


def credit_note_mail(
    message: Message,
    brand: Brand,
    facts: CreditNoteFacts,
    document: CreditNoteDocument,
    contact: Contact,
    *,
    portal: Portal,
) -> Mail:
    """Says what was taken off which invoice, what of it is credit, and what is still to pay as the mail leaves."""
    language = portal.language
    amount = language.amount(facts.total)
    words = {
        "number": facts.number, "invoice": facts.invoice_number, "organization": brand.display_name,
        "amount": amount,
    }  # fmt: skip
    rows = [
        Row(language.text("credit_note_number"), language.isolated(facts.number)),
        Row(language.text("credit_note_invoice"), language.isolated(facts.invoice_number)),
        Row(language.text("credit_note_amount"), amount),
    ]
    if not facts.to_credit.is_zero:
        credit, hint = language.amount(facts.to_credit), language.text("credit_note_to_credit_hint")
        rows.append(Row(language.text("credit_note_to_credit"), credit, hint))
    rows.append(Row(language.text("credit_note_due"), language.amount(document.amount_due), strong=True))
    button = portal.button("view")
    content = {
        "preview": language.text("credit_note_preview", **words),
        "eyebrow": language.text("credit_note_eyebrow", **words),
        "headline": amount,
        "subline": language.text("credit_note_subline", **words),
        "lead": language.text("credit_note_lead", **words),
        "rows": rows,
        **button,
        "link": f"{button['link']}invoices/{facts.invoice_id}",
    }
    subject = language.text("credit_note_subject", **words)
    return put_together(message, brand, language, contact.name, subject, content, document.pdf)
