"""What mails about disputes and reminders say, by language. A reminder's own words come from its policy."""

from collections.abc import Mapping
from typing import Final

DISPUTE_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "dispute_invoice": "Invoice",
        "dispute_amount": "You object to",
        "dispute_rest": "Can be paid meanwhile",
        "dispute_credited": "Credited",
        "dispute_due": "Still to pay on it",
        "dispute_button": "See what was said",
        "dispute_opened_subject": "We look into invoice {number}",
        "dispute_opened_eyebrow": "Your objection",
        "dispute_opened_subline": "is not asked for meanwhile",
        "dispute_opened_lead": "{organization} has received what you wrote about invoice {number} and"
        " answers as soon as"
        " possible. Until it is settled you are not reminded of this amount, and it is not charged automatically.",
        "dispute_answered_subject": "{organization} has written to you about invoice {number}",
        "dispute_answered_eyebrow": "Your objection",
        "dispute_answered_subline": "is being looked into",
        "dispute_answered_lead": "{organization} writes:",
        "dispute_accepted_subject": "Invoice {number}: you are right",
        "dispute_accepted_eyebrow": "Your objection is settled",
        "dispute_accepted_subline": "is credited",
        "dispute_accepted_lead": "{organization} has corrected invoice {number} with a credit note.",
        "dispute_partly_accepted_subject": "Invoice {number}: a part is credited",
        "dispute_partly_accepted_eyebrow": "Your objection is settled",
        "dispute_partly_accepted_subline": "is credited",
        "dispute_partly_accepted_lead": "{organization} has credited a part of what you objected to on invoice"
        " {number}. The rest is to be paid.",
        "dispute_rejected_subject": "Invoice {number} is to be paid as it stands",
        "dispute_rejected_eyebrow": "Your objection is settled",
        "dispute_rejected_subline": "is to be paid after all",
        "dispute_rejected_lead": "{organization} has looked into what you wrote about invoice {number}"
        " and asks you to"
        " pay it as it stands.",
        "dispute_settled_subject": "Invoice {number}: your objection is settled",
        "dispute_settled_eyebrow": "Your objection is settled",
        "dispute_settled_subline": "is not asked for any more",
        "dispute_settled_lead": "{organization} does not ask you any more for what you objected to on invoice"
        " {number}, so there is nothing left to decide. You need not do anything.",
        "dunning_subject": "{title}: invoice {number} from {organization}",
        "dunning_deadline": "Please pay by",
        "dunning_subline": "to pay by {day}",
        "dunning_help": "Something is wrong with it, or paying is hard? The same page lets you say so.",
    },
    "de": {
        "dispute_invoice": "Rechnung",
        "dispute_amount": "Sie beanstanden",
        "dispute_rest": "Inzwischen zahlbar",
        "dispute_credited": "Gutgeschrieben",
        "dispute_due": "Darauf noch offen",
        "dispute_button": "Verlauf ansehen",
        "dispute_opened_subject": "Wir prüfen Rechnung {number}",
        "dispute_opened_eyebrow": "Ihre Beanstandung",
        "dispute_opened_subline": "werden solange nicht gefordert",
        "dispute_opened_lead": "{organization} hat Ihre Nachricht zu Rechnung {number} erhalten und"
        " antwortet so bald wie"
        " möglich. Bis das geklärt ist, werden Sie an diesen Betrag nicht erinnert, und er wird nicht automatisch"
        " eingezogen.",
        "dispute_answered_subject": "{organization} hat Ihnen zu Rechnung {number} geschrieben",
        "dispute_answered_eyebrow": "Ihre Beanstandung",
        "dispute_answered_subline": "werden geprüft",
        "dispute_answered_lead": "{organization} schreibt:",
        "dispute_accepted_subject": "Rechnung {number}: Sie haben recht",
        "dispute_accepted_eyebrow": "Ihre Beanstandung ist geklärt",
        "dispute_accepted_subline": "sind gutgeschrieben",
        "dispute_accepted_lead": "{organization} hat Rechnung {number} mit einer Gutschrift berichtigt.",
        "dispute_partly_accepted_subject": "Rechnung {number}: ein Teil ist gutgeschrieben",
        "dispute_partly_accepted_eyebrow": "Ihre Beanstandung ist geklärt",
        "dispute_partly_accepted_subline": "sind gutgeschrieben",
        "dispute_partly_accepted_lead": "{organization} hat einen Teil dessen gutgeschrieben, was Sie an"
        " Rechnung"
        " {number} beanstandet haben. Der Rest ist zu zahlen.",
        "dispute_rejected_subject": "Rechnung {number} ist zu zahlen, wie sie ist",
        "dispute_rejected_eyebrow": "Ihre Beanstandung ist geklärt",
        "dispute_rejected_subline": "sind doch zu zahlen",
        "dispute_rejected_lead": "{organization} hat Ihre Nachricht zu Rechnung {number} geprüft und"
        " bittet Sie, sie zu"
        " zahlen, wie sie ist.",
        "dispute_settled_subject": "Rechnung {number}: Ihre Beanstandung ist erledigt",
        "dispute_settled_eyebrow": "Ihre Beanstandung ist erledigt",
        "dispute_settled_subline": "werden nicht mehr gefordert",
        "dispute_settled_lead": "{organization} fordert nicht mehr, was Sie an Rechnung {number} beanstandet haben;"
        " es gibt also nichts mehr zu entscheiden. Sie brauchen nichts zu tun.",
        "dunning_subject": "{title}: Rechnung {number} von {organization}",
        "dunning_deadline": "Bitte zahlen bis",
        "dunning_subline": "zu zahlen bis {day}",
        "dunning_help": "Stimmt etwas nicht, oder fällt das Zahlen schwer? Auf derselben Seite"
        " können Sie es sagen.",
    },
    "ar": {
        "dispute_invoice": "الفاتورة",
        "dispute_amount": "المبلغ الذي تعترض عليه",
        "dispute_rest": "يمكن دفعه الآن",
        "dispute_credited": "المبلغ المقيّد لك",
        "dispute_due": "المتبقي عليها",
        "dispute_button": "عرض المراسلات",
        "dispute_opened_subject": "نراجع الفاتورة {number}",
        "dispute_opened_eyebrow": "اعتراضك",
        "dispute_opened_subline": "لا يُطلب حتى ذلك الحين",
        "dispute_opened_lead": "استلمت {organization} ما كتبته عن الفاتورة {number} وسترد في أقرب"
        " وقت. حتى التسوية لن تُذكَّر"
        " بهذا المبلغ ولن يُخصم تلقائيًا.",
        "dispute_answered_subject": "كتبت لك {organization} عن الفاتورة {number}",
        "dispute_answered_eyebrow": "اعتراضك",
        "dispute_answered_subline": "قيد المراجعة",
        "dispute_answered_lead": "كتبت {organization}:",
        "dispute_accepted_subject": "الفاتورة {number}: أنت على حق",
        "dispute_accepted_eyebrow": "تمت تسوية اعتراضك",
        "dispute_accepted_subline": "قُيّد لك",
        "dispute_accepted_lead": "صححت {organization} الفاتورة {number} بإشعار دائن.",
        "dispute_partly_accepted_subject": "الفاتورة {number}: قُيّد لك جزء",
        "dispute_partly_accepted_eyebrow": "تمت تسوية اعتراضك",
        "dispute_partly_accepted_subline": "قُيّد لك",
        "dispute_partly_accepted_lead": "قيّدت {organization} لك جزءًا مما اعترضت عليه في الفاتورة {number}."
        " الباقي مستحق الدفع.",
        "dispute_rejected_subject": "الفاتورة {number} مستحقة كما هي",
        "dispute_rejected_eyebrow": "تمت تسوية اعتراضك",
        "dispute_rejected_subline": "مستحق الدفع",
        "dispute_rejected_lead": "راجعت {organization} ما كتبته عن الفاتورة {number} وترجو دفعها كما هي.",
        "dispute_settled_subject": "الفاتورة {number}: انتهى اعتراضك",
        "dispute_settled_eyebrow": "انتهى اعتراضك",
        "dispute_settled_subline": "لم يعد مطلوبًا",
        "dispute_settled_lead": "لم تعد {organization} تطالبك بما اعترضت عليه في الفاتورة {number}، فلم يبقَ ما"
        " يُبتّ فيه. لا يلزمك فعل شيء.",
        "dunning_subject": "{title}: الفاتورة {number} من {organization}",
        "dunning_deadline": "يرجى الدفع حتى",
        "dunning_subline": "للدفع حتى {day}",
        "dunning_help": "هل هناك خطأ أو صعوبة في الدفع؟ يمكنك قول ذلك في الصفحة نفسها.",
    },
}
