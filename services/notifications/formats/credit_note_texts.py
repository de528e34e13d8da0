"""What the mail with a credit note says, by language."""

from collections.abc import Mapping
from typing import Final

CREDIT_NOTE_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "credit_note_subject": "Credit note {number} from {organization}: {amount} off invoice {invoice}",
        "credit_note_preview": "{amount} is taken off invoice {invoice}. The credit note is attached.",
        "credit_note_eyebrow": "Credit note {number}",
        "credit_note_subline": "off invoice {invoice}",
        "credit_note_lead": "{organization} has corrected invoice {invoice} with a credit note. It is attached as a"
        " PDF. Please keep it with the invoice.",
        "credit_note_number": "Credit note number",
        "credit_note_invoice": "Corrected invoice",
        "credit_note_amount": "Credited",
        "credit_note_to_credit": "Of this, credit on your account",
        "credit_note_to_credit_hint": "You had paid it already",
        "credit_note_due": "Still to pay on the invoice",
    },
    "de": {
        "credit_note_subject": "Rechnungskorrektur {number} von {organization}: {amount} weniger auf"
        " Rechnung {invoice}",
        "credit_note_preview": "{amount} werden von Rechnung {invoice} abgezogen. Die Rechnungskorrektur liegt bei.",
        "credit_note_eyebrow": "Rechnungskorrektur {number}",
        "credit_note_subline": "weniger auf Rechnung {invoice}",
        "credit_note_lead": "{organization} hat Rechnung {invoice} berichtigt. Die Rechnungskorrektur liegt als PDF"
        " bei. Bitte bewahren Sie sie mit der Rechnung auf.",
        "credit_note_number": "Nummer der Korrektur",
        "credit_note_invoice": "Berichtigte Rechnung",
        "credit_note_amount": "Gutgeschrieben",
        "credit_note_to_credit": "Davon Guthaben auf Ihrem Konto",
        "credit_note_to_credit_hint": "Das hatten Sie schon bezahlt",
        "credit_note_due": "Auf die Rechnung noch offen",
    },
    "ar": {
        "credit_note_subject": "إشعار دائن {number} من {organization}: {amount} على الفاتورة {invoice}",
        "credit_note_preview": "خُصم {amount} من الفاتورة {invoice}. الإشعار الدائن مرفق.",
        "credit_note_eyebrow": "إشعار دائن {number}",
        "credit_note_subline": "خُصم من الفاتورة {invoice}",
        "credit_note_lead": "صحّح {organization} الفاتورة {invoice} بإشعار دائن، وهو مرفق بصيغة PDF. من فضلك احتفظ به مع"
        " الفاتورة.",
        "credit_note_number": "رقم الإشعار الدائن",
        "credit_note_invoice": "الفاتورة المصححة",
        "credit_note_amount": "المبلغ المخصوم",
        "credit_note_to_credit": "منه رصيد في حسابك",
        "credit_note_to_credit_hint": "كنت قد دفعته من قبل",
        "credit_note_due": "المتبقي للدفع من الفاتورة",
    },
}
