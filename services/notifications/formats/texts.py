"""The words of the mails, by language. A new language is a new entry; a test demands that it is complete."""

from collections.abc import Mapping
from typing import Final

from babel import Locale, UnknownLocaleError

from services.notifications.formats.credit_note_texts import CREDIT_NOTE_TEXTS
from services.notifications.formats.dispute_texts import DISPUTE_TEXTS
from services.notifications.formats.payment_texts import PAYMENT_TEXTS
from services.notifications.formats.plan_texts import PLAN_TEXTS
from services.notifications.formats.schedule_texts import SCHEDULE_TEXTS

DEFAULT_LANGUAGE: Final = "en"
_RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})

_DOCUMENT_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "late_fee_subject": "Late fee for invoice {number} from {organization}: {amount} due {due_date}",
        "late_fee_subject_settled": "Late fee for invoice {number} from {organization}",
        "late_fee_eyebrow": "Late fee for invoice {number}",
        "late_fee_lead": "invoice {number} was not paid in time, so {organization} "
        "charges a late fee. Its own invoice is attached as a PDF.",
        "late_fee_about": "Late fee for",
        "early_pay_by": "Pay by {day}",
        "early_kept": "{amount} off for paying early",
        "quoted": "“{text}”",
        "invoice_subject": "Invoice {number} from {organization}: {amount} due {due_date}",
        "invoice_subject_settled": "Invoice {number} from {organization}",
        "invoice_preview": "{amount} is due on {due_date}. View it and pay online.",
        "invoice_preview_settled": "Nothing is left to pay. The invoice is attached.",
        "invoice_eyebrow": "Invoice {number}",
        "invoice_due_on": "due on {due_date}",
        "invoice_settled": "Paid in full. Nothing is left to pay.",
        "greeting": "Hello {name},",
        "greeting_nobody": "Hello,",
        "invoice_lead": "here is your invoice from {organization}. It is also attached as a PDF.",
        "pay": "View and pay",
        "view": "View invoice",
        "link_hint": "This link is for you alone and opens this invoice without a password."
        " Please do not pass it on.",
        "link_fallback": "If the button does not work, open this address:",
        "invoice_number": "Invoice number",
        "invoice_date": "Invoice date",
        "due_date": "Due date",
        "invoice_total": "Invoice total",
        "amount_due": "Still to pay",
        "receipt_subject": "Receipt {number} from {organization}: {amount} received",
        "receipt_preview": "Thank you. We received your payment of {amount}.",
        "receipt_eyebrow": "Receipt {number}",
        "receipt_thanks": "received with thanks",
        "receipt_lead": "we received your payment. Your receipt is attached as a PDF.",
        "receipt_used_for": "What it was used for",
        "receipt_invoice": "Invoice {number}",
        "receipt_paid_in_full": "Paid in full",
        "receipt_left": "{amount} still to pay",
        "receipt_credit": "Credit on your account",
        "receipt_credit_hint": "Ready for your next invoice",
        "receipt_total": "Payment received",
        "questions": "Questions? Reply to this mail",
        "questions_phone": "Questions? Reply to this mail or call {phone}",
        "footer": "Sent on behalf of {organization}. We never ask for card numbers or passwords by mail.",
    },
    "de": {
        "late_fee_subject": "Verzugsgebühr zu Rechnung {number} von {organization}: {amount} "
        "fällig am {due_date}",
        "late_fee_subject_settled": "Verzugsgebühr zu Rechnung {number} von {organization}",
        "late_fee_eyebrow": "Verzugsgebühr zu Rechnung {number}",
        "late_fee_lead": "Rechnung {number} wurde nicht rechtzeitig bezahlt. {organization} "
        "berechnet Ihnen dafür eine Verzugsgebühr; die Rechnung darüber liegt als PDF bei.",
        "late_fee_about": "Verzugsgebühr zu",
        "early_pay_by": "Bei Zahlung bis {day}",
        "early_kept": "{amount} Skonto abgezogen",
        "quoted": "„{text}“",
        "invoice_subject": "Rechnung {number} von {organization}: {amount} fällig am {due_date}",
        "invoice_subject_settled": "Rechnung {number} von {organization}",
        "invoice_preview": "{amount} ist am {due_date} fällig. Online ansehen und bezahlen.",
        "invoice_preview_settled": "Es ist nichts mehr offen. Die Rechnung liegt bei.",
        "invoice_eyebrow": "Rechnung {number}",
        "invoice_due_on": "fällig am {due_date}",
        "invoice_settled": "Vollständig bezahlt. Es ist nichts mehr offen.",
        "greeting": "Guten Tag {name},",
        "greeting_nobody": "Guten Tag,",
        "invoice_lead": "hier ist Ihre Rechnung von {organization}. Sie liegt auch als PDF bei.",
        "pay": "Ansehen und bezahlen",
        "view": "Rechnung ansehen",
        "link_hint": "Dieser Link ist nur für Sie und öffnet diese Rechnung ohne Passwort."
        " Bitte geben Sie ihn nicht weiter.",
        "link_fallback": "Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:",
        "invoice_number": "Rechnungsnummer",
        "invoice_date": "Rechnungsdatum",
        "due_date": "Fällig am",
        "invoice_total": "Rechnungsbetrag",
        "amount_due": "Noch offen",
        "receipt_subject": "Zahlungsbeleg {number} von {organization}: {amount} erhalten",
        "receipt_preview": "Vielen Dank. Wir haben Ihre Zahlung über {amount} erhalten.",
        "receipt_eyebrow": "Zahlungsbeleg {number}",
        "receipt_thanks": "dankend erhalten",
        "receipt_lead": "wir haben Ihre Zahlung erhalten. Der Beleg liegt als PDF bei.",
        "receipt_used_for": "Wofür sie verwendet wurde",
        "receipt_invoice": "Rechnung {number}",
        "receipt_paid_in_full": "Vollständig bezahlt",
        "receipt_left": "Noch {amount} offen",
        "receipt_credit": "Guthaben auf Ihrem Konto",
        "receipt_credit_hint": "Für Ihre nächste Rechnung",
        "receipt_total": "Erhaltene Zahlung",
        "questions": "Fragen? Antworten Sie auf diese Mail",
        "questions_phone": "Fragen? Antworten Sie auf diese Mail oder rufen Sie an: {phone}",
        "footer": "Gesendet im Auftrag von {organization}."
        " Wir fragen nie per Mail nach Kartennummern oder Passwörtern.",
    },
    "ar": {
        "late_fee_subject": "رسوم تأخير عن الفاتورة {number} من {organization}: {amount} تستحق في {due_date}",
        "late_fee_subject_settled": "رسوم تأخير عن الفاتورة {number} من {organization}",
        "late_fee_eyebrow": "رسوم تأخير عن الفاتورة {number}",
        "late_fee_lead": "لم تُسدد الفاتورة {number} في موعدها، لذلك تحتسب {organization} "
        "رسوم تأخير. فاتورة الرسوم مرفقة بصيغة PDF.",
        "late_fee_about": "رسوم تأخير عن",
        "early_pay_by": "عند الدفع حتى {day}",
        "early_kept": "بعد خصم {amount} للسداد المبكر",
        "quoted": "«{text}»",
        "invoice_subject": "الفاتورة {number} من {organization}: {amount} تستحق في {due_date}",
        "invoice_subject_settled": "الفاتورة {number} من {organization}",
        "invoice_preview": "يستحق {amount} في {due_date}. اعرض الفاتورة وادفع عبر الإنترنت.",
        "invoice_preview_settled": "لم يتبق شيء للدفع. الفاتورة مرفقة.",
        "invoice_eyebrow": "الفاتورة {number}",
        "invoice_due_on": "تستحق في {due_date}",
        "invoice_settled": "مدفوعة بالكامل. لم يتبق شيء للدفع.",
        "greeting": "مرحبًا {name}،",
        "greeting_nobody": "مرحبًا،",
        "invoice_lead": "إليك فاتورتك من {organization}، وهي مرفقة أيضًا بصيغة PDF.",
        "pay": "عرض ودفع",
        "view": "عرض الفاتورة",
        "link_hint": "هذا الرابط لك وحدك ويفتح هذه الفاتورة بدون كلمة مرور. من فضلك لا تشاركه مع أحد.",
        "link_fallback": "إذا لم يعمل الزر، افتح هذا العنوان:",
        "invoice_number": "رقم الفاتورة",
        "invoice_date": "تاريخ الفاتورة",
        "due_date": "تاريخ الاستحقاق",
        "invoice_total": "إجمالي الفاتورة",
        "amount_due": "المتبقي للدفع",
        "receipt_subject": "الإيصال {number} من {organization}: تم استلام {amount}",
        "receipt_preview": "شكرًا لك. استلمنا دفعتك بمبلغ {amount}.",
        "receipt_eyebrow": "الإيصال {number}",
        "receipt_thanks": "تم الاستلام مع الشكر",
        "receipt_lead": "استلمنا دفعتك. الإيصال مرفق بصيغة PDF.",
        "receipt_used_for": "فيما استُخدمت",
        "receipt_invoice": "الفاتورة {number}",
        "receipt_paid_in_full": "مدفوعة بالكامل",
        "receipt_left": "يتبقى {amount}",
        "receipt_credit": "رصيد في حسابك",
        "receipt_credit_hint": "لفاتورتك القادمة",
        "receipt_total": "الدفعة المستلمة",
        "questions": "لديك أسئلة؟ أجب على هذه الرسالة",
        "questions_phone": "لديك أسئلة؟ أجب على هذه الرسالة أو اتصل على {phone}",
        "footer": "أُرسلت نيابة عن {organization}. لا نطلب أبدًا أرقام البطاقات أو كلمات المرور بالبريد.",
    },
}

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    language: {
        **texts,
        **PAYMENT_TEXTS[language],
        **SCHEDULE_TEXTS[language],
        **PLAN_TEXTS[language],
        **DISPUTE_TEXTS[language],
        **CREDIT_NOTE_TEXTS[language],
    }
    for language, texts in _DOCUMENT_TEXTS.items()
}


def reader_locale(tag: str) -> Locale:
    """The locale for numbers and dates; English for a language that CLDR does not know."""
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(DEFAULT_LANGUAGE)


def language_of(locale: Locale) -> str:
    """The language of the words: the reader's if we have it, else English."""
    return locale.language if locale.language in TEXTS else DEFAULT_LANGUAGE


def is_right_to_left(language: str) -> bool:
    return language in _RIGHT_TO_LEFT
